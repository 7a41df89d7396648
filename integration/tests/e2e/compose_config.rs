//! `compose config`: parts of a project, and which mistakes stop which command.

use coracle_integration::TestEnv;

/// Two services, one of which names a file of variables that is not there.
fn without_env_file() -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "name: t
services:
  web:
    image: ${IMAGE:-alpine}
    command: sleep 1000
    init: true
    volumes: ['data:/data']
  other:
    image: alpine
    env_file: nowhere.env
    profiles: [\"\", extra]
volumes: {data: {}, unused: {}}
",
    );
    env
}

#[test]
fn names_are_told_without_reading_files_of_variables() {
    let env = without_env_file();
    let config =
        |words: &[&str]| env.run([&["compose", "--profile", "*", "config"], words].concat());
    assert_eq!(config(&["--services"]).success().stdout(), "other\nweb\n");
    assert_eq!(config(&["--volumes"]).success().stdout(), "data\n");
    assert_eq!(config(&["--networks"]).success().stdout(), "default\n");
    assert_eq!(config(&["--profiles"]).success().stdout(), "\nextra\n");
    assert_eq!(config(&["--images"]).success().stdout(), "alpine\nalpine\n");
    assert_eq!(config(&["--hash", "web"]).success().stdout().lines().count(), 1);
    for words in [&["--quiet"][..], &["--environment"], &["--format", "json"], &["web"]] {
        let failed = config(words).code(1);
        assert!(failed.stderr().contains("nowhere.env not found"), "{}", failed.stderr());
    }
    let yaml = config(&["--no-env-resolution"]).success().stdout();
    assert!(yaml.contains("nowhere.env"), "{yaml}");
    env.assert_nothing_left();
}

#[test]
fn names_are_told_without_variables_put_in() {
    let env = without_env_file();
    let config = |words: &[&str]| {
        let all = ["compose", "--profile", "extra", "config", "--no-interpolate"];
        env.run([&all, words].concat()).success().stdout()
    };
    assert_eq!(config(&["--images"]), "alpine\n${IMAGE:-alpine}\n");
    assert_eq!(config(&["--volumes"]), "data\n");
    assert_eq!(config(&["--profiles"]), "\nextra\n");
    // The services of all profiles: without values there is no telling which take part.
    assert_eq!(config(&["--services"]), "other\nweb\n");
    env.assert_nothing_left();
}

#[test]
fn a_file_of_variables_is_needed_only_by_its_service() {
    let env = without_env_file();
    env.run(["compose", "--profile", "extra", "create", "web"]).success();
    let failed = env.run(["compose", "--profile", "extra", "create"]).code(1);
    assert!(failed.stderr().contains("nowhere.env not found"), "{}", failed.stderr());
    // What is there can be looked at and taken down all the same.
    let listed = env.run(["compose", "--profile", "extra", "ps", "-a", "--services"]);
    assert_eq!(listed.success().stdout(), "web\n");
    env.run(["compose", "--profile", "extra", "down", "-v"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_project_named_on_the_command_line_needs_no_readable_file() {
    let env = without_env_file();
    env.run(["compose", "up", "-d", "web"]).success();
    env.write("compose.yaml", "services: [");
    env.run(["compose", "down"]).code(1);
    env.run(["compose", "-p", "t", "down", "-t", "0", "-v"]).success();
    env.assert_nothing_left();
}
