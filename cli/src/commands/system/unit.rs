//! `system unit WHAT`: a unit of systemd's user manager that brings back what a reboot ended, or serves the API.
//!
//! # How it works
//!
//! Any command recovers containers whose restart policy says so, and starts the agent of a swarm that has services; so a
//! unit gives one that only looks. What it starts are processes of the unit: stopping it ends them, starting it brings
//! them back. It is enabled by a link, as `systemctl enable` does; the manager is not asked, and what it has to be told
//! is left to the user, who reads it. Without systemd there is a line for cron instead. That of the API is two: a socket,
//! on which systemd listens, and a service, which it starts at the first connection and which ends when it is idle.
//!
//! # Limits
//!
//! Of the environment it has what says where things are. A swarm with `--autolock` waits for its key as after any start.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use coracle_runtime::home::HostFacts;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::settings::Settings;

/// What can be brought back.
#[derive(Debug, PartialEq, Eq)]
struct Unit {
    what: &'static str,
    file: &'static str,
    about: &'static str,
    /// A command that only looks.
    command: &'static str,
    /// What comes back, for people.
    comes: &'static str,
    /// The socket that starts it.
    socket: Option<Socket>,
}

/// A socket that the user manager listens on.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    file: &'static str,
    /// Below the folder of the login session.
    path: &'static str,
}

const UNITS: [Unit; 3] = [
    Unit {
        what: "api",
        file: "coracle-api.service",
        about: "Docker Engine API (Coracle)",
        command: "system service --time 60",
        comes: "The API is served when a client connects",
        socket: Some(Socket { file: "coracle-api.socket", path: "coracle/docker.sock" }),
    },
    Unit {
        what: "containers",
        file: "coracle-containers.service",
        about: "Containers with a restart policy (Coracle)",
        command: "ps -q",
        comes: "Containers with --restart always or unless-stopped come back",
        socket: None,
    },
    Unit {
        what: "swarm",
        file: "coracle-swarm.service",
        about: "Services of the swarm (Coracle)",
        command: "service ls -q",
        comes: "Services come back",
        socket: None,
    },
];

/// The beginning of a unit: what begins otherwise is not ours.
const FIRST: &str = "# Made by `coracle system unit ";
const WANTS: &str = "default.target.wants";
const SOCKET_WANTS: &str = "sockets.target.wants";
/// Who is here has a user manager without being logged in.
const LINGER: &str = "/var/lib/systemd/linger";
/// What says where things are.
const KEPT: [&str; 8] = [
    "CORACLE_DATA_ROOT",
    "CORACLE_LIMITS",
    "CORACLE_LOW_PORTS",
    "CORACLE_NETWORK_PATH",
    "CORACLE_STORAGE",
    "DOCKER_CONFIG",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

/// Print or install a systemd unit that brings containers or services back
#[derive(Debug, clap::Args)]
pub(crate) struct SystemUnitArgs {
    /// Write it where systemd's user manager finds it, and enable it
    #[arg(long, conflicts_with = "remove")]
    pub(crate) install: bool,
    /// Remove it
    #[arg(long)]
    pub(crate) remove: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for SystemUnitArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let what = self.args.first().map_or("", String::as_str);
        let unit = UNITS.iter().find(|unit| unit.what == what).ok_or_else(|| {
            let known: Vec<_> = UNITS.iter().map(|unit| unit.what).collect();
            CliError::plain(format!("there is no unit {what}: there are {}", known.join(", ")))
        })?;
        let folder = app.settings.config_home.join("systemd/user");
        if self.remove {
            return remove(app, unit, &folder);
        }
        let exe = HostFacts::look()?.exe.display().to_string();
        let environment = environment(&app.settings);
        if self.install && unit.socket.is_some() && !has_manager(&app.settings) {
            let words = "no user manager of systemd runs for this user, and nothing was installed";
            return Err(CliError::plain(words).hint("`system service` serves the API without it"));
        }
        if self.install && !has_manager(&app.settings) {
            return without_manager(app, unit, &cron_line(unit, &exe, &environment));
        }
        let texts = texts(unit, &exe, &environment);
        if self.install {
            return install(app, unit, &folder, &texts);
        }
        for (file, text) in &texts {
            if texts.len() > 1 {
                writeln!(app.ui.data(), "# {file}")?;
            }
            app.ui.data().write_all(text.as_bytes())?;
        }
        Ok(ExitStatus::Success)
    }
}

