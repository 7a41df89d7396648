//! What Compose files say beyond the recorded transcripts: links, includes, variables that are
//! taken away, and what is refused before anything is fetched. As Docker Compose 5.5.0 was seen to
//! do it, where nothing else is said.

use coracle_integration::TestEnv;

fn down(env: TestEnv) {
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0", "--remove-orphans"]).success();
    env.assert_nothing_left();
}

/// What a container of a service finds under a name: whether there is an address.
fn resolves(env: &TestEnv, service: &str, name: &str) -> bool {
    let container = format!("t-{service}-1");
    env.run(["exec", &container, "ping", "-c", "1", "-W", "5", name]).status() == 0
}

#[test]
fn links_and_their_aliases_answer() {
    let env = TestEnv::new();
    env.run(["network", "create", "t_default"]).success();
    env.sh("docker run -d --init --name beyond --network t_default alpine sleep 1000
         docker run -d --init --name old alpine sleep 1000")
        .success();
    env.write(
        "compose.yaml",
        "x-run: &run {image: alpine, init: true, command: sleep 1000}
services:
  db: *run
  web: {<<: *run, links: ['db:database', db], external_links: ['beyond:far', beyond]}
  db-old: {<<: *run, network_mode: bridge}
  web-old:
    <<: *run
    network_mode: bridge
    links: ['db-old:database', db-old]
    external_links: ['old:far', old]
networks: {default: {external: true, name: t_default}}
",
    );
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    for name in ["database", "db", "db-1", "t-db-1", "far", "beyond"] {
        assert!(resolves(&env, "web", name), "{name}");
    }
    // The alias is known to whoever has the link, and to nobody else.
    assert!(!resolves(&env, "db", "database"));
    for name in ["database", "db-old", "db-old-1", "t-db-old-1", "far", "old"] {
        assert!(resolves(&env, "web-old", name), "{name}");
    }
    // The container that is linked to is made anew: its names lead to the new one.
    env.run(["compose", "-p", "t", "up", "-d", "--force-recreate", "db"]).success();
    assert!(resolves(&env, "web", "database"));
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();
    env.run(["rm", "-f", "beyond", "old"]).success();
    env.run(["network", "rm", "t_default"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_variable_without_a_value_takes_that_of_the_image_away() {
    let env = TestEnv::new();
    env.sh("docker run --network none --name made alpine true && \
         docker commit -c 'ENV EMPTY=of-image' -c 'ENV KEPT=kept' made envs:1 && docker rm made")
        .success();
    let show = "echo =${EMPTY-unset}=$KEPT=";
    let run = |words: &[&str]| {
        let all = [&["run", "--rm", "--network", "none"], words, &["envs:1", "sh", "-c", show]];
        env.run(all.concat()).success().stdout()
    };
    assert_eq!(run(&[]), "=of-image=kept=\n");
    assert_eq!(run(&["-e", "EMPTY"]), "=unset=kept=\n");
    // A bare name in a file says nothing.
    env.write("names.env", "EMPTY\n");
    assert_eq!(run(&["--env-file", "names.env"]), "=of-image=kept=\n");
    env.write(
        "compose.yaml",
        "services:
  listed: {image: 'envs:1', network_mode: none, environment: [EMPTY]}
  mapped: {image: 'envs:1', network_mode: none, environment: {EMPTY: }}
  silent: {image: 'envs:1', network_mode: none, init: true, command: sleep 1000}
",
    );
    let one = |more: &[&str], service: &str| {
        let all =
            [&["compose", "-p", "t", "run", "--rm", "-T"], more, &[service, "sh", "-c", show]];
        env.run(all.concat()).success().stdout()
    };
    assert_eq!(one(&[], "listed"), "=unset=kept=\n");
    assert_eq!(one(&[], "mapped"), "=unset=kept=\n");
    // `run -e NAME` of Docker Compose leaves what is there, that of Docker does not.
    assert_eq!(one(&["-e", "EMPTY"], "silent"), "=of-image=kept=\n");
    let given = env.coracle().env("EMPTY", "here");
    let given = given.args(["compose", "-p", "t", "run", "--rm", "-T", "listed", "sh", "-c", show]);
    given.run().success().stdout_is("=here=kept=\n");
    env.run(["compose", "-p", "t", "up", "-d", "silent"]).success();
    env.run(["exec", "-e", "EMPTY", "t-silent-1", "sh", "-c", show])
        .success()
        .stdout_is("=unset=kept=\n");
    env.run(["exec", "t-silent-1", "sh", "-c", show]).success().stdout_is("=of-image=kept=\n");
    down(env);
}

#[test]
fn what_is_included_has_its_own_variables() {
    let env = TestEnv::new();
    env.write("compose.yaml", "include: [{path: sub/c.yaml, env_file: sub/own.env}]\n");
    // Docker Compose refuses such configs by mistake; secrets it has right.
    env.write(
        "sub/c.yaml",
        "services:
  s:
    image: alpine
    network_mode: none
    secrets: [tok]
    configs: [cfg]
    command: [sh, -c, 'echo $$(cat /run/secrets/tok) $$(cat /cfg)']
secrets: {tok: {environment: TOK}}
configs: {cfg: {environment: CFG}}
",
    );
    env.write("sub/own.env", "TOK=secret-of-include\nCFG=config-of-include\n");
    let run = ["compose", "-p", "t", "run", "--rm", "-T", "s"];
    env.run(run).success().stdout_is("secret-of-include config-of-include\n");
    // The variables of the project come first.
    let given = env.coracle().env("TOK", "mine").args(run).run();
    given.success().stdout_is("mine config-of-include\n");
    down(env);
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_is_fetched() {
    let env = TestEnv::new();
    for (file, said) in [
        (
            "services:\n  a: {image: 'localhost:1/none'}\n  p: {provider: {type: x}}\n",
            "services.p.provider: not supported: no external programs are run for a service",
        ),
        (
            "services:\n  a: {image: 'localhost:1/none', models: [m]}\nmodels: {m: {model: ai/m}}\n",
            "services.a.models: not supported: no models are run here",
        ),
    ] {
        env.write("compose.yaml", file);
        for verb in [&["up", "-d"][..], &["create"], &["run", "--rm", "-T", "a"]] {
            let failed = env.run([&["compose", "-p", "t"], verb].concat());
            if verb[0] == "run" && file.contains("provider") {
                continue;
            }
            let failed = failed.code(1);
            assert!(failed.stderr().contains(said), "{failed}");
            assert!(!failed.stderr().contains("Pulling"), "{failed}");
        }
        env.run(["compose", "-p", "t", "config", "-q"]).success();
    }
    down(env);
}

#[test]
fn placeholders_of_a_swarm_are_told_of() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  a:
    image: alpine
    network_mode: none
    environment: {SLOT: 'n-{{.Task.Slot}}', PLAIN: '{{.Other}}'}
    command: sh -c 'echo $$SLOT'
",
    );
    let up = env.run(["compose", "-p", "t", "up", "--no-log-prefix"]).success();
    let said =
        "services.a.environment.SLOT: {{.Task.Slot}} stays as it is: only a swarm fills it in";
    assert_eq!(up.stderr().matches("stays as it is").count(), 1, "{up}");
    up.stderr_has(&said.replace('"', "\\\"")).stdout_has("n-{{.Task.Slot}}");
    down(env);
}

#[test]
fn a_folder_that_is_missing_is_made_unless_the_file_says_no() {
    let env = TestEnv::new();
    let file = |bind: &str| {
        format!(
            "services: {{a: {{image: alpine, network_mode: none, command: 'true', volumes: [\
             {{type: bind, source: ./made, target: /m{bind}}}]}}}}\n"
        )
    };
    env.write("compose.yaml", file(", bind: {create_host_path: false}"));
    env.run(["compose", "-p", "t", "up"]).code(1).stderr_has("made");
    for bind in ["", ", bind: {}", ", bind: {propagation: rprivate}"] {
        env.write("compose.yaml", file(bind));
        env.run(["compose", "-p", "t", "up"]).success();
        std::fs::remove_dir(env.work().join("made")).expect("the folder was made");
    }
    down(env);
}

#[test]
fn ranges_of_exposed_ports_are_each_of_them() {
    let env = TestEnv::new();
    env.write("Dockerfile", "FROM alpine\nEXPOSE 7000-7002/udp\n");
    env.write(
        "compose.yaml",
        "services:
  a: {build: ., network_mode: none, command: 'true', expose: ['8000-8002', 9000]}
",
    );
    env.run(["compose", "-p", "t", "create"]).success();
    let ports = env.run(["inspect", "-f", "{{json .Config.ExposedPorts}}", "t-a-1"]).success();
    let ports = ports.json();
    let mut keys: Vec<&String> = ports.as_object().expect("ports").keys().collect();
    keys.sort();
    assert_eq!(
        keys,
        ["7000/udp", "7001/udp", "7002/udp", "8000/tcp", "8001/tcp", "8002/tcp", "9000/tcp"]
    );
    down(env);
}
