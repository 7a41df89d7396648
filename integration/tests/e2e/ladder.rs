//! The ladder: what works where something is missing, and how it is told.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use coracle_integration::{Output, TestEnv, fixture, settings::settings, skip};
use serde_json::Value;

/// The rungs by name, as JSON has them.
fn rungs(output: &Output) -> BTreeMap<String, Value> {
    let ladder = output.json()["Ladder"].as_array().cloned().unwrap_or_default();
    ladder
        .into_iter()
        .map(|rung| (rung["Name"].as_str().expect("a name").to_owned(), rung))
        .collect()
}

fn ladder(env: &TestEnv) -> BTreeMap<String, Value> {
    rungs(&env.sh("docker info --format json").success())
}

/// The type of the file system that a container has as its root.
const ROOT_TYPE: &str = "awk '$5 == \"/\" {print $(NF-2)}' /proc/self/mountinfo";

#[test]
fn info_shows_every_rung_with_a_remedy_to_people_and_programs() {
    let env = TestEnv::new();
    let text = env.sh("docker info").success().stdout();
    let shown = text.split_once("What this host offers:\n").expect("the ladder is shown").1;
    let rungs = ladder(&env);
    for name in ["kernel", "user-namespaces", "subordinate-ids", "overlay", "cgroup", "seccomp"] {
        assert!(rungs.contains_key(name), "no rung {name} in {rungs:?}");
    }
    for (name, rung) in &rungs {
        let state = rung["State"].as_str().expect("a state");
        let word = match state {
            "have" => "ok",
            "fallback" => "partly",
            "refused" => "no",
            other => panic!("{name}: {other}"),
        };
        let detail = rung["Detail"].as_str().expect("a detail");
        let line = shown
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some(name))
            .unwrap_or_else(|| panic!("no line for {name} in\n{text}"));
        assert!(line.trim_start().starts_with(word) && line.contains(detail), "{line}\n{rung}");
        assert_eq!(rung["Remedy"].is_string(), state != "have", "{rung}");
        assert_eq!(rung["Lost"].is_string(), state == "fallback", "{rung}");
    }
}

#[test]
fn a_required_feature_may_not_be_replaced() {
    let env = TestEnv::new();
    env.sh("docker --require kernel --require=seccomp run --rm --network none alpine echo ran")
        .success()
        .stdout_is("ran\n");
    env.sh("docker --require magic ps")
        .code(1)
        .stderr_has("unknown feature \"magic\": one of kernel, ");
    // An ordinary user has no /dev/fuse, or no cgroups, or no TUN device: one of them, somewhere.
    let rungs = ladder(&env);
    let Some((name, rung)) = rungs.iter().find(|(_, rung)| rung["State"] == "fallback") else {
        skip!("this machine lacks nothing");
    };
    for (command, code) in
        [("run --rm --network none alpine echo ran", 125), ("ps", 1), ("info", 1)]
    {
        let output = env.sh(&format!("docker --require {name} {command}")).code(code).stdout_is("");
        let lacks =
            format!("this host lacks {name}: {}", rung["Lost"].as_str().unwrap_or_default());
        let hint = format!("hint: {}", rung["Remedy"].as_str().unwrap_or_default());
        output.stderr_has(&lacks).stderr_has(&hint);
    }
    env.sh(&format!("docker info --require {name}")).code(1).stderr_has("this host lacks");
    assert!(env.containers().is_empty());
}

