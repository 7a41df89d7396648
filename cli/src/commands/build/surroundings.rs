//! What a build asks of the program around it: images.
//!
//! # How it works
//!
//! An image is looked up in the store under its name, then under what aliases and search registries make of it. What
//! is not there comes by a second process, as for `run`: a transfer starts threads, and a build forks.

use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use coracle_builder::exec::{BuildError, Surroundings, Trouble};
use coracle_builder::progress::TICK;
use coracle_builder::sources::git::GitSettings;
use coracle_image::{Image, Platform, Reference};
use coracle_runtime::Home;
use coracle_sys::signal;
use coracle_words::ErrorKind;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::app::App;
use crate::builtin;
use crate::commands::container::create::local;
use crate::error::CliError;
use crate::fetch::{self, Transfer};
use crate::registries;
use crate::settings::Settings;

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// The program around a build.
pub(crate) struct OfApp<'a> {
    app: &'a mut App,
    /// The user namespace that the command began in.
    outside: Option<PathBuf>,
    signals: OwnedFd,
}

impl<'a> OfApp<'a> {
    /// From now on SIGINT and SIGTERM end the build and not the process.
    pub(crate) fn new(app: &'a mut App) -> Result<Self, CliError> {
        let signals = signal::signal_fd(&[SIGINT, SIGTERM])
            .map_err(|error| CliError::plain(format!("cannot watch for signals: {error}")))?;
        Ok(Self { app, outside: user_namespace(), signals })
    }

    /// The signal that ended the build.
    pub(crate) fn interrupted_by(&self) -> Option<i32> {
        signal::next_signal(self.signals.as_fd())
    }

    fn look_up(&self, name: &Reference, platform: &str) -> Result<Option<Image>, CliError> {
        match local(self.app, &name.to_string(), Some(platform))? {
            Some(image) => Ok(Some(image)),
            None => local(self.app, &name.familiar(), Some(platform)),
        }
    }

    fn find(
        &mut self,
        name: &Reference,
        platform: &str,
        pull: bool,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<Image, CliError> {
        let is_builtin = name.domain() == builtin::DOMAIN;
        if is_builtin {
            builtin::prepare_outside(self.app, &name.to_string())?;
        }
        if (!pull || is_builtin)
            && let Some(image) = self.look_up(name, platform)?
        {
            return Ok(image);
        }
        let is_inside = user_namespace() != self.outside;
        let wanted = name.familiar();
        let transfer = fetch::begin_from(self.app, &wanted, Some(platform), is_inside)?;
        wait(transfer, self.signals.as_fd(), watch)?;
        self.look_up(name, platform)?.ok_or_else(|| {
            CliError::plain(format!("no match for platform in manifest: {platform}: not found"))
        })
    }
}

/// How web servers and repositories are reached: as registries are, with the user's `git` and the hosts that he knows.
pub(super) fn network(settings: &Settings) -> GitSettings {
    let environment = &settings.environment;
    let home = environment.get("HOME").map(PathBuf::from);
    GitSettings {
        search: environment.get("PATH").unwrap_or_default().into(),
        network: registries::settings(settings),
        known_hosts: home.map(|home| home.join(".ssh/known_hosts")).filter(|path| path.is_file()),
    }
}

fn user_namespace() -> Option<PathBuf> {
    std::fs::read_link("/proc/self/ns/user").ok()
}

impl Surroundings for OfApp<'_> {
    fn standard_output(&self) -> Option<OwnedFd> {
        std::io::stdout().as_fd().try_clone_to_owned().ok()
    }

    fn home(&mut self) -> &mut Home {
        &mut self.app.home
    }

    fn network(&self) -> GitSettings {
        network(&self.app.settings)
    }

    fn interrupt(&self) -> Option<BorrowedFd<'_>> {
        Some(self.signals.as_fd())
    }

    fn image(
        &mut self,
        name: &Reference,
        platform: &Platform,
        pull: bool,
        watch: &mut dyn FnMut(u64, u64),
    ) -> Result<Image, Trouble> {
        self.find(name, &platform.to_string(), pull, watch).map_err(|error| {
            let canceled = BuildError::canceled();
            if error.message == canceled.message {
                return Trouble { message: canceled.message, hint: None, kind: canceled.kind };
            }
            let why = error.message.trim_start_matches("Error response from daemon: ");
            let why = std::iter::once(why).chain(error.causes.iter().map(String::as_str));
            let why = why.collect::<Vec<_>>().join(": ");
            Trouble {
                message: format!("failed to resolve source metadata for {name}: {why}"),
                // That of `run` names a flag that a build has not.
                hint: error.hint.map(|hint| match hint.contains("--pull never") {
                    true => {
                        "`load` takes an image from a file; without --pull one that is here is used"
                            .to_owned()
                    }
                    false => hint,
                }),
                kind: ErrorKind::NotFound,
            }
        })
    }
}

/// Until the image is here; tells how far it is.
fn wait(
    mut transfer: Transfer,
    interrupt: BorrowedFd<'_>,
    watch: &mut dyn FnMut(u64, u64),
) -> Result<(), CliError> {
    let failed =
        |error: std::io::Error| CliError::plain(format!("cannot fetch the image: {error}"));
    let tick = Timespec::try_from(TICK).ok();
    let (mut said, mut lines) = (Vec::new(), Vec::new());
    let mut buffer = [0; 4096];
    let (mut current, mut total) = (0, 0);
    loop {
        let ready = {
            let output = transfer.output.as_ref().map(|pipe| pipe.as_fd());
            let fds = [Some(interrupt), Some(transfer.errors.as_fd()), output];
            let mut fds: Vec<_> = fds
                .into_iter()
                .flatten()
                .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
                .collect();
            match poll(&mut fds, tick.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(failed(error.into())),
            }
            fds.iter().map(|fd| !fd.revents().is_empty()).collect::<Vec<_>>()
        };
        if ready.first() == Some(&true) {
            transfer.stop();
            return Err(CliError::plain(BuildError::canceled().message));
        }
        if let Some(output) = transfer.output.as_mut().filter(|_| ready.get(2) == Some(&true)) {
            let count = output.read(&mut buffer).map_err(failed)?;
            if count == 0 {
                transfer.output = None;
            }
            lines.extend_from_slice(&buffer[..count]);
            if let Some(report) = last_report(&mut lines) {
                (current, total) = report;
            }
        }
        watch(current, total);
        if ready.get(1) == Some(&true) {
            let count = transfer.errors.read(&mut buffer).map_err(failed)?;
            said.extend_from_slice(&buffer[..count]);
            if count == 0 {
                return transfer.finish(&said);
            }
        }
    }
}

/// The last whole line `CURRENT TOTAL`; what comes after it stays.
fn last_report(bytes: &mut Vec<u8>) -> Option<(u64, u64)> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n')?;
    let rest = bytes.split_off(end + 1);
    let whole = std::mem::replace(bytes, rest);
    let text = String::from_utf8(whole).ok()?;
    let (current, total) = text.lines().last()?.split_once(' ')?;
    Some((current.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_cut_waits_for_its_end() {
        let mut bytes = b"1 9\n4 9\n7".to_vec();
        assert_eq!(last_report(&mut bytes), Some((4, 9)));
        assert_eq!(last_report(&mut bytes), None);
        bytes.extend_from_slice(b" 9\n");
        assert_eq!(last_report(&mut bytes), Some((7, 9)));
    }
}