fn environment(settings: &Settings) -> Vec<(String, String)> {
    let value = |name: &str| settings.environment.get(name).map(str::to_owned);
    KEPT.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect()
}

/// The files of a unit with their texts; that which is enabled comes first. Pure.
fn texts(unit: &Unit, exe: &str, environment: &[(String, String)]) -> Vec<(&'static str, String)> {
    let mut texts = vec![(unit.file, text(unit, exe, environment))];
    if let Some(Socket { file, path }) = &unit.socket {
        let Unit { what, about, .. } = unit;
        let text = format!(
            "{FIRST}{what}`.\n[Unit]\nDescription={about}\n\n[Socket]\nListenStream=%t/{path}\nSocketMode=0600\n\
             DirectoryMode=0700\n\n[Install]\nWantedBy=sockets.target\n"
        );
        texts.insert(0, (file, text));
    }
    texts
}

impl Unit {
    /// The file that is enabled, and where.
    fn enabled(&self) -> (&'static str, &'static str) {
        match &self.socket {
            Some(socket) => (socket.file, SOCKET_WANTS),
            None => (self.file, WANTS),
        }
    }

    fn files(&self) -> Vec<&'static str> {
        self.socket.iter().map(|socket| socket.file).chain([self.file]).collect()
    }
}

/// The unit, for this executable. Pure.
fn text(unit: &Unit, exe: &str, environment: &[(String, String)]) -> String {
    let Unit { what, about, command, .. } = unit;
    let mut out = format!(
        "{FIRST}{what}`.\n[Unit]\nDescription={about}\n\n[Service]\n{}Delegate=yes\n",
        // What is started by a request goes on when the service ends.
        if unit.socket.is_some() {
            "KillMode=process\n"
        } else {
            "Type=oneshot\nRemainAfterExit=yes\n"
        }
    );
    for (name, value) in environment {
        // Writing to a string does not fail.
        writeln!(out, "Environment={}", quoted(&format!("{name}={value}"))).unwrap_or_default();
    }
    let program = quoted(exe).replace('$', "$$");
    writeln!(out, "ExecStart={program} {command}").unwrap_or_default();
    if unit.socket.is_none() {
        out.push_str("\n[Install]\nWantedBy=default.target\n");
    }
    out
}

/// A word as systemd.syntax(7) reads it back.
fn quoted(word: &str) -> String {
    let inner = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("\"{}\"", inner.replace('\n', "\\n"))
}

/// What does the same by crontab(5), which takes a `%` for the end of a line. Pure.
fn cron_line(unit: &Unit, exe: &str, environment: &[(String, String)]) -> String {
    let word = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut words: Vec<String> =
        environment.iter().map(|(name, value)| format!("{name}={}", word(value))).collect();
    words.extend([word(exe), unit.command.to_owned(), "> /dev/null".to_owned()]);
    format!("@reboot {}\n", words.join(" ").replace('%', "\\%"))
}

/// Whether systemd's user manager runs for this user.
fn has_manager(settings: &Settings) -> bool {
    let folder = settings.session_dir.as_ref();
    folder.is_some_and(|folder| folder.join("systemd/private").exists())
}

fn without_manager(app: &mut App, unit: &Unit, line: &str) -> CommandResult {
    app.ui.data().write_all(line.as_bytes())?;
    let words = "no user manager of systemd runs for this user, and nothing was installed";
    let hint = format!(
        "with cron, `crontab -e` and the line above do the same; where there is systemd, log in through it and give \
         `{} system unit {} --install` again",
        app.program, unit.what
    );
    Err(CliError::plain(words).hint(hint))
}

fn install(
    app: &mut App,
    unit: &Unit,
    folder: &Path,
    texts: &[(&'static str, String)],
) -> CommandResult {
    let (name, wants) = unit.enabled();
    for (file, _) in texts {
        check_ours(&folder.join(file))?;
    }
    let link = folder.join(wants).join(name);
    let fail = |what: &Path| {
        let what = what.display().to_string();
        move |error: io::Error| CliError::plain(format!("cannot write {what}: {error}"))
    };
    std::fs::create_dir_all(folder.join(wants)).map_err(fail(folder))?;
    for (file, text) in texts {
        let file = folder.join(file);
        std::fs::write(&file, text).map_err(fail(&file))?;
    }
    match std::os::unix::fs::symlink(Path::new("..").join(name), &link) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(fail(&link)(error));
        }
        _ => {}
    }
    let lingers = lingers(&app.settings, Path::new(LINGER));
    let out = app.ui.data();
    for (file, _) in texts {
        writeln!(out, "Wrote {}", folder.join(file).display())?;
    }
    writeln!(out, "Enabled by {}", link.display())?;
    writeln!(out, "Now type `systemctl --user daemon-reload && systemctl --user start {name}`.")?;
    writeln!(out, "{}", when(unit, lingers))?;
    Ok(ExitStatus::Success)
}