#[test]
fn copied_roots_do_what_overlays_do() {
    let env = TestEnv::new();
    let script = "echo new > /made; rm /etc/group; echo changed >> /etc/passwd; exec sleep 1000";
    env.sh(&format!(
        "docker --storage copy run -d --network none --name c1 alpine sh -c '{script}'"
    ))
    .success()
    .stderr_is("");
    env.sh("eventually 'docker exec c1 grep changed /etc/passwd'").success();
    let root = env.sh(&format!("docker exec c1 {ROOT_TYPE}")).success().line();
    assert_ne!(root, "overlay");
    env.sh("docker diff c1 | sort")
        .success()
        .stdout_is("A /made\nC /etc\nC /etc/passwd\nD /etc/group\n");
    // It keeps its copy, whatever the next command says.
    env.sh("docker stop -t 0 c1 && docker --storage overlay start c1").success();
    env.sh("docker exec c1 sh -c 'cat /made; test ! -e /etc/group'").success().stdout_is("new\n");
    env.sh("docker cp c1:/made - | tar -x -O").success().stdout_is("new\n");
    env.sh("docker commit c1 changed").success();
    for storage in ["copy", "overlay", "auto"] {
        env.sh(&format!(
            "docker --storage {storage} run --rm --network none changed sh -c 'cat /made; test ! -e /etc/group; tail -1 /etc/passwd'"
        ))
        .success()
        .stdout_is("new\nchanged\n");
    }
    env.sh("docker --storage copy run --rm --network none alpine sh -c 'test ! -e /made; test -e /etc/group'")
        .success();
    env.sh("docker rm -f c1").success();
    env.assert_nothing_left();
}

#[test]
fn the_storage_is_chosen_by_flag_environment_and_settings() {
    let env = TestEnv::new();
    let chosen = |before: &str, flag: &str| {
        let run = format!("{before} docker {flag} run --rm --network none alpine {ROOT_TYPE}");
        let root = env.sh(&run).success().line();
        let driver = env.sh(&format!("{before} docker {flag} info --format '{{{{.Driver}}}}'"));
        (root == "overlay", driver.success().line())
    };
    env.write("copy.json", r#"{"storage-driver": "copy"}"#);
    assert_eq!(chosen("CORACLE_CONFIG=copy.json", ""), (false, "vfs".to_owned()));
    assert_eq!(chosen("CORACLE_STORAGE=copy", ""), (false, "vfs".to_owned()));
    assert_eq!(chosen("", "--storage copy"), (false, "vfs".to_owned()));
    let overlay = ladder(&env)["overlay"]["State"] == "have";
    assert_eq!(chosen("", "").0, overlay);
    if overlay {
        let expected = (true, "overlayfs".to_owned());
        assert_eq!(
            chosen("CORACLE_CONFIG=copy.json CORACLE_STORAGE=copy", "--storage overlay"),
            expected
        );
        assert_eq!(chosen("CORACLE_CONFIG=copy.json CORACLE_STORAGE=auto", ""), expected);
    }
    env.sh("docker --storage tape ps")
        .code(125)
        .stderr_has("unknown storage \"tape\": auto, overlay or copy");
    env.assert_nothing_left();
}

/// A runtime folder is found without the environment, so nothing of it can lead elsewhere.
#[test]
fn the_folder_of_a_session_is_left_alone() {
    let env = TestEnv::new();
    let open = env.work().join("open");
    fs::create_dir(&open).expect("a folder of ours");
    fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).expect("chmod of our folder");
    for folder in [Some(Path::new("/usr")), Some(&open), Some(Path::new("/nosuch")), None] {
        let run = |line: &str| {
            let cmd = env.program(Path::new("/bin/bash")).args(["-c", line]);
            match folder {
                Some(folder) => cmd.env("XDG_RUNTIME_DIR", folder).run(),
                None => cmd.env_remove("XDG_RUNTIME_DIR").run(),
            }
        };
        let rungs = rungs(&run("docker info --format json").success());
        let rung = &rungs["runtime-folder"];
        assert_eq!(rung["State"], "have", "{folder:?}: {rung}");
        let data = env.data().display().to_string();
        assert!(rung["Detail"].as_str().is_some_and(|d| d.starts_with(&data)), "{rung}");
        run("docker run -d --network none --name c1 alpine sleep 1000 > /dev/null && docker exec c1 echo ran \
             && docker ps --format '{{.Names}}' && docker rm -f c1 && docker ps -aq")
            .success()
            .stdout_is("ran\nc1\nc1\n");
    }
    for folder in [open, env.root().join("run")] {
        let left = fs::read_dir(&folder).expect("our folder").count();
        assert_eq!(left, 0, "{} was used", folder.display());
    }
    env.assert_nothing_left();
}

