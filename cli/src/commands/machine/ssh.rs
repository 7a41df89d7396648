//! `machine ssh`: a shell, or a command of one, in which this program is given its commands on a machine.
//!
//! It is a shell of this user on this machine: files and processes are those that are here. `docker`, `docker-compose`
//! and `docker-machine` are this program in it, by links beside the state of the swarm.

use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Run a command on a machine, or a shell
#[derive(Debug, clap::Args)]
pub(crate) struct MachineSshArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

const PROGRAMS: [&str; 4] = ["coracle", "docker", "docker-compose", "docker-machine"];
/// What would have a command go elsewhere.
const ELSEWHERE: [&str; 4] =
    ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];

impl Runnable for MachineSshArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let (name, words) = match self.args.split_first() {
            Some((name, words)) => (name.as_str(), words),
            None => ("", &[][..]),
        };
        let (_, reader) = app.swarm_state()?;
        super::find_running(app.program, &reader.state, name)?;
        let links = coracle_swarm::journal::folder(&app.settings.data_root).join("bin");
        link(&links).map_err(|error| {
            CliError::plain(format!("cannot make links in {}: {error}", links.display()))
        })?;
        let path = match app.settings.environment.get("PATH") {
            Some(path) => format!("{}:{path}", links.display()),
            None => format!("{}:/usr/bin:/bin", links.display()),
        };
        let mut shell = match words {
            // A person's own.
            [] => Command::new(app.settings.environment.get("SHELL").unwrap_or("/bin/sh")),
            // As over there: a shell takes the words apart again.
            words => {
                let mut shell = Command::new("/bin/sh");
                shell.arg("-c").arg(words.join(" "));
                shell
            }
        };
        for variable in ELSEWHERE {
            shell.env_remove(variable);
        }
        app.ui.flush()?;
        let error = shell
            .env("PATH", path)
            .env("CORACLE_NODE", name)
            .env("DOCKER_MACHINE_NAME", name)
            .exec();
        let error = CliError::plain(format!("cannot run a shell: {error}"));
        Err(error.status(ExitStatus::NotExecutable))
    }
}

/// Links to this program, which are made anew when it is another.
fn link(folder: &Path) -> std::io::Result<()> {
    let program: PathBuf = std::env::current_exe()?;
    std::fs::create_dir_all(folder)?;
    for name in PROGRAMS {
        let link = folder.join(name);
        if std::fs::read_link(&link).is_ok_and(|there| there == program) {
            continue;
        }
        // Another command may do the same at this moment: a link gets its name whole.
        let new = folder.join(format!("{name}.{}", std::process::id()));
        symlink(&program, &new)?;
        std::fs::rename(&new, &link)?;
    }
    Ok(())
}
