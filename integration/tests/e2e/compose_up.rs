//! Compose beyond what was recorded: signals, services that find each other, data that stays, hooks.

use coracle_integration::{TestEnv, wait};
use rustix::process::Signal;

fn down(env: TestEnv) {
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0", "--remove-orphans"]).success();
    env.assert_nothing_left();
}

#[test]
fn one_ctrl_c_stops_two_kill_and_the_third_is_the_last() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  deaf: {image: alpine, command: [sh, -c, 'trap : TERM; echo ready; while :; do sleep .1; done']}
  soft: {image: alpine, init: true, command: sleep 1000}
",
    );
    let up = env.coracle().args(["compose", "-p", "t", "up", "soft"]).start();
    env.wait_status("t-soft-1", "running");
    up.signal(Signal::INT);
    let ended = up.finish().code(130);
    ended.stdout_has("Gracefully Stopping... press Ctrl+C again to force");
    env.run(["compose", "-p", "t", "ps", "-q"]).success().stdout_is("");
    let up = env.coracle().args(["compose", "-p", "t", "up", "-t", "1000"]).start();
    wait::until("the deaf one is ready", || {
        env.run(["logs", "t-deaf-1"]).stdout().contains("ready")
    });
    env.wait_status("t-soft-1", "running");
    up.signal(Signal::INT);
    // The soft one has gone: the first signal was heard.
    env.wait_status("t-soft-1", "exited");
    up.signal(Signal::INT);
    up.finish().code(130);
    env.run(["compose", "-p", "t", "ps", "-q"]).success().stdout_is("");
    let up = env.coracle().args(["compose", "-p", "t", "up", "-t", "1000"]).start();
    env.wait_status("t-deaf-1", "running");
    env.wait_status("t-soft-1", "running");
    up.signal(Signal::INT);
    env.wait_status("t-soft-1", "exited");
    // The second and the third at once: nobody waits for what the second asks for.
    for signal in [Signal::STOP, Signal::INT, Signal::TERM, Signal::CONT] {
        up.signal(signal);
    }
    let ended = up.finish().code(1).stderr();
    assert!(ended.ends_with("\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n"), "{ended}");
    env.wait_status("t-deaf-1", "exited");
    down(env);
}

#[test]
fn services_find_each_other_by_their_names() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  web: {image: coracle.local/whoami, command: --port 80, networks: {front: {aliases: [shop]}}}
  db: {image: alpine, init: true, command: sleep 1000, networks: [back]}
  app:
    image: alpine
    init: true
    command: sleep 1000
    networks: {front: {}, back: {ipv4_address: 10.91.7.9}}
  side: {image: alpine, init: true, command: sleep 1000, network_mode: 'service:app'}
networks:
  front: {}
  back: {internal: true, ipam: {config: [{subnet: 10.91.7.0/24}]}}
",
    );
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    for name in ["web", "shop", "t-web-1"] {
        let url = format!("http://{name}/health");
        // It runs before it listens.
        env.wait_answer("t-app-1", &["wget", "-qO-", &url], "ok\n");
    }
    env.run(["exec", "t-db-1", "nslookup", "web"]).code(1);
    env.run(["exec", "t-side-1", "ip", "-4", "-o", "addr"]).success().stdout_has("10.91.7.9/24");
    // A new container of the service whose network is shared takes the other one along.
    let up = env.run(["compose", "-p", "t", "up", "-d", "--force-recreate", "app"]).success();
    up.stderr_has("Container t-app-1 Recreated");
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.run(["exec", "t-side-1", "ip", "-4", "-o", "addr"]).success().stdout_has("10.91.7.9/24");
    down(env);
}

#[test]
fn anonymous_volumes_outlive_their_container_and_end_with_down_v() {
    let env = TestEnv::new();
    let file = |tag: &str| {
        format!(
            "services: {{a: {{image: alpine, init: true, command: sleep 1000, volumes: [/data], \
             environment: {{TAG: {tag}}}}}}}\n"
        )
    };
    env.write("compose.yaml", file("one"));
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.run(["exec", "t-a-1", "sh", "-c", "echo kept > /data/file"]).success();
    env.write("compose.yaml", file("two"));
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.run(["exec", "t-a-1", "cat", "/data/file"]).success().stdout_is("kept\n");
    env.run(["compose", "-p", "t", "up", "-d", "-V"]).success();
    env.run(["exec", "t-a-1", "cat", "/data/file"]).code(1);
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0"]).success();
    env.run(["volume", "ls", "-q"]).success().stdout_is("");
    down(env);
}

#[test]
fn a_service_mounts_a_part_of_an_image_and_follows_it() {
    let env = TestEnv::new();
    let make = |text: &str| {
        env.sh(&format!(
            "docker run --network none --name made alpine sh -c 'mkdir /d; echo {text} > /d/file' && \
             docker commit made files:1 && docker rm made"
        ))
        .success();
    };
    make("one");
    env.write(
        "compose.yaml",
        "services:
  app:
    image: alpine
    init: true
    command: sleep 1000
    volumes:
      - {type: image, source: 'files:1', target: /x, image: {subpath: d}}
      - {type: image, source: other, target: /y}
  other: {image: 'files:1', init: true, command: sleep 1000}
",
    );
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    let look = ["exec", "t-app-1", "sh", "-c", "cat /x/file /y/d/file; touch /x/new"];
    env.run(look).code(1).stdout_is("one\none\n").stderr_has("Read-only file system");
    let again = env.run(["compose", "-p", "t", "up", "-d"]).success();
    assert!(!again.stderr().contains("Recreate"), "{}", again.stderr());
    // Another image of that name is taken by a new container.
    make("two");
    env.run(["compose", "-p", "t", "up", "-d"]).success().stderr_has("Container t-app-1 Recreated");
    env.run(look).code(1).stdout_is("two\ntwo\n");
    // One that is neither here nor to be had.
    env.write(
        "compose.yaml",
        "services:
  app:
    image: alpine
    pull_policy: never
    volumes: [{type: image, source: absent, target: /x}]
",
    );
    env.run(["compose", "-p", "t", "up", "-d", "--remove-orphans"])
        .code(1)
        .stderr_has("No such image: absent:latest");
    env.run(["compose", "-p", "t", "down", "-t", "0", "--remove-orphans"]).success();
    env.run(["rmi", "files:1"]).success();
    env.sh("docker image prune -f").success();
    env.assert_nothing_left();
}

