//! Killed at each state write and at each message of a rolling update, and writes that fail: it comes about all the
//! same, each task is replaced once, and what is not updated runs on.
//!
//! # How it works
//!
//! strace is attached to the agent and looks at the journal alone: it kills the agent as it is about to make its N-th
//! write, or has writes fail. N grows until an update survives. The command is killed by [`crate::crash_points`].

use std::collections::BTreeSet;
use std::path::Path;

use coracle_integration::command::Running;
use coracle_integration::{TestEnv, monitor, skip, wait};
use rustix::process::Signal;

use super::{agent, create, end, tasks, wait_replicas};
use crate::crash_points::at_each_call;

/// How a command talks to the agent and hears of the state: connects, sends, receives, waits for news, says something.
const MESSAGES: &str = "connect,sendto,sendmsg,recvfrom,recvmsg,write,?poll,ppoll";
/// More writes are not made in an update of two tasks.
const WRITES_MAX: usize = 200;

macro_rules! need_strace {
    () => {
        if skip::program("strace").is_none() {
            skip!("no strace");
        }
    };
}

/// Two services: one is updated, the other is well.
fn two_services() -> TestEnv {
    let env = TestEnv::new();
    env.run(["swarm", "init"]).success();
    // What is over is removed at once: that is written down as well.
    env.run(["swarm", "update", "--task-history-limit", "0"]).success();
    for (name, replicas) in [("s", "2"), ("well", "1")] {
        let more = ["--replicas", replicas, "--update-monitor", "1ms", "--stop-grace-period", "0s"];
        create(&env, name, &[&more[..], &["alpine", "sleep", "100000"]].concat());
        wait_replicas(&env, name, &format!("{replicas}/{replicas}"));
    }
    env
}

fn over(env: TestEnv) {
    env.run(["service", "rm", "s", "well"]).success();
    wait::until("the containers are gone", || env.containers().is_empty());
    // What an agent was removing when it was killed is swept by whoever makes a container next.
    env.run(["run", "--rm", "--network", "none", "alpine", "true"]).success();
    end(env);
}

fn running(env: &TestEnv) -> BTreeSet<String> {
    env.run(["ps", "-q", "--no-trunc"]).success().lines().into_iter().collect()
}

fn update_state(env: &TestEnv) -> String {
    let format = "{{if .UpdateStatus}}{{.UpdateStatus.State}} {{.UpdateStatus.StartedAt}}{{end}}";
    env.run(["service", "inspect", "s", "--format", format]).success().line()
}

/// How often an update was asked for.
fn asked(env: &TestEnv) -> String {
    let format = "{{.Spec.TaskTemplate.ForceUpdate}}";
    env.run(["service", "inspect", "s", "--format", format]).success().line()
}

/// What was there before an update.
struct Before {
    asked: String,
    tasks: Vec<String>,
    well: Vec<String>,
    running: BTreeSet<String>,
    update: String,
}

impl Before {
    fn of(env: &TestEnv) -> Self {
        Self {
            asked: asked(env),
            tasks: tasks(env, "s"),
            well: tasks(env, "well"),
            running: running(env),
            update: update_state(env),
        }
    }

    /// Waits until all is as it should be: the update was carried out, or never was asked for.
    #[track_caller]
    fn comes_right(&self, env: &TestEnv) {
        let done = asked(env) != self.asked;
        wait::until("no update goes on", || {
            let now = update_state(env);
            !now.starts_with("updating") && (now != self.update) == done
        });
        wait_replicas(env, "s", "2/2");
        wait::until("what is too much is gone", || env.containers().len() == 3);
        let now = tasks(env, "s");
        let new = now.iter().filter(|task| !self.tasks.contains(task)).count();
        let account = || {
            let all = env.run(["service", "ps", "s", "--no-trunc"]).stdout();
            format!("{:?} became {now:?}, {}\n{all}", self.tasks, update_state(env))
        };
        assert_eq!(new, if done { 2 } else { 0 }, "{}", account());
        assert_eq!(tasks(env, "well"), self.well, "a task that was well was replaced");
        let kept = running(env).intersection(&self.running).count();
        assert_eq!(kept, if done { 1 } else { 3 }, "containers that run on");
    }
}

