//! Commands at once on one container: at the end all that knows of it agrees, and nothing is lost.
//!
//! # How it works
//!
//! Windows are proven by holding a command in one: strace lets a process sleep when it is about to make a
//! certain call, while other commands run. So the product needs no hook for it. The traced program gets no rights
//! from setuid bits, so an idle container keeps the namespaces alive, as in `crash_points`.

use std::path::Path;

use coracle_integration::agreement::assert_agreement;
use coracle_integration::command::Running;
use coracle_integration::race::{Arena, pairs};
use coracle_integration::{Output, TestEnv, monitor, skip, wait};

/// A world with a container that keeps the namespaces alive.
fn world() -> TestEnv {
    let env = TestEnv::new();
    idle(&env, "keeper", &["--network", "none"]);
    env
}

fn idle(env: &TestEnv, name: &str, more: &[&str]) {
    let begin = ["run", "-d", "--init", "--name", name];
    env.run([&begin, more, &["alpine", "sleep", "100000"]].concat()).success();
}

fn made(env: &TestEnv, name: &str, more: &[&str]) {
    let begin = ["create", "--init", "--name", name];
    env.run([&begin, more, &["alpine", "sleep", "100000"]].concat()).success();
}

fn end(env: TestEnv) {
    env.sh("docker ps -aq | xargs -r docker rm -f").success();
    env.sh("docker network prune -f").success();
    env.assert_nothing_left();
}

/// Nothing when it is gone; `inspect` would take the name for the beginning of the id of another one.
fn state(env: &TestEnv, name: &str) -> String {
    let filter = format!("name=^{name}$");
    let list = ["ps", "-a", "--filter", &filter, "--format", "{{.State}}"];
    env.run(list).stdout().trim().to_owned()
}

/// Begins a command that is held when it is about to make its `nth` call named `call`, for as long as it takes
/// others to get in its way.
fn held(env: &TestEnv, call: &str, nth: u32, args: &[&str]) -> Running {
    /// Microseconds.
    const HELD: u32 = 1_500_000;
    let log = env.work().join("held.log");
    drop(std::fs::remove_file(&log));
    let script = format!(
        "exec strace -D --quiet=attach,personality -o '{log}' -e trace={call} \
         -e inject={call}:delay_enter={HELD}:when={nth} coracle \"$@\"",
        log = log.display(),
    );
    let begin = ["-c", &script, "sh"];
    let running = env.program(Path::new("/bin/sh")).args(begin.iter().chain(args)).start();
    // strace writes a call down when it has begun.
    let begun = || {
        let calls = std::fs::read_to_string(&log).unwrap_or_default();
        calls.matches('(').count() >= nth as usize
    };
    wait::until("the command is held, or has ended", || begun() || calls_ended(&log));
    running
}

fn calls_ended(log: &Path) -> bool {
    std::fs::read_to_string(log).unwrap_or_default().contains("+++ exited")
}

macro_rules! need_strace {
    () => {
        if skip::program("strace").is_none() {
            skip!("no strace");
        }
    };
}

/// The place of a command between its look and its record: the first `renameat` of `start` is that of the state
/// with the new monitor.
#[test]
fn a_start_held_before_its_record_and_another_start() {
    need_strace!();
    let env = world();
    made(&env, "c1", &[]);
    for nth in 1..=3 {
        let first = held(&env, "?rename,?renameat,renameat2", nth, &["start", "c1"]);
        env.run(["start", "c1"]).success().stdout_is("c1\n");
        first.finish().success().stdout_is("c1\n");
        assert_eq!(state(&env, "c1"), "running");
        assert_agreement(&env);
        env.run(["stop", "-t", "5", "c1"]).success();
    }
    end(env);
}

#[test]
fn a_start_held_before_its_record_and_rm() {
    need_strace!();
    let env = world();
    for (nth, rm) in [(1, &["rm", "-f", "c1"][..]), (2, &["rm", "-f", "c1"]), (1, &["rm", "c1"])] {
        made(&env, "c1", &[]);
        let first = held(&env, "?rename,?renameat,renameat2", nth, &["start", "c1"]);
        let removed = env.run(rm);
        let started = first.finish();
        assert_agreement(&env);
        match state(&env, "c1").as_str() {
            // Without -f it ran by then.
            "running" => drop(removed.code(1).stderr_has("container is running")),
            "" => drop(removed.success()),
            other => panic!("c1 is {other}:\n{removed}\n{started}"),
        }
        env.run(["rm", "-f", "c1"]).status();
    }
    end(env);
}

