//! `cp`: copy files between a container and here.

use std::io::Write as _;

use coracle_runtime::EngineError;
use coracle_runtime::copy::{ContainerPath, Copied, CopyOptions, HostSource, HostTarget, absolute};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::format::units;
use crate::threads::apart;
use crate::ui::Ui;
use coracle_view::container::find_id;

/// Copy files between a container and here
#[derive(Debug, clap::Args)]
pub(crate) struct CpArgs {
    /// Keep owner and group ids of the copied files
    #[arg(long, short = 'a')]
    pub(crate) archive: bool,
    /// Dereference symbolic links in the source path
    #[arg(long, short = 'L')]
    pub(crate) follow_link: bool,
    /// No progress display
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for CpArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let [source, target] = self.args.as_slice() else {
            return Ok(ExitStatus::Success);
        };
        let options = CopyOptions { archive: self.archive, follow_link: self.follow_link };
        let refuse = |text: &str| Err(CliError::plain(text));
        let copied = match (container_path(source), container_path(target)) {
            (Some(_), Some(_)) => {
                return refuse("copying between containers is not supported");
            }
            (None, None) => return refuse("must specify at least one container source"),
            (None, Some(to)) => copy_in(app, source, &to, options)?,
            (Some(from), None) => copy_out(app, &from, target, options)?,
        };
        let streamed = source == "-" || target == "-";
        if !self.quiet && !streamed && Ui::stderr_is_terminal() {
            let line = summary(&copied);
            writeln!(app.ui.status(), "{line}")?;
        }
        Ok(ExitStatus::Success)
    }
}

/// The size of what was copied, and of the archive it went in when that is another.
fn summary(copied: &Copied) -> String {
    let sizes = match copied.bytes == copied.content {
        true => units::short_size(copied.content),
        false => format!(
            "{} (transferred {})",
            units::short_size(copied.content),
            units::short_size(copied.bytes)
        ),
    };
    format!("Successfully copied {sizes} to {}", copied.target)
}

/// `CONTAINER:PATH`; what begins with a slash or a dot is a path of the host.
pub(crate) fn container_path(text: &str) -> Option<ContainerPath<'_>> {
    if text.starts_with(['/', '.']) {
        return None;
    }
    let (name, path) = text.split_once(':')?;
    (!name.is_empty()).then_some(ContainerPath { name, path })
}

fn host_path(path: &str) -> Result<String, CliError> {
    let here = std::env::current_dir()
        .map_err(|e| CliError::plain(format!("cannot tell the current folder: {e}")))?;
    Ok(absolute(&here.to_string_lossy(), path))
}

/// Copies a path of the host, or what standard input brings, into a container.
pub(crate) fn copy_in(
    app: &mut App,
    source: &str,
    to: &ContainerPath<'_>,
    options: CopyOptions,
) -> Result<Copied, CliError> {
    let id = find_id(&app.home, to.name)?;
    let path = host_path(source)?;
    let (engine, session) = app.engine_in_session()?;
    let session = &*session;
    apart(|| {
        let mut stdin = std::io::stdin();
        let from = match source {
            "-" => HostSource::Stream(&mut stdin),
            _ => HostSource::Path(&path),
        };
        engine.copy_in(session, &id, to, from, options)
    })?
    .map_err(failure)
}

/// Copies a path of a container to the host, or to standard output.
pub(crate) fn copy_out(
    app: &mut App,
    from: &ContainerPath<'_>,
    target: &str,
    options: CopyOptions,
) -> Result<Copied, CliError> {
    let id = find_id(&app.home, from.name)?;
    let path = host_path(target)?;
    let (engine, session) = app.engine_in_session()?;
    let session = &*session;
    apart(|| {
        let mut stdout = std::io::stdout();
        let to = match target {
            "-" => HostTarget::Stream(&mut stdout),
            _ => HostTarget::Path(&path),
        };
        engine.copy_out(session, &id, from, to, options)
    })?
    .map_err(failure)
}

/// What Docker's client finds by itself is told without preface.
fn failure(error: EngineError) -> CliError {
    let own = matches!(&error, EngineError::Copy(error) if error.is_clients_own());
    let text = error.to_string();
    let mut out = CliError::from(error);
    if own {
        out.message = text;
    }
    out
}

#[cfg(test)]
mod tests {
    use coracle_runtime::copy::Copied;

    use crate::commands::container::cp::{container_path, summary};

    #[test]
    fn two_sizes_where_they_differ() {
        let line = |content, bytes| summary(&Copied { bytes, content, target: "c:/f".to_owned() });
        assert_eq!(
            line(2_012_345, 2_530_000),
            "Successfully copied 2.01MB (transferred 2.53MB) to c:/f"
        );
        assert_eq!(
            line(2_048_000, 2_049_536),
            "Successfully copied 2.05MB (transferred 2.05MB) to c:/f"
        );
        assert_eq!(line(1536, 1536), "Successfully copied 1.54kB to c:/f");
    }

    #[test]
    fn which_side_is_the_container() {
        let named = |text| container_path(text).map(|p| (p.name.to_owned(), p.path.to_owned()));
        assert_eq!(named("web:/etc"), Some(("web".to_owned(), "/etc".to_owned())));
        assert_eq!(named("./a:b"), None);
        assert_eq!(named("/a:b"), None);
        assert_eq!(named("a"), None);
        assert_eq!(named("-"), None);
        assert_eq!(named(":x"), None);
    }
}