/// Where the controllers are in v1 trees, nobody can delegate them to a user.
#[test]
fn a_hybrid_host_runs_and_says_why_it_cannot_limit() {
    let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    if !cgroups.lines().any(|line| line.contains(":memory:") || line.contains(",memory:")) {
        skip!("memory is not a v1 controller here");
    }
    let env = TestEnv::new();
    env.sh("docker run --rm --network none alpine echo ran")
        .success()
        .stdout_is("ran\n")
        .stderr_is("");
    env.sh("docker run --rm --network none -m 64m alpine echo ran")
        .code(125)
        .stderr_has("cannot limit memory: no cgroup is delegated to us")
        .stderr_has("hint: the host mounts it as cgroup v1, which cannot be delegated to users: boot with `systemd.unified_cgroup_hierarchy=1`");
    env.sh("docker run -d --network none --name c1 alpine sleep 1000").success();
    env.sh("docker update -m 64m c1").code(1).stderr_has("systemd.unified_cgroup_hierarchy=1");
    env.sh("docker stats --no-stream --format '{{.Name}} {{.PIDs}}' c1")
        .success()
        .stdout_is("c1 1\n");
    env.sh("docker rm -f c1").success();
    env.assert_nothing_left();
}

/// What a container needs so that containers run in it.
pub(crate) const NESTED: [&str; 2] =
    ["--privileged", "--security-opt seccomp=unconfined --security-opt systempaths=unconfined"];

/// Runs a script in a container that has our binary and the fixture images.
pub(crate) fn nested(env: &TestEnv, flags: &str, script: &str) -> Output {
    let binary = settings().binary.display();
    let archive = fixture::archive().display();
    env.write("script", script);
    env.sh(&format!(
        "docker run --rm --network none {flags} -v {binary}:/bin/coracle:ro -v {archive}:/images.tar:ro \
         -v $ROOT/work/script:/script:ro alpine sh -e /script"
    ))
}

