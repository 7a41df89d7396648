//! Credential helper programs, `docker-credential-NAME`.
//!
//! # How it works
//!
//! The program is found on `PATH` and given one of `get`, `store` and `erase`; the
//! request goes to its standard input, the answer comes from its standard output.
//! The user name `<token>` marks an identity token.
//!
//! # Limits
//!
//! It has [`PATIENCE`] to answer, in which a person can unlock a keychain; then it is ended.
//!
//! A helper name is one path component, so that a configuration file cannot make us
//! run a program outside `PATH`.

use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::credential::{Credential, Secret};

const PREFIX: &str = "docker-credential-";
const TOKEN_USER: &str = "<token>";
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
const NOT_FOUND: &str = "credentials not found in native keychain";

/// Why a helper program was of no help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelperError {
    #[error("credential helper name `{name}` is not a plain name")]
    BadName { name: String },

    #[error("cannot run the credential helper `{PREFIX}{name}`")]
    Run { name: String, source: io::Error },

    #[error("the credential helper `{PREFIX}{name}` did not answer within {} seconds", PATIENCE.as_secs())]
    Silent { name: String },

    #[error("error getting credentials - err: {status}, out: `{output}`")]
    Failed { name: String, status: String, output: String },

    #[error("the credential helper `{PREFIX}{name}` gave an answer that is not understood")]
    Answer { name: String, source: serde_json::Error },
}

impl HelperError {
    /// One sentence that tells the user what to do next, when we know it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Run { name, source } if source.kind() == io::ErrorKind::NotFound => {
                Some(format!("install `{PREFIX}{name}` or remove it from config.json"))
            }
            Self::Silent { name } => Some(format!(
                "run `{PREFIX}{name} list` to see what it waits for, or remove it from config.json"
            )),
            _ => None,
        }
    }
}

impl HelperError {
    fn is_not_found(&self) -> bool {
        matches!(self, Self::Failed { output, .. } if output.contains(NOT_FOUND))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(rename = "ServerURL", default)]
    server_url: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// One helper program.
pub(crate) struct Helper<'a> {
    name: &'a str,
    /// Searched instead of `PATH`.
    search: Option<&'a OsStr>,
    patience: Duration,
}

impl<'a> Helper<'a> {
    pub(crate) fn new(name: &'a str) -> Self {
        Self { name, search: None, patience: PATIENCE }
    }