/// strace at the agent, which hears of what is done with the journal; `None`: it may not.
fn trace(env: &TestEnv, calls: &str, fault: &str) -> Option<(i32, Running)> {
    wait::until("there is an agent", || env.run(["ps"]).status() == 0 && agent(env).is_some());
    let pid = agent(env)?;
    let (number, journal) = (pid.to_string(), env.data().join("swarm/journal.jsonl"));
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:{fault}"));
    let log = env.work().join("strace.log").display().to_string();
    let journal = journal.display().to_string();
    let strace = env
        .program(Path::new("strace"))
        .args(["-p", &number, "-o", &log, "-P", &journal, "-e", &trace, "-e", &inject]);
    let mut strace = Some(strace.start());
    let attached = wait::poll(wait::DEADLINE, || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        let traced = tracer.is_some_and(|tracer| tracer.trim() != "0");
        let ended = strace.as_ref().is_none_or(|it| it.ends_within(std::time::Duration::ZERO));
        (traced || ended).then_some(traced)
    });
    let strace = strace.take()?;
    match attached {
        Some(true) => Some((pid, strace)),
        _ => {
            strace.signal(Signal::KILL);
            drop(strace.finish());
            None
        }
    }
}

fn let_go(strace: Running) {
    strace.signal(Signal::TERM);
    // It ends by the signal, or has ended with the agent.
    drop(strace.finish());
}

#[test]
fn an_agent_killed_at_each_write_of_an_update_is_followed_by_another() {
    need_strace!();
    let env = two_services();
    for calls in ["write", "fdatasync"] {
        let mut point = 1;
        loop {
            let before = Before::of(&env);
            let fault = format!("signal=SIGKILL:when={point}");
            let Some((pid, strace)) = trace(&env, calls, &fault) else {
                over(env);
                skip!("strace may not be attached to a process");
            };
            let asked = env.run(["service", "update", "-d", "--force", "s"]);
            let killed = || agent(&env) != Some(pid);
            wait::until("it is killed, or has survived", || {
                killed()
                    || update_state(&env) != before.update && {
                        !update_state(&env).starts_with("updating") && env.containers().len() == 3
                    }
            });
            let was_killed = killed();
            let_go(strace);
            before.comes_right(&env);
            // Who lost the agent may not know whether it was done; who was answered does.
            if asked.status() == 0 {
                assert_ne!(update_state(&env), before.update, "it was said to be done");
            }
            if !was_killed {
                break;
            }
            point += 1;
            assert!(point < WRITES_MAX, "no update survives");
        }
        assert!(point > 1, "{calls}: its writes are not seen");
    }
    over(env);
}

#[test]
fn a_command_killed_at_each_message_leaves_an_update_to_the_agent() {
    need_strace!();
    let env = two_services();
    let before = std::cell::RefCell::new(Before::of(&env));
    at_each_call(
        &env,
        MESSAGES,
        &["service", "update", "--force", "--detach=false", "s"],
        || drop(before.replace(Before::of(&env))),
        || before.borrow().comes_right(&env),
    );
    over(env);
}

#[test]
fn what_finds_no_room_on_the_disk_is_refused_and_goes_on_later() {
    need_strace!();
    let env = two_services();
    let no_room = "error=ENOSPC";
    let Some((pid, strace)) = trace(&env, "write", no_room) else {
        over(env);
        skip!("strace may not be attached to a process");
    };
    let before = Before::of(&env);
    let refused = "No space left on device";
    for command in [
        "service create -d --no-resolve-image --name new alpine sleep 1",
        "service update -d --force s",
        "service scale -d s=5",
        "service rm well",
        "node update --label-add a=b $(docker node ls -q)",
        "secret create s1 /etc/hostname",
    ] {
        let output = env.sh(&format!("docker {command}"));
        assert!(output.status() != 0, "{command}");
        output.stderr_has(refused).stderr_has("swarm/journal.jsonl");
    }
    env.run(["service", "ls", "--format", "{{.Name}} {{.Replicas}}"])
        .success()
        .stdout_has("s 2/2")
        .stdout_has("well 1/1");
    env.run(["secret", "ls", "-q"]).success().stdout_is("");
    assert_eq!(tasks(&env, "s"), before.tasks);
    // What ends meanwhile is noticed when there is room.
    let lost = env.run(["ps", "-q", "--no-trunc", "--filter", "name=^s.1"]).success().line();
    monitor::kill(&env, &lost);
    assert_eq!(agent(&env), Some(pid), "it lives on");
    let_go(strace);
    wait::until("it is replaced", || {
        let now = running(&env);
        now.len() == 3 && !now.contains(&lost)
    });
    wait_replicas(&env, "s", "2/2");

    // In the middle of an update.
    for after in [2, 4, 7, 10] {
        let before = Before::of(&env);
        let Some((_, strace)) = trace(&env, "write", &format!("error=ENOSPC:when={after}+")) else {
            panic!("it could be attached before");
        };
        env.run(["service", "update", "-d", "--force", "s"]).success();
        let log = env.work().join("strace.log");
        wait::until("there is no room", || {
            std::fs::read_to_string(&log).unwrap_or_default().contains("ENOSPC")
        });
        let_go(strace);
        wait::until("the update has begun", || update_state(&env) != before.update);
        before.comes_right(&env);
    }
    over(env);
}
