//! `RUN`, and the command lines of `CMD` and `ENTRYPOINT`.

use super::device::{self, Device};
use super::flags::{Flags, Takes};
use super::mount;
use crate::dockerfile::{Heredoc, Line};
use crate::source::Fault;

/// A command line in one of its two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub words: Vec<String>,
    /// It is one text for the shell.
    pub with_shell: bool,
    pub heredocs: Vec<Heredoc>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub command: Command,
    /// As written: variables in them are replaced when their values are known ([`mount::read`]).
    pub mounts: Vec<String>,
    pub network: Network,
    pub security: Security,
    pub devices: Vec<Device>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Default,
    Host,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Insecure,
    Sandbox,
}

pub(super) fn command(line: &Line) -> Command {
    Command {
        words: line.arguments.words().to_vec(),
        with_shell: !line.arguments.is_json(),
        heredocs: line.heredocs.clone(),
    }
}

pub(super) fn read(line: &Line) -> Result<Run, Fault> {
    let known = [
        ("mount", Takes::Texts),
        ("network", Takes::Text),
        ("security", Takes::Text),
        ("device", Takes::Texts),
    ];
    let flags = Flags::read(&line.flags, &known)?;
    let mounts = flags.texts("mount");
    for mount in &mounts {
        mount::precheck(mount)?;
    }
    let network = match flags.text("network") {
        None | Some("default") => Network::Default,
        Some("none") => Network::None,
        Some("host") => Network::Host,
        Some(other) => return Err(Fault::new(format!("invalid network mode {other:?}"))),
    };
    let security = match flags.text("security") {
        None | Some("sandbox") => Security::Sandbox,
        Some("insecure") => Security::Insecure,
        Some(other) => return Err(Fault::new(format!("security {other:?} is not valid"))),
    };
    let devices =
        flags.texts("device").iter().map(|text| device::read(text)).collect::<Result<_, _>>()?;
    Ok(Run { command: command(line), mounts, network, security, devices })
}
