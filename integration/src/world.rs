//! A private world for one test: home, runtime folder, data root and environment of its own.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use crate::{
    Output, account, command::Cmd, fixture, leak, redact::Redactor, settings::settings, wait,
};

/// Bytes of a unix socket's path are few, so the world's name is short.
const PREFIX: &str = "w";

/// For shell lines: tries a command until it succeeds, for twenty seconds.
const EVENTUALLY: &str = r#"#!/bin/bash
end=$((SECONDS + 20))
until bash -c "$1" > /dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "in vain: $1" >&2; exit 1; }
    sleep 0.05
done
"#;

/// The world. Ends with the leak check, unless the test has failed already.
#[derive(Debug)]
pub struct TestEnv {
    root: PathBuf,
    variables: Vec<(String, String)>,
    redactor: Redactor,
    checked: bool,
}

impl TestEnv {
    /// A world whose store has the fixture images `alpine` (also named `fixture`) and `bb`.
    pub fn new() -> Self {
        let env = Self::bare();
        env.load_fixture();
        env
    }

    /// Puts the fixture images into the store of a world that was made bare.
    pub fn load_fixture(&self) {
        self.run(["load", "-q", "-i", &fixture::archive().display().to_string()]).success();
    }

    /// A world with an empty store.
    pub fn bare() -> Self {
        let root = tempfile::Builder::new()
            .prefix(PREFIX)
            .rand_bytes(5)
            .tempdir_in(&settings().worlds)
            .expect("a world can be made")
            .keep();
        for dir in ["home", "run", "work", "bin", "tmp"] {
            fs::create_dir(root.join(dir)).expect("a folder of the world");
        }
        fs::set_permissions(root.join("run"), fs::Permissions::from_mode(0o700))
            .expect("chmod of our folder");
        for name in ["coracle", "docker", "docker-machine"] {
            std::os::unix::fs::symlink(&settings().binary, root.join("bin").join(name))
                .expect("a link of ours");
        }
        fs::write(root.join("bin/eventually"), EVENTUALLY).expect("a file of ours");
        fs::set_permissions(root.join("bin/eventually"), fs::Permissions::from_mode(0o755))
            .expect("chmod of our file");
        let redactor = Redactor::new(&root);
        Self { root, variables: Vec::new(), redactor, checked: false }
    }

    /// The same world with one more variable in its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder of the world.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that commands run in.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Where the product keeps its data.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// A file in the work folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().expect("inside the work folder"))
            .expect("a folder of ours");
        fs::write(&path, content).expect("a file of ours");
        path
    }

    /// The binary under the name `coracle`, ready for arguments.
    pub fn coracle(&self) -> Cmd {
        self.program(&self.root.join("bin/coracle"))
    }

    /// Any program in this world's environment.
    pub fn program(&self, program: &Path) -> Cmd {
        let cmd = Cmd::new(program, &self.work(), self.redactor.clone())
            .env("HOME", self.root.join("home"))
            .env("XDG_RUNTIME_DIR", self.root.join("run"))
            .env("TMPDIR", self.root.join("tmp"))
            .env(
                "PATH",
                format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.root.join("bin").display()),
            )
            .env("ROOT", &self.root)
            .env("CORACLE_DATA_ROOT", self.data())
            .env("CORACLE_TEST_WORLD", &self.root)
            .env("LC_ALL", "C.UTF-8");
        let cmd = match &settings().network_path {
            Some(path) => cmd.env("CORACLE_NETWORK_PATH", path),
            None => cmd,
        };
        let cmd = self.variables.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value));
        match &settings().bus {
            Some(bus) => cmd.env("DBUS_SESSION_BUS_ADDRESS", bus),
            None => cmd,
        }
    }

    /// Runs the binary with these arguments.
    #[must_use = "look at the output: call success(), code() or snapshot it"]
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.coracle().args(args).run()
    }

    /// Runs a shell line in which `docker` and `coracle` are the binary.
    #[must_use = "look at the output: call success(), code() or snapshot it"]
    #[track_caller]
    pub fn sh(&self, line: &str) -> Output {
        self.program(Path::new("/bin/bash")).args(["-c", line]).run()
    }

    /// Waits until `inspect` says that the container has `status`.
    #[track_caller]
    pub fn wait_status(&self, container: &str, status: &str) {
        let mut seen = String::new();
        let met = wait::poll(wait::DEADLINE, || {
            let output = self.run(["inspect", "--format", "{{.State.Status}}", container]);
            seen = output.stdout().trim().to_owned();
            (seen == status).then_some(())
        });
        if met.is_none() {
            panic!(
                "container {container} is {seen}, not {status}\n{}",
                account::of(self, container)
            );
        }
    }

    /// Waits until a program that is run in the container prints `expected`.
    #[track_caller]
    pub fn wait_answer(&self, container: &str, program: &[&str], expected: &str) {
        let mut last = None;
        let met = wait::poll(wait::DEADLINE, || {
            let output = self.run([&["exec", container], program].concat());
            let met = output.stdout() == expected;
            last = Some(output);
            met.then_some(())
        });
        if let (None, Some(last)) = (met, last) {
            let account = account::of(self, container);
            panic!(
                "{program:?} in {container} does not print {expected:?}, but:\n{last}\n{account}"
            );
        }
    }

    /// Ids of all containers, running or not.
    pub fn containers(&self) -> Vec<String> {
        self.run(["ps", "-aq", "--no-trunc"]).success().lines()
    }

    /// Fails the test when a container is left, or anything else that only a container may keep alive.
    #[track_caller]
    pub fn assert_nothing_left(mut self) {
        self.checked = true;
        let left = self.containers();
        assert!(left.is_empty(), "containers left: {left:?}");
        self.check_leaks();
    }

    /// Fails the test when the store has content that belongs to no image.
    #[track_caller]
    pub fn assert_store_swept(&self) {
        let unowned = leak::unowned(&self.data());
        assert!(unowned.is_empty(), "of no image:\n  {}", unowned.join("\n  "));
    }

    #[track_caller]
    fn check_leaks(&self) {
        // A monitor may still be on its way out when `rm` has returned its answer to us.
        let mut leaks = Vec::new();
        let clean = wait::poll(wait::DEADLINE / 4, || {
            leaks = leak::find(&self.root, &self.data());
            leaks.is_empty().then_some(())
        });
        assert!(clean.is_some(), "left behind:\n  {}", leaks.join("\n  "));
    }

    /// Ends what is left of the world, whatever state it is in.
    fn remove(&self) {
        leak::end_processes(&self.root);
        if fs::remove_dir_all(&self.root).is_err() {
            // Files of subordinate ids: only root of a namespace with those ids may remove them.
            let status = Command::new("unshare")
                .args(["--map-root-user", "--map-auto", "rm", "-rf"])
                .arg(&self.root)
                .stderr(std::process::Stdio::null())
                .status();
            if !status.is_ok_and(|status| status.success()) {
                fs::remove_dir_all(&self.root).ok();
            }
        }
    }
}

impl Default for TestEnv {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        if !thread::panicking() && !self.checked {
            let removed = std::panic::catch_unwind(|| {
                let ids = self.containers();
                if !ids.is_empty() {
                    self.run(["rm", "-f", "-v"].into_iter().map(String::from).chain(ids)).success();
                }
                self.check_leaks();
            });
            self.remove();
            if let Err(panic) = removed {
                std::panic::resume_unwind(panic);
            }
            return;
        }
        self.remove();
    }
}