    /// Asks for the credential of `server`.
    pub(crate) fn get(&self, server: &str) -> Result<Option<Credential>, HelperError> {
        let output = match self.run("get", server.as_bytes()) {
            Ok(output) => output,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let answer: Answer = serde_json::from_slice(&output).map_err(|e| self.misunderstood(e))?;
        Ok(Some(if answer.username == TOKEN_USER {
            Credential::IdentityToken(Secret::new(answer.secret))
        } else {
            Credential::basic(answer.username, answer.secret)
        }))
    }

    /// Gives the helper a credential to keep.
    pub(crate) fn store(&self, server: &str, credential: &Credential) -> Result<(), HelperError> {
        let (username, secret) = match credential {
            Credential::Basic { username, password } => (username.as_str(), password),
            Credential::IdentityToken(token) | Credential::RegistryToken(token) => {
                (TOKEN_USER, token)
            }
        };
        let request = Answer {
            server_url: server.to_owned(),
            username: username.to_owned(),
            secret: secret.reveal().to_owned(),
        };
        let request = serde_json::to_vec(&request).map_err(|e| self.misunderstood(e))?;
        self.run("store", &request).map(drop)
    }

    /// Makes the helper forget the credential of `server`.
    pub(crate) fn erase(&self, server: &str) -> Result<(), HelperError> {
        match self.run("erase", server.as_bytes()) {
            Err(error) if error.is_not_found() => Ok(()),
            other => other.map(drop),
        }
    }

    fn misunderstood(&self, source: serde_json::Error) -> HelperError {
        HelperError::Answer { name: self.name.to_owned(), source }
    }

    fn run(&self, verb: &str, input: &[u8]) -> Result<Vec<u8>, HelperError> {
        let name = self.name;
        if name.is_empty() || name.contains(['/', '\0']) {
            return Err(HelperError::BadName { name: name.to_owned() });
        }
        let failed = |source| HelperError::Run { name: name.to_owned(), source };
        let mut command = Command::new(format!("{PREFIX}{name}"));
        if let Some(search) = self.search {
            command.env("PATH", search);
        }
        let mut child = command
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(failed)?;
        let answer = answer(&mut child, input.to_owned(), self.patience);
        let Some(output) = answer.map_err(failed)? else {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(HelperError::Silent { name: name.to_owned() });
        };
        let status = child.wait().map_err(failed)?;
        if !status.success() {
            return Err(HelperError::Failed {
                name: name.to_owned(),
                status: status.to_string(),
                output: String::from_utf8_lossy(&output).trim().to_owned(),
            });
        }
        Ok(output)
    }
}

/// What a helper says to `input`; `None` when it has not said it in time. Reads and writes are
/// another thread's, which ends with the helper's pipes.
fn answer(child: &mut Child, input: Vec<u8>, patience: Duration) -> io::Result<Option<Vec<u8>>> {
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (done, outcome) = channel();
    std::thread::spawn(move || {
        let talk = || {
            if let Some(mut stdin) = stdin {
                match stdin.write_all(&input) {
                    // A helper may answer without having read everything.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                    other => other?,
                }
            }
            let mut output = Vec::new();
            stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut output))?;
            Ok(output)
        };
        // Nobody listens any more when it took too long.
        drop(done.send(talk()));
    });
    match outcome.recv_timeout(patience) {
        Ok(output) => output.map(Some),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Ok(Some(Vec::new())),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Writes `docker-credential-fake`, which keeps one credential in a file.
    /// Written by another process: were it open for writing here, a child that another test starts meanwhile would have
    /// it too, and nothing that is open for writing can be executed.
    fn install(path: &Path, script: &str) {
        let write = "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let mut shell = std::process::Command::new("/bin/sh");
        assert!(shell.args(["-c", write]).arg(path).arg(script).status().unwrap().success());
    }

    fn fake(directory: &Path) -> OsString {
        let path = directory.join("docker-credential-fake");
        let script = format!(
            "#!/bin/sh\ncd '{}'\ncase $1 in\n\
             get) read -r url; test -e \"kept\" || {{ echo '{NOT_FOUND}'; exit 1; }}; cat kept;;\n\
             store) cat > kept;;\n\
             erase) rm kept 2>&-;;\n\
             esac\n",
            directory.display()
        );
        install(&path, &script);
        let mut search = directory.as_os_str().to_owned();
        search.push(":/usr/bin:/bin");
        search
    }

    #[test]
    fn a_helper_keeps_gives_and_forgets() {
        let directory = tempfile::tempdir().unwrap();
        let search = fake(directory.path());
        let helper = Helper { name: "fake", search: Some(&search), patience: PATIENCE };
        assert_eq!(helper.get("h.io").unwrap(), None);
        helper.store("h.io", &Credential::basic("u", "p\"w")).unwrap();
        assert_eq!(
            fs::read_to_string(directory.path().join("kept")).unwrap(),
            r#"{"ServerURL":"h.io","Username":"u","Secret":"p\"w"}"#
        );
        assert_eq!(helper.get("h.io").unwrap(), Some(Credential::basic("u", "p\"w")));

        let token = Credential::IdentityToken(Secret::new("t"));
        helper.store("h.io", &token).unwrap();
        assert_eq!(helper.get("h.io").unwrap(), Some(token));
        helper.erase("h.io").unwrap();
        assert_eq!(helper.get("h.io").unwrap(), None);
        let error = helper.erase("h.io").unwrap_err();
        assert_eq!(error.to_string(), "error getting credentials - err: exit status: 1, out: ``");
    }

    #[test]
    fn a_helper_that_hangs_is_ended_and_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker-credential-fake");
        install(&path, "#!/bin/sh\necho $$ > \"${0%/*}/pid\"; exec sleep 1000\n");
        let mut search = directory.path().as_os_str().to_owned();
        search.push(":/usr/bin:/bin");
        let patience = Duration::from_millis(500);
        let helper = Helper { name: "fake", search: Some(&search), patience };
        let error = helper.get("h.io").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the credential helper `docker-credential-fake` did not answer within 30 seconds"
        );
        assert!(error.hint().is_some());
        if let Ok(pid) = fs::read_to_string(directory.path().join("pid")) {
            assert!(!Path::new("/proc").join(pid.trim()).exists());
        }
    }

    #[test]
    fn a_helper_that_answers_rubbish_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let search = fake(directory.path());
        fs::write(directory.path().join("kept"), "rubbish").unwrap();
        let helper = Helper { name: "fake", search: Some(&search), patience: PATIENCE };
        assert_eq!(
            helper.get("h.io").unwrap_err().to_string(),
            "the credential helper `docker-credential-fake` gave an answer that is not understood"
        );
    }

    #[test]
    fn a_helper_outside_path_is_refused() {
        assert_eq!(
            Helper::new("../evil").get("h.io").unwrap_err().to_string(),
            "credential helper name `../evil` is not a plain name"
        );
    }

    #[test]
    fn a_missing_helper_has_a_hint() {
        let error = Helper::new("coracle-test-none").get("h.io").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot run the credential helper `docker-credential-coracle-test-none`"
        );
        assert_eq!(
            error.hint().unwrap(),
            "install `docker-credential-coracle-test-none` or remove it from config.json"
        );
    }
}