#[test]
fn an_rm_held_before_it_forgets_and_start() {
    need_strace!();
    let env = world();
    for nth in 1..=4 {
        made(&env, "c1", &[]);
        let first =
            held(&env, "?unlink,unlinkat,?rename,?renameat,renameat2", nth, &["rm", "-f", "c1"]);
        let started = env.run(["start", "c1"]);
        first.finish().success();
        started.code(1).stderr_has("No such container: c1");
        assert_eq!(state(&env, "c1"), "");
        assert_agreement(&env);
    }
    end(env);
}

#[test]
fn a_recovery_that_is_held_and_start() {
    need_strace!();
    let env = world();
    for policy in ["no", "always"] {
        for nth in 1..=3 {
            idle(&env, "c1", &["--restart", policy]);
            monitor::kill(&env, "c1");
            let first = held(&env, "?rename,?renameat,renameat2", nth, &["ps", "-a"]);
            env.run(["start", "c1"]).success().stdout_is("c1\n");
            first.finish().success().stdout_has("c1");
            assert_eq!(state(&env, "c1"), "running");
            assert_agreement(&env);
            env.run(["rm", "-f", "c1"]).success();
        }
    }
    end(env);
}

#[test]
fn a_recovery_does_not_wait_for_who_holds_the_container() {
    need_strace!();
    let env = world();
    idle(&env, "c1", &[]);
    monitor::kill(&env, "c1");
    let first = held(&env, "?rename,?renameat,renameat2", 1, &["start", "c1"]);
    // Not yet recorded, and nobody waits for it.
    env.run(["ps", "-a", "--format", "{{.Names}} {{.State}}"]).success().stdout_has("c1 exited");
    first.finish().success();
    assert_agreement(&env);
    assert_eq!(state(&env, "c1"), "running");
    end(env);
}

#[test]
fn a_recovery_that_fails_leaves_the_container_and_lists_it() {
    let env = world();
    idle(&env, "c1", &["--restart", "always"]);
    let layers = env.data().join("layers");
    let aside = env.data().join("aside");
    monitor::kill(&env, "c1");
    // It cannot be started without the layers of its image.
    std::fs::rename(&layers, &aside).expect("our own folder");
    for _ in 0..2 {
        env.run(["ps", "-a", "--format", "{{.Names}} {{.State}}"])
            .success()
            .stdout_has("c1 exited");
    }
    std::fs::rename(&aside, &layers).expect("our own folder");
    env.run(["start", "c1"]).success();
    assert_eq!(state(&env, "c1"), "running");
    assert_agreement(&env);
    end(env);
}

#[test]
fn a_connect_held_before_its_record_and_start() {
    need_strace!();
    let env = world();
    env.run(["network", "create", "n1"]).success();
    env.run(["network", "create", "n2"]).success();
    made(&env, "c1", &["--network", "n1"]);
    let connect = ["network", "connect", "n2", "c1"];
    let first = held(&env, "?rename,?renameat,renameat2", 1, &connect);
    env.run(["start", "c1"]).success();
    first.finish().success();
    let networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
    env.run(["inspect", "--format", networks, "c1"]).success().stdout_is("n1 n2 \n");
    env.sh("docker exec c1 ip -o -4 address | grep -c eth").success().stdout_is("2\n");
    assert_agreement(&env);
    end(env);
}

#[test]
fn a_rename_and_an_rm_take_no_name_from_others() {
    need_strace!();
    let env = world();
    made(&env, "c1", &[]);
    // It knows the container as c1, and is held before it takes the name away.
    let first = held(&env, "flock", 1, &["rm", "-f", "c1"]);
    env.run(["rename", "c1", "c2"]).success();
    made(&env, "c1", &[]);
    first.finish().success();
    env.run(["ps", "-a", "--filter", "name=c", "--format", "{{.Names}}"])
        .success()
        .stdout_is("c1\n");
    env.run(["start", "c1"]).success();
    assert_agreement(&env);
    end(env);
}

#[test]
fn the_last_container_ends_while_another_starts_and_a_third_comes() {
    need_strace!();
    let env = TestEnv::new();
    for nth in 1..=2 {
        made(&env, "c1", &[]);
        idle(&env, "last", &[]);
        // It is in the namespaces of a container that ends before there is another.
        let first = held(&env, "?rename,?renameat,renameat2", nth, &["start", "c1"]);
        env.run(["stop", "-t", "5", "last"]).success();
        idle(&env, "c2", &[]);
        first.finish().success();
        env.run(["exec", "c1", "true"]).success();
        env.run(["exec", "c2", "true"]).success();
        assert_agreement(&env);
        env.run(["rm", "-f", "c1", "c2", "last"]).success();
    }
    end(env);
}

