//! Digests of the images of services: who is asked, and what is not waited for.

use std::net::TcpListener;

use coracle_integration::{
    TestEnv,
    registry::{Door, Registry},
    skip,
    skip::program,
    token::{PASSWORD, USER},
};

const IMAGE: &str = "{{.Spec.TaskTemplate.ContainerSpec.Image}}";

fn image_of(env: &TestEnv, service: &str) -> String {
    env.run(["service", "inspect", "--format", IMAGE, service]).success().stdout()
}

fn warning(image: &str) -> String {
    format!(
        "image {image} could not be accessed on a registry to record\nits digest. Each node will access {image} \
         independently,\npossibly leading to different nodes running different\nversions of the image.\n\n"
    )
}

#[test]
fn what_was_made_here_is_asked_of_nobody() {
    let env = TestEnv::new();
    env.run(["swarm", "init"]).success();
    let made = env.run(["service", "create", "-d", "--name", "a", "alpine", "sleep", "1000"]);
    assert_eq!(made.success().stderr(), warning("alpine:latest"));
    assert_eq!(image_of(&env, "a"), "alpine:latest\n");
    let own = ["service", "create", "-d", "--name", "b", "coracle.local/whoami"];
    env.run(own).success().stderr_is("");
    let quiet = ["service", "update", "-d", "--no-resolve-image", "--image", "bb", "a"];
    env.run(quiet).success().stderr_is("");
    // Only a new image is asked for.
    env.run(["service", "update", "-d", "--force", "a"]).success().stderr_is("");
    env.run(["swarm", "leave", "--force"]).success();
}

#[test]
fn a_registry_that_never_answers_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let image = format!("{}/x:1", silent.local_addr().expect("a bound socket"));
    let env = TestEnv::new();
    env.run(["swarm", "init"]).success();
    let create = ["service", "create", "-d", "--replicas", "0", "--name", "a", &image];
    assert_eq!(env.run(create).success().stderr(), warning(&image));
    assert_eq!(image_of(&env, "a"), format!("{image}\n"));
    env.run(["swarm", "leave", "--force"]).success();
}

#[test]
fn credentials_are_shown_on_request_and_kept_nowhere() {
    if program("docker-registry").is_none() {
        skip!("docker-registry is not installed");
    }
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Password);
    let image = registry.name("team/app:1");
    let login = ["login", "-u", USER, "--password-stdin", registry.address()];
    env.coracle().args(login).stdin(PASSWORD).run().success();
    env.run(["tag", "alpine", &image]).success();
    env.run(["push", "-q", &image]).success();
    // Each node has what its user may have: the image comes, whatever was said to the registry.
    env.run(["rmi", &image]).success();
    env.run(["swarm", "init"]).success();
    let create = ["service", "create", "-d", "--name"];
    let program = [image.as_str(), "sleep", "1000"];
    let made = env.run(create.iter().chain(&["a"]).chain(&program));
    assert_eq!(made.success().stderr(), warning(&image));
    env.run(create.iter().chain(&["b", "--with-registry-auth"]).chain(&program))
        .success()
        .stderr_is("");
    assert_eq!(image_of(&env, "a"), format!("{image}\n"));
    assert!(image_of(&env, "b").starts_with(&format!("{image}@sha256:")));
    env.sh("eventually 'test $(docker ps -q | wc -l) = 2'").success();
    // The base64 of "ada:engine".
    let folder = env.data().join("swarm");
    let look = format!("grep -rlE 'YWRhOmVuZ2luZQ|\"engine\"' {}", folder.display());
    let found = env.sh(&look).code(1);
    found.stdout_is("").stderr_is("");
    env.run(["swarm", "leave", "--force"]).success();
}
