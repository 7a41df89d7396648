//! Secrets and configs in tasks: files that are in memory alone and leave no trace; and what a service is refused.

use std::fs;
use std::path::{Path, PathBuf};

use coracle_integration::{TestEnv, leak, monitor, port::free_port};

/// What no disk, argument list or log may show.
const CLEAR: &str = "clear-text-of-a-secret-4711";

/// A swarm with two secrets, and three configs one of which is a template.
fn swarm() -> TestEnv {
    let env = TestEnv::new();
    env.write("clear", CLEAR);
    env.write(
        "template",
        r#"svc={{.Service.Name}} slot={{.Task.Slot}} env={{env "A"}} sec={{secret "s1"}}"#,
    );
    env.sh("docker swarm init > /dev/null && docker secret create s1 clear && \
         printf abc | docker secret create s2 - && echo c1data | docker config create c1 - && \
         printf conf | docker config create c2 - && \
         docker config create --template-driver golang ct template")
        .success();
    env
}

/// The container of a service's only task, once it runs.
fn container_of(env: &TestEnv, service: &str) -> String {
    env.sh(&format!("eventually '[ \"$(docker ps -q -f name={service}.1.)\" ]'")).success();
    env.sh(&format!("docker ps -q --no-trunc -f name={service}.1.")).success().line()
}

fn leave(env: TestEnv) {
    env.sh("docker swarm leave --force").success();
    env.assert_nothing_left();
}

#[test]
fn secrets_and_configs_are_read_only_files_of_whom_they_are_given_to() {
    let env = swarm();
    let script = r#"stat -c "%a %u %g %s %n" /run/secrets/* /c1 /etc/c2.txt /etc/abs /dir/sub/y
        cat /run/secrets/other /etc/abs /tpl; echo
        awk "\$5 ~ /secret|c1|c2|abs|tpl|sub/ { print \$5, substr(\$6, 1, 2), \$(NF-2) }" /proc/self/mountinfo | sort
        sleep 1000"#;
    env.write("script", script);
    env.sh("docker service create -d --name sc -e A=av --secret s1 \
         --secret source=s2,target=other,uid=5,gid=6,mode=0400 --secret source=s2,target=/etc/abs \
         --config c1 --config source=c2,target=/etc/c2.txt,uid=7,mode=0440 \
         --config source=c2,target=/dir/sub/y --config source=ct,target=/tpl \
         alpine sh -c \"$(cat script)\"")
        .success();
    let id = container_of(&env, "sc");
    env.sh(&format!("eventually 'docker logs {id} | grep tpl'")).success();
    let size = CLEAR.len();
    env.sh(&format!("docker logs {id}")).success().stdout_is(&format!(
        "400 5 6 3 /run/secrets/other\n\
         444 0 0 {size} /run/secrets/s1\n\
         444 0 0 7 /c1\n\
         440 7 0 4 /etc/c2.txt\n\
         444 0 0 3 /etc/abs\n\
         444 0 0 4 /dir/sub/y\n\
         abcabcsvc=sc slot=1 env=av sec={CLEAR}\n\
         /c1 ro tmpfs\n\
         /dir/sub/y ro tmpfs\n\
         /etc/abs ro tmpfs\n\
         /etc/c2.txt ro tmpfs\n\
         /run/secrets/other ro tmpfs\n\
         /run/secrets/s1 ro tmpfs\n\
         /tpl ro tmpfs\n"
    ));
    let attempts = "echo x > /run/secrets/s1; touch /run/secrets/new; rm /c1";
    env.sh(&format!("docker exec {id} sh -c '{attempts}'"))
        .code(1)
        .stderr_has("can't create /run/secrets/s1: Read-only file system\nrm: can't remove '/c1': ")
        .stderr_has("busy");
    env.sh(&format!("docker inspect {id} --format '{{{{json .Mounts}}}}'"))
        .success()
        .stdout_is("[]\n");
    leave(env);
}

/// Files below `folder` that have the clear text in them.
fn with_clear_text(env: &TestEnv, folder: &Path) -> Vec<String> {
    let grep = format!("grep -rlsa -f clear {}", folder.display());
    env.sh(&grep).lines()
}