#[test]
fn twenty_starts_of_one() {
    let env = world();
    made(&env, "c1", &[]);
    for _ in 0..3 {
        let started: Vec<_> =
            (0..20).map(|_| env.coracle().args(["start", "c1"]).start()).collect();
        for one in started {
            one.finish().success().stdout_is("c1\n");
        }
        assert_eq!(state(&env, "c1"), "running");
        monitor::of(&env, "c1");
        assert_agreement(&env);
        env.run(["stop", "-t", "5", "c1"]).success();
    }
    end(env);
}

/// What `rm -f` may say of a container that others remove too.
#[track_caller]
fn removed_by_somebody(output: &Output, name: &str) {
    let fine = ["", &format!("{name}\n")].contains(&output.stdout().as_str());
    assert!(fine && output.stderr().is_empty() && output.status() == 0, "{output}");
}

#[test]
fn fifty_times_rm_of_one() {
    let env = world();
    for more in [&[][..], &["--rm"], &["--network", "none"]] {
        idle(&env, "c1", more);
        let removing: Vec<_> =
            (0..50).map(|_| env.coracle().args(["rm", "-f", "c1"]).start()).collect();
        let said: Vec<Output> = removing.into_iter().map(Running::finish).collect();
        for output in &said {
            removed_by_somebody(output, "c1");
        }
        assert!(said.iter().any(|output| output.stdout() == "c1\n"), "nobody removed it");
        assert_eq!(state(&env, "c1"), "");
        assert_agreement(&env);
    }
    end(env);
}

#[test]
fn ten_times_compose_up() {
    let env = world();
    env.write(
        "app/compose.yaml",
        "services:\n  web:\n    image: alpine\n    init: true\n    command: sleep 100000\n    depends_on: [db]\n  \
         db:\n    image: alpine\n    init: true\n    command: sleep 100000\n    volumes: [data:/d]\nvolumes:\n  data:\n",
    );
    let up = "docker compose -f app/compose.yaml up -d";
    for line in [up, "docker compose -f app/compose.yaml up -d --force-recreate -t 2"] {
        let shell = || env.program(Path::new("/bin/bash")).args(["-c", line]);
        let started: Vec<_> = (0..10).map(|_| shell().start()).collect();
        for one in started {
            one.finish().success();
        }
        env.run(["ps", "--filter", "name=app", "--format", "{{.Names}}"])
            .success()
            .stdout_has("app-db-1\n")
            .stdout_has("app-web-1\n");
        assert_eq!(env.run(["ps", "-aq"]).success().lines().len(), 3);
        assert_agreement(&env);
    }
    env.sh("docker compose -f app/compose.yaml down -v -t 2").success();
    end(env);
}

#[test]
fn a_compose_down_held_before_it_removes_the_network_and_up() {
    need_strace!();
    let env = world();
    env.write(
        "app/compose.yaml",
        "services:\n  web:\n    image: alpine\n    init: true\n    command: sleep 100000\n",
    );
    let compose = ["compose", "-f", "app/compose.yaml"];
    for nth in 1..=3 {
        env.run(compose.iter().chain(&["create"])).success();
        env.run(["rm", "app-web-1"]).success();
        let down: Vec<&str> = compose.iter().chain(&["down"]).copied().collect();
        let first = held(&env, "?unlink,unlinkat", nth, &down);
        env.run(compose.iter().chain(&["up", "-d"])).success();
        first.finish().success();
        env.run(["ps", "--filter", "name=app-web-1", "-q"]).success().stdout_has("\n");
        assert_agreement(&env);
        env.run(compose.iter().chain(&["down", "-t", "2"])).success();
    }
    end(env);
}

#[test]
fn starts_beside_lists_after_a_monitor_was_killed() {
    let env = world();
    idle(&env, "c1", &["--restart", "always"]);
    for _ in 0..5 {
        monitor::kill(&env, "c1");
        let commands = [&["start", "c1"][..], &["ps", "-a"], &["start", "c1"], &["ps"]];
        let running: Vec<_> =
            commands.iter().map(|args| env.coracle().args(*args).start()).collect();
        for one in running {
            one.finish().success();
        }
        assert_eq!(state(&env, "c1"), "running");
        assert_agreement(&env);
    }
    end(env);
}

#[test]
fn what_ends_a_lost_container_does_not_start_it_first() {
    let env = world();
    let starts = |env: &TestEnv| {
        let events = ["events", "--since", "1h", "--until", "0s", "--filter", "event=start"];
        env.run(events.into_iter().chain(["--filter", "container=c1"])).success().lines().len()
    };
    for line in [
        "docker exec c1 true; [ $? = 1 ] && docker rm -f c1",
        "docker stop c1 && [ $(docker inspect --format '{{.State.Status}}' c1) = exited ] && docker ps && docker rm c1",
        "docker rm -f c1",
        "! docker kill c1 && docker rm -f c1",
    ] {
        let before = starts(&env);
        idle(&env, "c1", &["--restart", "always"]);
        monitor::kill(&env, "c1");
        env.sh(line).success();
        assert_eq!(starts(&env) - before, 1, "`{line}` has started it");
        assert_agreement(&env);
    }
    end(env);
}

