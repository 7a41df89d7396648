//! What Docker 29.7 answers otherwise than 28.5, beside what the other files have of it.

use coracle_integration::{TestEnv, recorded};

recorded! {
    "docker29.md":
    versions_of_the_api = "Versions of the API",
    images = "Images",
    templates = "Templates",
    views_of_images = "Views of images",
    containers_as_documents = "Containers as documents",
    run_and_create = "run and create",
    a_replaced_image = "What becomes of a replaced image",
    events_of_images = "Events of images",
    commit_save_and_load = "commit, save and load",
    prune = "prune",
    services = "Services",
}

/// Scripts compare these numbers with those of Docker's releases; our own stand beside them.
#[test]
fn versions_are_those_of_the_release_that_is_followed() {
    let env = TestEnv::new();
    env.sh("coracle --version").success().stdout_has("Coracle version 0.");
    env.run(["version"])
        .success()
        .stdout_has(" Version:           29.7.2\n")
        .stdout_has("API version:       1.55\n")
        .stdout_has("API version:      1.55 (minimum version 1.40)\n")
        .stdout_has("Coracle 0.");
    let old = env.sh("DOCKER_API_VERSION=1.51 docker version").success();
    old.stdout_has("API version:       1.51 (downgraded from 1.55)\n");
    let wrong = env.sh("DOCKER_API_VERSION=v2 docker images").code(1);
    wrong.stderr_is("invalid API version (v2): must be formatted <major>.<minor>\n");
    env.assert_nothing_left();
}
