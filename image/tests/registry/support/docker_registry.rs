//! The reference registry, started on a free port of this machine and stopped by id.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

const PROGRAM: &str = "/usr/bin/docker-registry";
/// User `u` with password `pw`.
const HTPASSWD: &str = "u:$2y$05$TeURFXfG.7spmOv0gIgEy.JwRieHiafgsvQMHhmjoRydcr/E8h34q\n";

/// A running registry.
pub(crate) struct DockerRegistry {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    _directory: tempfile::TempDir,
}

/// How it is set up.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) htpasswd: bool,
    /// Certificate and key files.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// The authority that client certificates must come from.
    pub(crate) client_ca: Option<PathBuf>,
    /// The content of a registry that is gone.
    pub(crate) data: Option<PathBuf>,
    /// Lines of the `auth` section.
    pub(crate) token: Option<String>,
}

/// Whether the program is here; says so when not.
pub(crate) fn available(test: &str) -> bool {
    let found = Path::new(PROGRAM).exists();
    if !found {
        eprintln!("skipped {test}: {PROGRAM} is not installed");
    }
    found
}

impl DockerRegistry {
    pub(crate) fn start(setup: &Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        let data = setup.data.clone().unwrap_or_else(|| directory.path().join("data"));
        let mut config = format!(
            "version: 0.1\n\
             log: {{accesslog: {{disabled: true}}, level: info}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http:\n  addr: 127.0.0.1:0\n  secret: s\n",
            data.display()
        );
        if let Some((certificate, key)) = &setup.tls {
            config += &format!(
                "  tls:\n    certificate: {}\n    key: {}\n",
                certificate.display(),
                key.display()
            );
            if let Some(ca) = &setup.client_ca {
                config += &format!("    clientcas: [{}]\n", ca.display());
            }
        }
        if setup.htpasswd {
            fs::write(at("htpasswd"), HTPASSWD).unwrap();
            config += &format!("auth: {{htpasswd: {{realm: r, path: {}}}}}\n", at("htpasswd"));
        }
        if let Some(token) = &setup.token {
            config += &format!("auth:\n  token: {token}\n");
        }
        fs::write(at("config.yml"), config).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["serve", &at("config.yml")])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let host = wait_until_listening(&mut child);
        Self { child, host, _directory: directory }
    }
}

/// Reads the log up to the line that tells the port; the rest is read and dropped.
fn wait_until_listening(child: &mut Child) -> String {
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "the registry ended: {seen}");
        if let Some((_, rest)) = line.split_once("listening on ") {
            let end = rest.find([',', '"']).unwrap();
            let host = rest[..end].to_owned();
            thread::spawn(move || std::io::copy(&mut log.by_ref(), &mut std::io::sink()));
            return host;
        }
        seen += &line;
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A certification authority made for one test, and a certificate for 127.0.0.1.
pub(crate) struct Authority {
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    pub(crate) fn make(directory: &Path) -> Self {
        let at = |name: &str| directory.join(name);
        fs::write(at("ext"), "subjectAltName=IP:127.0.0.1,IP:0.0.0.0\n").unwrap();
        openssl(
            directory,
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca",
        );
        openssl(
            directory,
            "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1",
        );
        openssl(
            directory,
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt \
             -days 2 -extfile ext",
        );
        Self { ca: at("ca.crt"), certificate: at("server.crt"), key: at("server.key") }
    }
}

/// Runs `openssl` with arguments that contain no spaces.
pub(crate) fn openssl(directory: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
