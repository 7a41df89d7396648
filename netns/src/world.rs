//! Throw-away network namespaces for tests.
//!
//! A test of root runs in a thread that moved to an empty network namespace. A test of
//! another user starts itself again, alone, as root of a user namespace.

use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Output};

use crate::netlink::Netlink;

/// Runs the test `name` (its path in this crate) in an empty network namespace; where the
/// system lets nobody have one, says so and runs nothing.
pub(crate) fn alone(name: &str, test: impl FnOnce() + Send) {
    if rustix::process::geteuid().is_root() {
        in_new_network(test);
        return;
    }
    let allowed = Command::new("unshare").args(["-rn", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        println!("skipped {name}: no user namespaces for this user");
        return;
    }
    let output = Command::new("unshare")
        .arg("-rn")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{name} is not the name of this test: {text}");
}

/// Runs `job` on a thread of its own in an empty network namespace.
pub(crate) fn in_new_network<T: Send>(job: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            coracle_sys::network::new_network().unwrap();
            job()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// An empty namespace and a socket of it.
pub(crate) fn network() -> (OwnedFd, Netlink) {
    in_new_network(|| (coracle_sys::network::this_network().unwrap(), Netlink::here().unwrap()))
}

/// Runs `job` in another namespace.
pub(crate) fn inside<T: Send>(namespace: &OwnedFd, job: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            coracle_sys::network::enter_network(namespace.as_fd()).unwrap();
            job()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn output(command: &str) -> Output {
    let mut words = command.split(' ');
    Command::new(words.next().unwrap()).args(words).output().unwrap()
}

/// What a tool prints in the namespace of the calling thread.
pub(crate) fn tool(command: &str) -> String {
    let output = output(command);
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a tool that must fail prints as its reason.
pub(crate) fn tool_refused(command: &str) -> String {
    let output = output(command);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{command}: {printed}");
    String::from_utf8(output.stderr).unwrap()
}

/// What a tool prints in another namespace.
pub(crate) fn tool_in(namespace: &OwnedFd, command: &str) -> String {
    inside(namespace, || tool(command))
}