#[test]
fn containers_run_in_a_container() {
    let env = TestEnv::new();
    let script = "coracle load -q -i /images.tar > /dev/null
        coracle run --rm --network none alpine sh -c 'echo inner; grep Seccomp: /proc/self/status'
        coracle run -d --network none --name c1 -v data:/data alpine sleep 1000 > /dev/null
        coracle exec c1 sh -c 'echo kept > /data/file'
        coracle pause c1; coracle unpause c1
        coracle stop -t 0 c1; coracle start c1
        coracle exec -u nobody c1 cat /data/file
        coracle rm -f c1; coracle volume rm data; coracle ps -aq
        ls /var/lib/coracle/run/*/c";
    let expected = "inner\nSeccomp:\t2\nc1\nc1\nc1\nc1\nkept\nc1\ndata\n";
    for flags in NESTED {
        nested(&env, flags, script).success().stdout_is(expected);
    }
    // On a volume there is no overlay below, and nothing needs to be copied.
    let flags = format!("{} -v inner:/var/lib/coracle", NESTED[1]);
    nested(&env, &flags, script).success().stdout_is(expected).stderr_is("");
    env.sh("docker volume rm inner").success();
    env.assert_nothing_left();
}

/// As where a cluster forbids programs to gain rights: newuidmap is there, and cannot work.
#[test]
fn without_rights_to_gain_there_is_one_id() {
    let env = TestEnv::new();
    env.sh("setpriv --no-new-privs docker run --rm --network none alpine sh -c 'id -u; cat /proc/self/uid_map | wc -l'")
        .success()
        .stdout_is("0\n1\n")
        .stderr_is("");
    env.sh("setpriv --no-new-privs docker info 2>&1 | grep -A1 subordinate-ids")
        .success()
        .stdout_has("newuidmap cannot gain rights here: no_new_privs is set")
        .stdout_has("allowPrivilegeEscalation");
    env.assert_nothing_left();
}

/// Mode bits in a container are Docker's, whatever the user's umask is.
#[test]
fn the_umask_of_the_user_is_not_the_containers() {
    let env = TestEnv::new();
    env.sh("umask 077; docker run --rm --network none -u nobody -w /new/dir -v $PWD/made:/made -v vol:/vol alpine \
            sh -c 'umask; stat -c %a /new/dir /new /made /vol /etc/hosts'; docker volume rm vol > /dev/null")
        .success()
        .stdout_is("0022\n755\n755\n755\n755\n644\n");
    env.sh("umask 077; docker run -d --network none --name c1 alpine sleep 1000 > /dev/null; docker exec c1 sh -c umask; docker rm -f c1")
        .success()
        .stdout_is("0022\nc1\n");
    env.assert_nothing_left();
}

#[test]
fn containers_run_from_a_folder_that_is_gone() {
    let env = TestEnv::new();
    env.sh("mkdir gone; cd gone; rmdir ../gone; docker run --rm --network none alpine echo ran")
        .success()
        .stdout_is("ran\n");
    env.assert_nothing_left();
}

/// As in a chroot, or in a container that was given no cgroups.
#[test]
fn containers_run_where_no_cgroups_are_mounted() {
    let env = TestEnv::new();
    let script = "mount -t tmpfs none $1
        coracle load -q -i /images.tar > /dev/null
        coracle run --rm --network none alpine echo ran
        coracle run -d --network none --name c1 alpine sleep 1000 > /dev/null
        coracle exec c1 sh -c 'ls /sys/fs/cgroup | grep -x cgroup.procs'
        coracle rm -f c1
        coracle run --rm --network none -m 64m alpine true 2>&1 | grep -o 'cannot limit memory'";
    for place in ["/sys", "/sys/fs/cgroup"] {
        let script = script.replace("$1", place);
        nested(&env, NESTED[0], &script)
            .success()
            .stdout_is("ran\ncgroup.procs\nc1\ncannot limit memory\n");
    }
    env.assert_nothing_left();
}

#[test]
fn an_ordinary_user_in_a_container_runs_containers() {
    let env = TestEnv::new();
    let flags = format!("{} -u 1000 -e HOME=/tmp", NESTED[1]);
    let script = "coracle load -q -i /images.tar > /dev/null
        coracle run --rm --network none alpine id -u
        coracle ps -aq";
    nested(&env, &flags, script).success().stdout_is("0\n");
    // The files of the image may name ids that the container does not have.
    env.write("subids", "1000:200000:65536\n");
    let flags =
        format!("{flags} -v $ROOT/work/subids:/etc/subuid:ro -v $ROOT/work/subids:/etc/subgid:ro");
    let script = format!("{script}\ncoracle info | grep -o 'not among those of this container'");
    nested(&env, &flags, &script).success().stdout_is("0\nnot among those of this container\n");
    env.assert_nothing_left();
}

#[test]
fn an_ordinary_container_says_what_it_lacks_to_run_others() {
    let env = TestEnv::new();
    let script =
        "coracle load -q -i /images.tar > /dev/null || coracle run --rm --network none alpine true";
    nested(&env, "", script)
        .code(125)
        .stderr_has("cannot create a user namespace")
        .stderr_has("`--security-opt seccomp=unconfined --security-opt systempaths=unconfined`");
    let script =
        "coracle load -q -i /images.tar > /dev/null; coracle run --rm --network none alpine true";
    nested(&env, "--security-opt seccomp=unconfined", script)
        .code(125)
        .stderr_has("systempaths=unconfined");
    env.assert_nothing_left();
}

#[test]
fn a_data_root_that_others_may_write_is_refused_by_every_command_alike() {
    let env = TestEnv::new();
    env.sh("docker images").success();
    fs::set_permissions(env.data(), fs::Permissions::from_mode(0o1777)).expect("it is ours");
    let root = env.data().display().to_string();
    let expected = format!(
        "Error response from daemon: {root} may be written by others (mode 1777)\n\
         hint: run `chmod go-rwx {root}`\n"
    );
    for command in ["images", "load -i none.tar", "rmi alpine", "ps", "system df", "image prune -f"]
    {
        let refused = env.sh(&format!("docker {command}")).code(1);
        assert_eq!(refused.stderr(), expected, "{command}");
    }
    fs::set_permissions(env.data(), fs::Permissions::from_mode(0o700)).expect("it is ours");
    env.sh("docker images").success();
}