/// Where the delivered files of containers are, as a process in the user's namespaces sees it.
fn delivered(env: &TestEnv, container: &str) -> Vec<PathBuf> {
    let pid = monitor::of(env, container).as_raw_nonzero();
    let run = env.data().join("run");
    let boots = fs::read_dir(run).expect("the data root").flatten();
    boots
        .filter_map(|boot| {
            let inside = boot.path().join("inside/secrets");
            fs::read_dir(format!("/proc/{pid}/root{}", inside.display())).ok()
        })
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

#[test]
fn nothing_shows_a_secret() {
    let env = swarm();
    env.sh("docker service create -d --name sc --secret s1 --config source=ct,target=/tpl alpine sleep 1000")
        .success();
    let id = container_of(&env, "sc");
    env.sh(&format!("docker exec {id} cat /run/secrets/s1")).success().stdout_is(CLEAR);

    assert_eq!(with_clear_text(&env, &env.data()), [""; 0], "on the disk");
    for (pid, command) in leak::processes_of(env.root()) {
        for file in ["cmdline", "environ", "comm"] {
            let path = PathBuf::from(format!("/proc/{pid}/{file}"));
            let content = fs::read(&path).unwrap_or_default();
            let shown = content.windows(CLEAR.len()).any(|part| part == CLEAR.as_bytes());
            assert!(!shown, "{} of {command}", path.display());
        }
    }
    let agents = leak::processes_named(env.root(), "coracle-swarm");
    assert_eq!(agents.len(), 1);
    for agent in agents {
        let filter = format!("/proc/{}/coredump_filter", agent.as_raw_nonzero());
        assert_eq!(fs::read_to_string(filter).unwrap().trim(), "00000000", "the agent's core dump");
    }
    for look in [
        format!("docker inspect {id}"),
        "docker service inspect sc".to_owned(),
        "docker secret inspect s1".to_owned(),
        "docker config inspect ct".to_owned(),
        format!("docker diff {id}"),
        "docker events --since 10m --until 0s".to_owned(),
    ] {
        let said = env.sh(&look).success().stdout();
        assert!(!said.contains(CLEAR), "{look}");
    }
    env.sh(&format!("docker diff {id}")).success().stdout_is("");

    env.sh(&format!("docker commit {id} made && docker save made -o made.tar")).success();
    let listed =
        env.sh("mkdir x && tar -xf made.tar -C x && cat x/blobs/sha256/* | tar -tz --ignore-zeros");
    assert!(!listed.stdout().contains("secrets"), "{listed}");
    assert_eq!(with_clear_text(&env, &env.work().join("x")), [""; 0], "in an image");
    env.sh("docker run --rm --network none made ls /run/secrets /tpl").code(1).stdout_is("");

    // Content is gone with its container, while another one keeps the namespaces.
    env.sh("docker run -d --network none --name other alpine sleep 1000").success();
    assert_eq!(delivered(&env, "other").len(), 1);
    env.sh("docker service rm sc > /dev/null && eventually '[ \"$(docker ps -aq)\" = \"$(docker ps -q -f name=other)\" ]'")
        .success();
    assert_eq!(delivered(&env, "other"), [""; 0].map(PathBuf::from));
    env.sh("docker rm -f other && docker rmi made").success();
    leave(env);
}

#[test]
fn a_service_that_could_never_run_is_refused_when_it_is_made() {
    let env = swarm();
    for (flags, said) in [
        (
            "--hostname '{{.Bogus}}'",
            "expanding hostname failed: template: expansion:1:2: executing \"expansion\" at <.Bogus>: \
             can't evaluate field Bogus in type *template.Context",
        ),
        (
            "-e 'A={{.Bogus}}'",
            "expanding env failed: expanding env \"A={{.Bogus}}\": template: expansion:1:2: executing \
             \"expansion\" at <.Bogus>: can't evaluate field Bogus in type *template.Context",
        ),
        (
            "--mount type=bind,src=/nosuchdir,dst=/x",
            "invalid mount config for type \"bind\": bind source path does not exist: /nosuchdir",
        ),
        ("--secret source=s1,uid=nobody", "uid \"nobody\" is no number"),
    ] {
        env.sh(&format!("docker service create -d --name no {flags} alpine sleep 9"))
            .code(1)
            .stderr_has(said);
    }
    env.sh("docker service ls -q").success().stdout_is("");
    leave(env);
}

#[test]
fn a_rehearsal_node_gives_its_tasks_volumes_a_name_and_an_address_of_its_own() {
    let env = TestEnv::new();
    let port = free_port();
    env.sh("docker swarm init --nodes 3").success();
    env.write(
        "script",
        "hostname > /data/log; cat /name >> /data/log; exec httpd -f -p 80 -h /data",
    );
    env.sh(&format!(
        "docker service create -d --name web --mode global --hostname '{{{{.Node.Hostname}}}}-task' \
         --mount type=volume,src=data,dst=/data --mount type=bind,src=/etc/hostname,dst=/name \
         --publish mode=host,target=80,published={port} alpine sh -c \"$(cat script)\""
    ))
    .success();
    for (address, name) in [("127.77.0.2", "node2"), ("127.77.0.3", "node3")] {
        env.sh(&format!("eventually 'curl -sf http://{address}:{port}/log'")).success();
        env.sh(&format!("curl -s http://{address}:{port}/log"))
            .success()
            .stdout_is(&format!("{name}-task\n{name}\n"));
    }
    env.sh(&format!("eventually 'curl -sf http://127.0.0.1:{port}/log'")).success();
    env.sh("docker swarm leave --force").success();
    // They are kept, as those of machines are.
    env.sh("docker volume rm data node-2.data node-3.data").success();
    env.assert_nothing_left();
}

#[test]
fn an_agent_that_is_killed_delivers_again() {
    let env = swarm();
    env.sh("docker service create -d --name sc --replicas 3 --secret s1 alpine sh -c 'cat /run/secrets/s1; echo; sleep 1000'")
        .success();
    // Wherever it is: between making a container and starting it too.
    for _ in 0..5 {
        for agent in leak::processes_named(env.root(), "coracle-swarm") {
            rustix::process::kill_process(agent, rustix::process::Signal::KILL).ok();
        }
        env.sh("docker service ls").success();
    }
    env.sh("eventually '[ $(docker ps -q -f name=sc. | wc -l) = 3 ]'").success();
    let ids = env.sh("docker ps -q -f name=sc.").success().lines();
    for id in ids {
        env.sh(&format!("eventually '[ \"$(docker logs {id})\" = {CLEAR} ]'")).success();
    }
    leave(env);
}
