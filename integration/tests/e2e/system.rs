//! System commands and prune.

use coracle_integration::{TestEnv, recorded};

recorded! {
    "system.md":
    prune = "prune",
    df = "df",
    wrong_commands = "Wrong commands",
}

#[test]
fn a_home_that_is_closed_to_the_user_is_told_and_passed_over() {
    let env = TestEnv::new();
    let home = env.work().join("closed");
    std::fs::create_dir(&home).expect("a folder of ours");
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o000))
        .expect("chmod of our folder");
    let output = env.coracle().env("HOME", &home).args(["ps", "-q"]).run().success();
    let file = home.join(".config/coracle/config.json");
    let told = format!("WARNING: cannot read {}: permission denied\n", file.display());
    assert_eq!(output.stderr(), told);
}

#[test]
fn a_slip_gets_a_hint_at_what_is_there() {
    let env = TestEnv::new();
    env.sh("docker create --name database alpine; docker network create backend; docker volume create uploads")
        .success();
    env.write(
        "compose.yaml",
        "services: {frontend: {image: alpine, profiles: [p]}, worker: {image: alpine}}\n",
    );
    for (line, hint) in [
        ("rnu alpine", "did you mean `docker run`?"),
        ("contianer ls", "did you mean `docker container`?"),
        ("container lss", "did you mean `docker container ls`?"),
        ("compose dwon", "did you mean `docker compose down`?"),
        ("start databse", "did you mean \"database\"?"),
        ("inspect --type container databaze", "did you mean \"database\"?"),
        ("inspect databse", "did you mean \"database\"?"),
        ("inspect uplaods", "did you mean \"uploads\"?"),
        ("network rm backnd", "did you mean \"backend\"?"),
        ("volume inspect uplaods", "did you mean \"uploads\"?"),
        ("rmi alpin", "did you mean \"alpine\"?"),
        ("compose -p t up forntend", "did you mean \"frontend\"?"),
        ("compose stop wroker", "did you mean \"worker\"?"),
    ] {
        let output = env.sh(&format!("docker {line}"));
        assert_ne!(output.status(), 0, "{line}");
        output.stderr_has(&format!("hint: {hint}"));
    }
    // What is not near, or differs in its number alone, is no slip.
    env.sh("docker create --name web1 alpine").success();
    for line in ["start nosuch", "start web2", "bogus"] {
        let said = env.sh(&format!("docker {line}")).stderr();
        assert!(!said.contains("did you mean"), "{line}: {said}");
    }
    env.sh("docker rm database web1; docker network rm backend; docker volume rm uploads")
        .success();
    env.assert_nothing_left();
}

#[test]
fn man_pages_have_names_examples_and_exit_codes() {
    let env = TestEnv::bare();
    let folder = env.work().join("share/man/man1");
    env.run(["man", &folder.display().to_string()]).success();
    for (name, about) in [
        ("coracle", "coracle \\- Run containers"),
        ("coracle-run", "coracle\\-run \\- Create a container"),
        ("coracle-container-ls", "coracle\\-container\\-ls \\- List containers"),
        ("coracle-compose-up", "coracle\\-compose\\-up \\- Create and start"),
    ] {
        let page = std::fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(about), "{name}: {page}");
        assert!(page.contains(".SH EXAMPLES\n"), "{name}");
        assert!(page.contains(".SH \"EXIT STATUS\"\n"), "{name}");
    }
    env.sh("docker run --help | grep -c 'not supported'").success();
    env.assert_nothing_left();
}
