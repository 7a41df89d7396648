//! What is known of a world, for whoever reads why a test failed.
//!
//! Every command of the product may change what it finds: it recovers lost containers. So files and processes
//! are looked at first, and commands come last.

use std::fmt::Write as _;
use std::fs;

use crate::{TestEnv, leak};

/// States as they were written, processes, and what commands say, of a container too.
#[must_use]
pub fn of(env: &TestEnv, container: &str) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(env.data().join("containers")).into_iter().flatten().flatten() {
        if let Ok(state) = fs::read_to_string(entry.path().join("state.json")) {
            let id = entry.file_name().to_string_lossy().into_owned();
            writeln!(text, "{id}/state.json: {state}").expect("memory");
        }
    }
    for (pid, command) in leak::processes_of(env.root()) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
        writeln!(text, "process {pid} {}: {command}", state.unwrap_or('-')).expect("memory");
    }
    let commands: [&[&str]; 3] = [
        &["logs", "--tail", "50", container],
        &["ps", "-a", "--no-trunc"],
        &["inspect", "--format", "{{json .State}}", container],
    ];
    for command in commands {
        writeln!(text, "$ coracle {}\n{}", command.join(" "), env.run(command)).expect("memory");
    }
    text
}