#[test]
fn hooks_run_after_the_start_and_before_the_stop() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  a:
    image: alpine
    init: true
    command: sleep 1000
    volumes: ['./out:/out']
    post_start: [{command: [sh, -c, 'echo $$WORD > /out/started'], environment: {WORD: hello}}]
    pre_stop: [{command: [sh, -c, 'cp /out/started /out/stopping']}]
  bad:
    image: alpine
    init: true
    command: sleep 1000
    post_start: [{command: [sh, -c, 'echo oops; exit 3']}]
    profiles: [bad]
",
    );
    let read = |name: &str| std::fs::read_to_string(env.work().join("out").join(name));
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    assert_eq!(read("started").expect("the hook ran"), "hello\n");
    assert!(read("stopping").is_err());
    env.run(["compose", "-p", "t", "stop", "-t", "0"]).success();
    assert_eq!(read("stopping").expect("the hook ran"), "hello\n");
    env.run(["compose", "-p", "t", "up", "-d", "bad"])
        .code(1)
        .stderr_has("bad hook exited with status 3: oops");
    env.run(["compose", "-p", "t", "--profile", "bad", "down", "-t", "0"]).success();
    down(env);
}

#[test]
fn a_service_that_is_restarted_stays_in_view() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services: {a: {image: alpine, restart: 'on-failure:2', command: \"sh -c 'echo try; exit 3'\"}}\n",
    );
    let up = env.run(["compose", "-p", "t", "up"]).success();
    assert_eq!(up.stdout().matches("a-1  | try").count(), 3, "{up}");
    up.stdout_has("a-1 exited with code 3\n");
    down(env);
}

#[test]
fn a_restart_by_another_command_is_told_and_does_not_end_it() {
    let env = TestEnv::new();
    env.write("compose.yaml", "services: {a: {image: alpine, init: true, command: sleep 1000}}\n");
    let line = "exec coracle compose -p t up > out 2> /dev/null";
    let up = env.program(std::path::Path::new("/bin/sh")).args(["-c", line]).start();
    let told = || {
        let text = std::fs::read_to_string(env.work().join("out")).unwrap_or_default();
        text.matches(" (restarting)\n").count()
    };
    env.wait_status("t-a-1", "running");
    for (nth, line) in ["restart -t 0 t-a-1", "compose -p t restart -t 0"].iter().enumerate() {
        env.sh(&format!("docker {line}")).success();
        wait::until("the restart is told", || told() == nth + 1);
    }
    env.run(["compose", "-p", "t", "stop", "-t", "0"]).success();
    up.finish().success();
    assert_eq!(told(), 2);
    down(env);
}

#[test]
fn a_second_project_does_not_touch_the_first() {
    let env = TestEnv::new();
    env.write("compose.yaml", "services: {a: {image: alpine, init: true, command: sleep 1000}}\n");
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.run(["compose", "-p", "u", "up", "-d"]).success();
    env.run(["compose", "-p", "u", "down", "-t", "0"]).success();
    env.run(["compose", "-p", "t", "ps", "--format", "{{.Name}}"]).success().stdout_is("t-a-1\n");
    // Without its file a project is found by its labels.
    std::fs::remove_file(env.work().join("compose.yaml")).expect("our file");
    env.run(["compose", "-p", "t", "stop", "-t", "0"]).success();
    env.run(["compose", "-p", "t", "down"]).success().stderr_has("Network t_default Removed");
    env.assert_nothing_left();
}

#[test]
fn another_value_of_a_secret_is_told_and_taken_by_a_new_container() {
    let env = TestEnv::new();
    env.write(
        "compose.yaml",
        "services:
  a:
    image: alpine
    init: true
    command: sleep 1000
    secrets: [token]
    configs: [text]
secrets: {token: {environment: TOKEN}}
configs: {text: {content: 'is ${WORD}'}}
",
    );
    let up = |token: &str, words: &[&str]| {
        env.write(".env", format!("TOKEN={token}\nWORD={token}\n"));
        env.run([&["compose", "-p", "t", "up", "-d"], words].concat()).success().stderr()
    };
    let values = || {
        let read = ["compose", "-p", "t", "exec", "-T", "a", "cat", "/run/secrets/token", "/text"];
        env.run(read).success().stdout()
    };
    up("one", &[]);
    assert_eq!(values(), "oneis one");
    assert!(!up("one", &[]).contains("another value"));
    // As with Docker Compose the container stays, but here the reason to make it anew is told.
    let said = up("two", &[]);
    for what in ["services.a.secrets: token has another value", "services.a.configs: text has"] {
        assert!(said.contains(what), "{said}");
    }
    assert!(said.contains("Container t-a-1 Running"), "{said}");
    assert_eq!(values(), "oneis one");
    assert!(!up("two", &["--force-recreate"]).contains("another value"));
    assert_eq!(values(), "twois two");
    down(env);
}
