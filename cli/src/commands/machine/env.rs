//! `machine env`: what a shell has to know so that the commands in it are given on a machine.

use std::io::Write as _;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Show what sets a shell up to work on a machine
#[derive(Debug, clap::Args)]
pub(crate) struct MachineEnvArgs {
    /// The shell: sh, bash, zsh, dash, ksh or fish (default sh)
    #[arg(long, value_name = "string")]
    pub(crate) shell: Option<String>,
    /// Back to this machine itself
    #[arg(long, short = 'u')]
    pub(crate) unset: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// The one that counts, and the one that prompts of shells show.
const VARIABLES: [&str; 2] = ["CORACLE_NODE", "DOCKER_MACHINE_NAME"];

impl Runnable for MachineEnvArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let is_fish = match self.shell.as_deref() {
            None | Some("sh" | "bash" | "zsh" | "dash" | "ksh") => false,
            Some("fish") => true,
            Some(other) => {
                let why = "sh, bash, zsh, dash, ksh and fish are known";
                return Err(CliError::unsupported(&format!("--shell {other}"), why));
            }
        };
        let text = match (self.unset, self.args.first()) {
            (true, None) => lines(None, is_fish, app.program),
            (true, Some(_)) => return Err(CliError::plain("-u is of no machine in particular")),
            (false, None) => return Err(CliError::plain("which machine? Give its name, or -u")),
            (false, Some(name)) => {
                let (_, reader) = app.swarm_state()?;
                super::find_running(app.program, &reader.state, name)?;
                lines(Some(name), is_fish, app.program)
            }
        };
        app.ui.data().write_all(text.as_bytes())?;
        Ok(ExitStatus::Success)
    }
}

fn lines(name: Option<&str>, is_fish: bool, program: &str) -> String {
    let line = |variable: &str| match (name, is_fish) {
        (Some(name), false) => format!("export {variable}=\"{name}\"\n"),
        (Some(name), true) => format!("set -gx {variable} \"{name}\";\n"),
        (None, false) => format!("unset {variable}\n"),
        (None, true) => format!("set -e {variable};\n"),
    };
    let mut text: String = VARIABLES.into_iter().map(line).collect();
    let of = name.unwrap_or("-u");
    text.push_str("# Run this command to configure your shell:\n");
    text.push_str(&match is_fish {
        false => format!("# eval $({program} machine env {of})\n"),
        true => format!("# {program} machine env --shell fish {of} | source\n"),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn every_shell_has_its_own_words() {
        assert_eq!(
            lines(Some("vm1"), false, "docker"),
            "export CORACLE_NODE=\"vm1\"\nexport DOCKER_MACHINE_NAME=\"vm1\"\n# Run this command to configure your \
             shell:\n# eval $(docker machine env vm1)\n"
        );
        assert!(lines(None, false, "docker").starts_with("unset CORACLE_NODE\nunset DOCKER_"));
        assert!(lines(Some("vm1"), true, "x").starts_with("set -gx CORACLE_NODE \"vm1\";\n"));
        assert!(lines(None, true, "x").starts_with("set -e CORACLE_NODE;\n"));
    }
}