/// Whether the user manager is there without a login; `None` when nobody says who the user is.
fn lingers(settings: &Settings, folder: &Path) -> Option<bool> {
    let name = ["USER", "LOGNAME"].into_iter().find_map(|name| settings.environment.get(name))?;
    Some(folder.join(name).exists())
}

fn when(unit: &Unit, lingers: Option<bool>) -> String {
    let comes = unit.comes;
    match lingers {
        Some(true) => {
            format!("Lingering is on for you: {} when the machine starts.", lower_first(comes))
        }
        Some(false) => format!(
            "Lingering is off for you: {} when you log in, and end when you log out. With `loginctl enable-linger` they \
             come when the machine starts, and stay.",
            lower_first(comes)
        ),
        None => format!(
            "{comes} when you log in; with lingering (`loginctl enable-linger`) when the machine starts."
        ),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
}

fn remove(app: &mut App, unit: &Unit, folder: &Path) -> CommandResult {
    let (name, wants) = unit.enabled();
    let files: Vec<PathBuf> = unit.files().iter().map(|file| folder.join(file)).collect();
    files.iter().try_for_each(|file| check_ours(file))?;
    let mut gone: Vec<PathBuf> = Vec::new();
    for path in std::iter::once(folder.join(wants).join(name)).chain(files) {
        match std::fs::remove_file(&path) {
            Ok(()) => gone.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CliError::plain(format!("cannot remove {}: {error}", path.display())));
            }
        }
    }
    if gone.is_empty() {
        let words = format!("there is no {name} in {}", folder.display());
        return Err(CliError::plain(words));
    }
    for path in gone {
        writeln!(app.ui.data(), "Removed {}", path.display())?;
    }
    let out = app.ui.data();
    writeln!(out, "Now type `systemctl --user daemon-reload`. What runs goes on.")?;
    Ok(ExitStatus::Success)
}

/// A unit that somebody else wrote stays as it is.
fn check_ours(file: &Path) -> Result<(), CliError> {
    match std::fs::read_to_string(file) {
        Ok(text) if !text.starts_with(FIRST) => {
            let words = format!("{} is not ours, and stays as it is", file.display());
            Err(CliError::plain(words).hint("move it away first"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> [(String, String); 1] {
        [("CORACLE_DATA_ROOT".to_owned(), "/d/50% \"x\"".to_owned())]
    }

    #[test]
    fn the_unit_gives_a_command_that_looks() {
        insta::assert_snapshot!(text(&UNITS[2], "/opt/my tools/$coracle", &environment()), @r#"
        # Made by `coracle system unit swarm`.
        [Unit]
        Description=Services of the swarm (Coracle)

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        Delegate=yes
        Environment="CORACLE_DATA_ROOT=/d/50%% \"x\""
        ExecStart="/opt/my tools/$$coracle" service ls -q

        [Install]
        WantedBy=default.target
        "#);
    }

    #[test]
    fn the_line_for_cron_is_one_line_of_a_shell() {
        assert_eq!(
            cron_line(&UNITS[1], "/opt/it's/coracle", &environment()),
            "@reboot CORACLE_DATA_ROOT='/d/50\\% \"x\"' '/opt/it'\\''s/coracle' ps -q > /dev/null\n"
        );
    }

    #[test]
    fn when_they_come_is_told() {
        let told = |lingers| when(&UNITS[2], lingers);
        assert_eq!(
            told(Some(true)),
            "Lingering is on for you: services come back when the machine starts."
        );
        assert!(told(Some(false)).contains("when you log in, and end when you log out"));
        assert!(told(None).starts_with("Services come back when you log in;"));
    }

    #[test]
    fn a_unit_of_somebody_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.service");
        assert!(check_ours(&file).is_ok());
        std::fs::write(&file, "[Unit]\n").unwrap();
        assert!(check_ours(&file).unwrap_err().message.ends_with("stays as it is"));
        std::fs::write(&file, text(&UNITS[1], "/c", &[])).unwrap();
        assert!(check_ours(&file).is_ok());
    }
}
