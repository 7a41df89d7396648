//! `system unit swarm`: a unit of systemd's user manager that brings services back after a reboot.
//!
//! # How it works
//!
//! Any command starts the agent of a swarm that has services, so the unit gives one that only looks. Agent and tasks are
//! processes of the unit: stopping it ends them, starting it brings them back. It is enabled by a link, as
//! `systemctl enable` does; the manager is not asked, and what it has to be told is left to the user, who reads it.
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

const NAME: &str = "coracle-swarm.service";
/// The first line: what begins otherwise is not ours.
const FIRST: &str = "# Made by `coracle system unit swarm`.";
const WANTS: &str = "default.target.wants";
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

/// Print or install a systemd unit that brings services back
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
        if what != "swarm" {
            return Err(CliError::plain(format!(
                "there is no unit {what}: the one there is, is swarm"
            )));
        }
        let folder = app.settings.config_home.join("systemd/user");
        if self.remove {
            return remove(app, &folder);
        }
        let exe = HostFacts::look()?.exe;
        let text = text(&exe.display().to_string(), &environment(&app.settings));
        if self.install {
            return install(app, &folder, &text);
        }
        app.ui.data().write_all(text.as_bytes())?;
        Ok(ExitStatus::Success)
    }
}

fn environment(settings: &Settings) -> Vec<(String, String)> {
    let value = |name: &str| settings.environment.get(name).map(str::to_owned);
    KEPT.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect()
}

/// The unit, for this executable. Pure.
fn text(exe: &str, environment: &[(String, String)]) -> String {
    let mut out = format!(
        "{FIRST}\n[Unit]\nDescription=Services of the swarm (Coracle)\n\n[Service]\nType=oneshot\n\
         RemainAfterExit=yes\nDelegate=yes\n"
    );
    for (name, value) in environment {
        // Writing to a string does not fail.
        writeln!(out, "Environment={}", quoted(&format!("{name}={value}"))).unwrap_or_default();
    }
    let program = quoted(exe).replace('$', "$$");
    writeln!(out, "ExecStart={program} service ls -q").unwrap_or_default();
    out.push_str("\n[Install]\nWantedBy=default.target\n");
    out
}

/// A word as systemd.syntax(7) reads it back.
fn quoted(word: &str) -> String {
    let inner = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    format!("\"{}\"", inner.replace('\n', "\\n"))
}

/// Whether systemd's user manager runs for this user.
fn has_manager(settings: &Settings) -> bool {
    let folder = settings.session_dir.as_ref();
    folder.is_some_and(|folder| folder.join("systemd/private").exists())
}

fn install(app: &mut App, folder: &Path, text: &str) -> CommandResult {
    let (file, program) = (folder.join(NAME), app.program);
    if !has_manager(&app.settings) {
        let words = "no user manager of systemd runs for this user, and nothing was installed";
        let hint = format!(
            "log in through systemd and do it there; or `mkdir -p {}`, `{program} system unit swarm > {}`, and \
             `systemctl --user enable --now {NAME}` once there is one",
            folder.display(),
            file.display()
        );
        return Err(CliError::plain(words).hint(hint));
    }
    check_ours(&file)?;
    let link = folder.join(WANTS).join(NAME);
    let fail = |what: &Path| {
        let what = what.display().to_string();
        move |error: io::Error| CliError::plain(format!("cannot write {what}: {error}"))
    };
    std::fs::create_dir_all(folder.join(WANTS)).map_err(fail(folder))?;
    std::fs::write(&file, text).map_err(fail(&file))?;
    match std::os::unix::fs::symlink(Path::new("..").join(NAME), &link) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(fail(&link)(error));
        }
        _ => {}
    }
    let out = app.ui.data();
    writeln!(out, "Wrote {}", file.display())?;
    writeln!(out, "Enabled by {}", link.display())?;
    writeln!(out, "Now type `systemctl --user daemon-reload && systemctl --user start {NAME}`.")?;
    writeln!(
        out,
        "Services come back when you log in; after `loginctl enable-linger` when the machine starts."
    )?;
    Ok(ExitStatus::Success)
}

fn remove(app: &mut App, folder: &Path) -> CommandResult {
    let file = folder.join(NAME);
    check_ours(&file)?;
    let mut gone: Vec<PathBuf> = Vec::new();
    for path in [folder.join(WANTS).join(NAME), file] {
        match std::fs::remove_file(&path) {
            Ok(()) => gone.push(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CliError::plain(format!("cannot remove {}: {error}", path.display())));
            }
        }
    }
    if gone.is_empty() {
        let words = format!("there is no {NAME} in {}", folder.display());
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

    #[test]
    fn the_unit_gives_a_command_that_looks() {
        let environment = [("CORACLE_DATA_ROOT".to_owned(), "/d/50% \"x\"".to_owned())];
        insta::assert_snapshot!(text("/opt/my tools/$coracle", &environment), @r#"
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
    fn a_unit_of_somebody_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(NAME);
        assert!(check_ours(&file).is_ok());
        std::fs::write(&file, "[Unit]\n").unwrap();
        assert!(check_ours(&file).unwrap_err().message.ends_with("stays as it is"));
        std::fs::write(&file, text("/c", &[])).unwrap();
        assert!(check_ours(&file).is_ok());
    }
}
