//! `secret create` and `config create`: keep the content of a file, or of standard input, in the swarm.

use std::fs::File;
use std::io::{Read, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coracle_swarm::model::SecretSpec;
use coracle_swarm::model::task::LogDriver as Driver;
use coracle_swarm::protocol::Request;
use coracle_words::pairs;
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Content that is read at most, in bytes: what is larger than any secret or config is told so by size.
const READ_MAX: usize = 2 * 1000 * 1024;

/// Keep a secret, from a file or standard input (-)
#[derive(Debug, clap::Args)]
pub(crate) struct SecretCreateArgs {
    /// An external store of secrets (not supported)
    #[arg(long, short = 'd', value_name = "string")]
    pub(crate) driver: Option<String>,
    /// KEY=VALUE label (can be repeated)
    #[arg(long, short = 'l', value_name = "list")]
    pub(crate) label: Vec<String>,
    /// Fill the content in as a template for each task: golang
    #[arg(long, value_name = "string")]
    pub(crate) template_driver: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Keep a config, from a file or standard input (-)
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigCreateArgs {
    /// KEY=VALUE label (can be repeated)
    #[arg(long, short = 'l', value_name = "list")]
    pub(crate) label: Vec<String>,
    /// Fill the content in as a template for each task: golang
    #[arg(long, value_name = "string")]
    pub(crate) template_driver: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for SecretCreateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let file = self.args.get(1);
        if self.driver.as_deref().is_some_and(|driver| !driver.is_empty()) {
            return Err(match file {
                Some(_) => CliError::plain("When using secret driver secret data must be empty"),
                None => CliError::unsupported("--driver", "there are no plugins that keep secrets"),
            });
        }
        let file = file.ok_or_else(|| CliError::plain("secret file is required"))?;
        let data = content(file)?;
        let spec = spec(&self.args, &self.label, self.template_driver.as_deref());
        create(app, Request::CreateSecret { spec, data })
    }
}

impl Runnable for ConfigCreateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let data = content(self.args.get(1).map_or("-", String::as_str))?;
        let spec = spec(&self.args, &self.label, self.template_driver.as_deref());
        create(app, Request::CreateConfig { spec, data })
    }
}

fn create(app: &mut App, request: Request) -> CommandResult {
    app.manager()?;
    let id = app.order(&request)?;
    writeln!(app.ui.data(), "{id}")?;
    Ok(ExitStatus::Success)
}

fn spec(args: &[String], labels: &[String], template: Option<&str>) -> SecretSpec {
    let driver = |name: &str| Driver { name: name.to_owned(), ..Driver::default() };
    SecretSpec {
        name: args.first().cloned().unwrap_or_default(),
        labels: pairs(labels),
        driver: None,
        templating: template.filter(|name| !name.is_empty()).map(driver),
    }
}

/// The content in base64. What is clear is wiped.
pub(super) fn content(file: &str) -> Result<Zeroizing<String>, CliError> {
    match file {
        "-" => encoded("STDIN", std::io::stdin().lock()),
        file => match File::open(file) {
            Ok(open) => encoded(file, open),
            Err(error) => {
                let why = go_words(&error);
                Err(CliError::plain(format!("error reading from {file}: open {file}: {why}")))
            }
        },
    }
}

fn encoded(name: &str, from: impl Read) -> Result<Zeroizing<String>, CliError> {
    // In one piece from the beginning: what grows leaves copies behind.
    let mut clear = Zeroizing::new(Vec::with_capacity(READ_MAX + 1));
    let failed = |error: std::io::Error| {
        CliError::plain(format!("error reading from {name}: {}", go_words(&error)))
    };
    from.take(READ_MAX as u64).read_to_end(&mut clear).map_err(failed)?;
    if clear.is_empty() {
        return Err(CliError::plain(format!("error reading from {name}: data is empty")));
    }
    let mut text = Zeroizing::new(String::with_capacity(clear.len().div_ceil(3) * 4));
    BASE64.encode_string(clear.as_slice(), &mut text);
    Ok(text)
}

/// As Go says it: small letters, no number.
fn go_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_read_or_missed_as_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f.txt");
        std::fs::write(&file, "abc").unwrap();
        assert_eq!(content(file.to_str().unwrap()).unwrap().as_str(), "YWJj");
        assert_eq!(
            content("/nosuch.txt").unwrap_err().message,
            "error reading from /nosuch.txt: open /nosuch.txt: no such file or directory"
        );
        assert_eq!(
            content("/dev/null").unwrap_err().message,
            "error reading from /dev/null: data is empty"
        );
        // Too large for a secret, and not read for ever.
        let zeros = encoded("zero", std::io::repeat(0)).unwrap();
        assert_eq!(zeros.len(), READ_MAX.div_ceil(3) * 4);
    }
}
