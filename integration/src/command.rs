//! Runs one command with a deadline and collects what it said.
//!
//! A command whose output pipes stay open after it has ended fails the test: some helper process has
//! inherited them, and a shell's `$(…)` would hang.

use std::{
    ffi::OsStr,
    io::{Read, Write},
    os::{fd::AsFd, unix::process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

use crate::{Output, redact::Redactor};

/// How long one command may take on a loaded machine.
pub const COMMAND_DEADLINE: Duration = Duration::from_secs(60);
/// How long a pipe may stay open after the command's end.
const PIPE_DEADLINE: Duration = Duration::from_secs(3);

/// A command about to run.
#[derive(Debug)]
pub struct Cmd {
    command: Command,
    stdin: Option<Vec<u8>>,
    deadline: Duration,
    redactor: Redactor,
}

impl Cmd {
    /// `program` with an empty environment, in the folder `dir`.
    pub fn new(program: &Path, dir: &Path, redactor: Redactor) -> Self {
        let mut command = Command::new(program);
        // A group of its own: a script that signals its group must not end the tests.
        command.env_clear().current_dir(dir).process_group(0);
        Self { command, stdin: None, deadline: COMMAND_DEADLINE, redactor }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes an environment variable away.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs in another folder.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Gives the command something on standard input, which is empty otherwise.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Allows more (or less) time than usual.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The command itself, for who measures it and has no use for what it says.
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    #[must_use = "look at the output: call success(), code() or snapshot it"]
    #[track_caller]
    pub fn run(self) -> Output {
        self.start().finish()
    }

    /// Starts it and returns at once; its output is collected meanwhile.
    #[track_caller]
    pub fn start(mut self) -> Running {
        let text = describe(&self.command);
        self.command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("`{text}`: {error}"));
        if let (Some(bytes), Some(mut pipe)) = (self.stdin.take(), child.stdin.take()) {
            // A command that does not read its input closes the pipe; that is its right.
            thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        let stdout = collect(child.stdout.take().expect("stdout is piped"));
        let stderr = collect(child.stderr.take().expect("stderr is piped"));
        Running { text, child, stdout, stderr, deadline: self.deadline, redactor: self.redactor }
    }
}

fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut text = program.to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut chunk = vec![0; 64 * 1024];
        // One message per read, and the end of the pipe is the end of the channel.
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            if sender.send(chunk[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A command that has been started.
#[derive(Debug)]
pub struct Running {
    text: String,
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    deadline: Duration,
    redactor: Redactor,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("our own child can be signalled");
    }

    /// Waits for its end; false when it takes longer.
    pub fn ends_within(&self, patience: Duration) -> bool {
        let pidfd = pidfd_open(self.pid(), PidfdFlags::empty()).expect("a child has a pidfd");
        let timeout =
            Timespec::try_from(patience * crate::wait::slow()).expect("deadlines are short");
        let mut fds = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
        poll(&mut fds, Some(&timeout)).expect("poll on a pidfd") > 0
    }

    /// Waits for its end and for its output.
    #[must_use = "look at the output: call success(), code() or snapshot it"]
    #[track_caller]
    pub fn finish(mut self) -> Output {
        let in_time = self.ends_within(self.deadline);
        if !in_time {
            self.signal(Signal::KILL);
        }
        let status = self.child.wait().expect("our own child can be waited for");
        let stdout = drain(&self.stdout);
        let stderr = drain(&self.stderr);
        let open = stdout.is_none() || stderr.is_none();
        let output = Output {
            code: exit_code(status),
            stdout: stdout.unwrap_or_default(),
            stderr: stderr.unwrap_or_default(),
            command: self.text,
            redactor: self.redactor,
        };
        assert!(in_time, "`{}` was not done after {:?}\n{output}", output.command, self.deadline);
        assert!(
            !open,
            "`{}` has ended, but a process of it keeps its output open\n{output}",
            output.command
        );
        output
    }
}

/// Everything until the pipe's end, or `None` when it does not come.
fn drain(pipe: &Receiver<Vec<u8>>) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        match pipe.recv_timeout(PIPE_DEADLINE * crate::wait::slow()) {
            Ok(chunk) => all.extend(chunk),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Some(all),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => return None,
        }
    }
}

/// The exit status as a shell gives it.
pub fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .expect("an ended process has one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Cmd {
        Cmd::new(Path::new("/bin/sh"), Path::new("/"), Redactor::default()).args(["-c", script])
    }

    #[test]
    fn streams_and_status_are_kept_apart() {
        let output = sh("cat; echo err >&2; exit 7").stdin("in\n").run().code(7);
        assert_eq!((output.stdout().as_str(), output.stderr().as_str()), ("in\n", "err\n"));
        sh("kill -9 $$").run().code(137).stdout_is("");
    }

    #[test]
    #[should_panic(expected = "keeps its output open")]
    fn a_helper_that_holds_the_pipe_is_a_failure() {
        sh("sleep 4 &").run().success();
    }

    #[test]
    #[should_panic(expected = "was not done after")]
    fn a_hang_is_a_failure() {
        sh("exec sleep 30").deadline(Duration::from_millis(50)).run().success();
    }
}
