//! Runs the binary on a pseudo-terminal, as a person would.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use crate::{TestEnv, command::exit_code, settings::settings, wait};

/// A command on a terminal.
#[derive(Debug)]
pub struct Terminal {
    master: File,
    slave: OwnedFd,
    child: Child,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl TestEnv {
    /// Starts the binary on a terminal of its own.
    pub fn terminal<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Terminal {
        Terminal::start(self, args)
    }
}

impl Terminal {
    /// Starts the binary with a terminal of 24 rows and 80 columns.
    pub fn start<S: AsRef<OsStr>>(env: &TestEnv, args: impl IntoIterator<Item = S>) -> Self {
        Self::start_sized(env, (24, 80), args)
    }

    /// As [`Terminal::start`], with other rows and columns.
    pub fn start_sized<S: AsRef<OsStr>>(
        env: &TestEnv,
        size: (u16, u16),
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::start_program(env, size, &settings().binary, args)
    }

    /// A shell line in which `coracle` is the binary.
    pub fn shell(env: &TestEnv, line: &str) -> Self {
        let path = format!("PATH={}:$PATH; {line}", env.root().join("bin").display());
        Self::start_program(env, (24, 80), Path::new("/bin/bash"), ["-c", &path])
    }

    fn start_program<S: AsRef<OsStr>>(
        env: &TestEnv,
        (rows, columns): (u16, u16),
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        grantpt(&master).expect("our pty");
        unlockpt(&master).expect("our pty");
        let name = ptsname(&master, Vec::new()).expect("our pty");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&name, flags, Mode::empty()).expect("the other end");
        set_size(&master, rows, columns);
        let stdio = || Stdio::from(slave.try_clone().expect("a descriptor"));
        // `setsid --ctty` makes its standard input the controlling terminal, which needs no unsafe here.
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .arg(program)
            .args(args)
            .env_clear()
            .env("HOME", env.root().join("home"))
            .env("XDG_RUNTIME_DIR", env.root().join("run"))
            .env("CORACLE_DATA_ROOT", env.data())
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("TERM", "xterm")
            .env("CORACLE_TEST_WORLD", env.root())
            .current_dir(env.work())
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .expect("setsid starts");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let master = File::from(master);
        let reader = thread::spawn({
            let (seen, mut master) = (Arc::clone(&seen), master.try_clone().expect("a descriptor"));
            move || {
                let mut chunk = [0; 4096];
                // The last end closing is an error (EIO) on a pty, not an end of file.
                while let Ok(count @ 1..) = master.read(&mut chunk) {
                    seen.lock().expect("no panic while locked").extend(&chunk[..count]);
                }
            }
        });
        Self { master, slave, child, seen, reader }
    }

    /// What has been written to the terminal so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("no panic while locked")).into_owned()
    }

    /// Waits until the terminal shows `text`.
    #[track_caller]
    pub fn expect(&self, text: &str) {
        let met = wait::poll(wait::DEADLINE, || self.text().contains(text).then_some(()));
        assert!(met.is_some(), "the terminal never showed {text:?}, but {:?}", self.text());
    }

    /// Types something.
    pub fn send(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).expect("the terminal takes input");
    }

    /// Changes the window's size.
    pub fn resize(&self, rows: u16, columns: u16) {
        set_size(&self.master, rows, columns);
    }

    /// Waits until the command has put the terminal in raw mode: what is typed before that may be lost.
    #[track_caller]
    pub fn expect_raw(&self) {
        wait::until("the terminal is raw", || !self.is_cooked());
    }

    /// Whether the terminal echoes and edits lines, as it does when nobody put it in raw mode.
    pub fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.slave).expect("our pty").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// The process on the terminal.
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Waits for the command's end: its exit status and all that the terminal showed.
    #[track_caller]
    pub fn finish(mut self) -> (i32, String) {
        let status = wait::poll(wait::DEADLINE, || self.child.try_wait().expect("our child"));
        let Some(status) = status else {
            self.child.kill().ok();
            panic!("the command on the terminal did not end: {:?}", self.text());
        };
        assert!(self.is_cooked(), "the terminal was left in raw mode");
        drop(self.slave);
        self.reader.join().expect("the reader does not panic");
        let text = self.seen.lock().expect("no panic while locked");
        (exit_code(status), String::from_utf8_lossy(&text).into_owned())
    }
}

fn set_size(terminal: impl AsFd, rows: u16, columns: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("our pty");
}