#[test]
fn an_exec_in_an_ending_container_says_one_line() {
    let env = world();
    let not_running = |output: &Output| {
        let text = output.stderr();
        text.lines().count() == 1 && text.ends_with(" is not running\n")
    };
    let mut refused = 0;
    for _ in 0..15 {
        idle(&env, "c1", &["--network", "none"]);
        let exec = || env.coracle().args(["exec", "c1", "true"]).start();
        let mut running = vec![exec(), exec()];
        let kill = env.coracle().args(["kill", "c1"]).start();
        running.extend([exec(), exec(), exec()]);
        for one in running {
            let output = one.finish();
            match output.status() {
                0 | 137 => {}
                _ => {
                    refused += 1;
                    assert!(output.status() == 1 && not_running(&output), "{output}");
                }
            }
        }
        kill.finish().success();
        env.run(["rm", "-f", "c1"]).success();
    }
    assert!(refused > 0, "no exec came too late: no race");
    end(env);
}

#[test]
fn removing_beside_creating_and_running() {
    let env = world();
    let loop_of = |number: usize| {
        let line = format!(
            "for i in $(seq 8); do docker create --name a{number} alpine >/dev/null && docker rm a{number} >/dev/null \
             && docker run --rm --network none alpine true && docker run -d --name b{number} --network none alpine \
             sleep 1000 >/dev/null && docker rm -f b{number} > /dev/null || exit 1; done"
        );
        env.program(Path::new("/bin/bash")).args(["-c", &line]).start()
    };
    let running: Vec<_> = (0..6).map(loop_of).collect();
    for one in running {
        one.finish().success().stderr_is("");
    }
    assert_agreement(&env);
    end(env);
}

/// Every two commands once; `of` says which, so that several threads share them.
#[track_caller]
fn fight(part: usize, parts: usize) {
    let mut arena = Arena::new();
    for (number, pair) in pairs().enumerate() {
        if number % parts == part {
            let wrong = arena.fight(&pair);
            assert!(wrong.is_empty(), "{} + {}:\n  {}", pair[0].0, pair[1].0, wrong.join("\n  "));
        }
    }
    arena.end();
}

#[test]
fn every_two_commands_first_part() {
    fight(0, 3);
}

#[test]
fn every_two_commands_second_part() {
    fight(1, 3);
}

#[test]
fn every_two_commands_third_part() {
    fight(2, 3);
}

/// Each step of `create` on the way to its record, with a volume that is there already.
#[test]
fn a_create_held_before_its_record_and_volume_rm() {
    need_strace!();
    let env = world();
    for (nth, remove) in
        (1..=3).flat_map(|nth| [(nth, "docker volume rm vol"), (nth, "docker volume prune -af")])
    {
        env.run(["volume", "create", "vol"]).success();
        let words = ["create", "--name", "c1", "-v", "vol:/v", "alpine", "touch", "/v/x"];
        let first = held(&env, "?rename,?renameat,renameat2", nth, &words);
        // Before the container is made, or not at all.
        env.sh(remove).status();
        first.finish().success();
        env.run(["volume", "inspect", "vol"]).success();
        env.sh("docker start -a c1 && docker rm c1 && docker volume rm vol").success();
    }
    end(env);
}

/// A volume in memory goes with the last who has it, and one that is about to start has it.
#[test]
fn a_volume_in_memory_is_kept_for_whoever_starts() {
    let env = world();
    env.sh(
        "docker volume create --opt type=tmpfs --opt device=tmpfs mem && docker volume create other
         docker run -d --name c1 --network none -v mem:/a alpine sleep 1000
         docker exec c1 sh -c 'echo kept > /a/file'",
    )
    .success();
    // The second waits, with the first volume, for whoever fills the other one.
    env.sh("other=$CORACLE_DATA_ROOT/volumes/other; exec 9< $other; flock 9
         docker run -d --name c2 --network none -v mem:/a -v other:/b alpine sleep 1000 9<&- &
         eventually 'ls -l /proc/[0-9]*/fd 2> /dev/null | grep -v \"9 ->\" | grep -q volumes/other'
         docker stop -t 0 c1; exec 9<&-; wait; docker exec c2 cat /a/file")
        .success()
        .stdout_has("\nkept\n");
    env.sh("docker stop -t 0 c2; docker start c1 c2; docker exec c1 ls /a; docker rm -f c1 c2; docker volume rm mem other")
        .success()
        .stdout_is("c2\nc1\nc2\nc1\nc2\nmem\nother\n");
    end(env);
}
