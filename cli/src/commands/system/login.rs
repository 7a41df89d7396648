//! `login`: log in to a registry.

use std::io::{Read as _, Write as _};

use coracle_image::Credential;

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::terminal::{ask, ask_unseen};
use crate::ui::Ui;

/// Log in to a registry
#[derive(Debug, clap::Args)]
pub(crate) struct LoginArgs {
    /// Password or token; - reads standard input
    #[arg(long, short = 'p', value_name = "string")]
    pub(crate) password: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Account name
    #[arg(long, short = 'u', value_name = "string")]
    pub(crate) username: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

/// Docker Hub, as people are told of it.
const HUB: &str = "https://index.docker.io/v1/";

/// A registry as login and logout take it.
#[derive(Debug)]
pub(crate) struct Registry {
    /// What is shown.
    pub(crate) shown: String,
    /// Its host, under which credentials are kept.
    pub(crate) key: String,
}

/// The registry that was named, or Docker Hub.
pub(crate) fn registry(given: Option<&str>) -> Registry {
    let given = given.unwrap_or_default();
    let bare = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://"));
    let host = bare.unwrap_or(given).split('/').next().unwrap_or_default();
    match host {
        "" | "docker.io" | "index.docker.io" | "registry-1.docker.io" => {
            Registry { shown: HUB.to_owned(), key: "docker.io".to_owned() }
        }
        host => Registry { shown: host.to_owned(), key: host.to_owned() },
    }
}

impl Runnable for LoginArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let registry = registry(self.args.first().map(String::as_str));
        let credential = self.credential(app, &registry)?;
        app.check_login(&registry.key, &credential)?;
        let stored = app.credentials().store(&registry.key, &credential).map_err(|e| {
            let hint = e.hint();
            let mut error = CliError::library(&e, hint);
            error.message = format!("Error saving credentials: {e}");
            error
        })?;
        if let Some(warning) = stored.warning() {
            writeln!(app.ui.status(), "{warning}")?;
        }
        writeln!(app.ui.data(), "Login Succeeded")?;
        Ok(ExitStatus::Success)
    }
}

/// One end of a line is cut off; every other character may be one of the password.
fn without_end(text: &str) -> &str {
    let ends = ["\r\n", "\n", "\r"];
    ends.iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text)
}

impl LoginArgs {
    fn reads_stdin(&self) -> bool {
        self.password_stdin || self.password.as_deref() == Some("-")
    }

    fn check(&self) -> Result<(), CliError> {
        let refuse = |text: &str| Err(CliError::plain(text));
        let given = self.password.as_deref();
        if self.reads_stdin() {
            if given.is_some_and(|password| password != "-") {
                return refuse(
                    "conflicting options: cannot specify both --password and --password-stdin",
                );
            }
            if self.username.is_none() {
                return refuse("the --password-stdin option requires --username to be set");
            }
        }
        if self.username.as_deref() == Some("") {
            return refuse("username is empty");
        }
        if given.is_some_and(|password| password.trim().is_empty()) {
            return refuse("password is empty");
        }
        Ok(())
    }

    fn credential(&self, app: &mut App, registry: &Registry) -> Result<Credential, CliError> {
        self.check()?;
        let username = self.username.clone();
        if self.reads_stdin()
            && let Some(username) = &username
        {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|e| CliError::plain(format!("cannot read the password: {e}")))?;
            let password = without_end(&text);
            if password.trim().is_empty() {
                return Err(CliError::plain("password is empty"));
            }
            return Ok(Credential::basic(username.clone(), password));
        }
        if self.password.is_some() {
            let text = "WARNING! Using --password via the CLI is insecure. Use --password-stdin.";
            writeln!(app.ui.status(), "{text}")?;
        }
        if let (Some(username), Some(password)) = (&username, &self.password) {
            return Ok(Credential::basic(username.clone(), password.clone()));
        }
        if !Ui::stdin_is_terminal() {
            let text = "error: cannot perform an interactive login from a non-TTY device";
            return Err(CliError::plain(text));
        }
        let username = match username {
            Some(username) => username,
            None => ask(app, &format!("Username for {}: ", registry.shown))?,
        };
        if username.is_empty() {
            return Err(CliError::plain("error: username is required"));
        }
        let password = match &self.password {
            Some(password) => password.clone(),
            None => ask_unseen(app, "Password: ")?,
        };
        if password.is_empty() {
            return Err(CliError::plain("error: password is required"));
        }
        Ok(Credential::basic(username, password))
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::system::login::{registry, without_end};

    #[test]
    fn one_end_of_a_line_is_no_part_of_a_password() {
        for (read, password) in
            [("x\n", "x"), ("x\r\n", "x"), ("x\r", "x"), (" x \n\n", " x \n"), ("x", "x"), ("", "")]
        {
            assert_eq!(without_end(read), password);
        }
    }

    #[test]
    fn registries() {
        assert_eq!(registry(None).shown, "https://index.docker.io/v1/");
        assert_eq!(registry(Some("docker.io")).key, "docker.io");
        assert_eq!(registry(Some("https://127.0.0.1:5001/v2/")).key, "127.0.0.1:5001");
        assert_eq!(registry(Some("ghcr.io")).shown, "ghcr.io");
    }
}
