//! A real registry on a free port of 127.0.0.1: plain, with TLS, with passwords or with tokens.

use std::{
    fs,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, TcpStream, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{
    TestEnv,
    port::free_port,
    token::{PASSWORD, TokenServer, USER},
    wait,
};

/// Which door the registry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// HTTP, open to all.
    Plain,
    /// HTTPS with a certificate of our own, on an address besides loopback, which clients do not verify;
    /// `ca.crt` is in the registry's folder.
    Tls,
    /// HTTP, basic authentication: user `ada`, password `engine`.
    Password,
    /// HTTP, bearer tokens from a server of ours, same user and password.
    Token,
}

/// A running registry; ends with its owner.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    dir: PathBuf,
    address: String,
    _tokens: Option<TokenServer>,
}

impl Registry {
    /// Starts a registry in the world's folder.
    pub fn start(env: &TestEnv, door: Door) -> Self {
        let dir = env.root().join(format!("registry-{door:?}"));
        fs::create_dir_all(&dir).expect("a folder of ours");
        let port = free_port();
        let host = if door == Door::Tls {
            outer_address().expect("an address")
        } else {
            Ipv4Addr::LOCALHOST.into()
        };
        let address = format!("{host}:{port}");
        let mut tokens = None;
        let mut http = format!("http:\n  addr: {address}\n");
        let mut auth = String::new();
        match door {
            Door::Plain => {}
            Door::Tls => {
                certificate(&dir, host);
                let dir = dir.display();
                http.push_str(&format!(
                    "  tls:\n    certificate: {dir}/server.crt\n    key: {dir}/server.key\n"
                ));
            }
            Door::Password => {
                passwords(&dir);
                auth = format!(
                    "auth:\n  htpasswd:\n    realm: test\n    path: {}/htpasswd\n",
                    dir.display()
                );
            }
            Door::Token => {
                certificate(&dir, host);
                let server = TokenServer::start(&dir);
                auth = format!(
                    "auth:\n  token:\n    realm: http://{}/token\n    service: test-registry\n    issuer: test\n    \
                     rootcertbundle: {}/server.crt\n",
                    server.address(),
                    dir.display()
                );
                tokens = Some(server);
            }
        }
        let config = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}/data\n  delete:\n    \
             enabled: true\n{http}{auth}",
            dir.display()
        );
        fs::write(dir.join("config.yml"), config).expect("a file of ours");
        let log = fs::File::create(dir.join("log")).expect("a file of ours");
        // Its environment names no world, so that the leak check does not take it for one of the product's.
        let mut child = Command::new("docker-registry")
            .args(["serve", "config.yml"])
            .current_dir(&dir)
            .env_clear()
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log)
            .spawn()
            .expect("docker-registry is installed");
        wait::until("the registry answers", || {
            let ended = child.try_wait().expect("our child");
            assert!(ended.is_none(), "{}", fs::read_to_string(dir.join("log")).unwrap_or_default());
            TcpStream::connect(&address).is_ok()
        });
        Self { child, dir, address, _tokens: tokens }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The name of an image in this registry.
    pub fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// The folder with its files: `ca.crt`, `log`, `data`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// One plain HTTP request, for what the client under test cannot ask: the answer with its headers.
    pub fn request(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("the registry answers");
        write!(stream, "{request} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address).expect("a request");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An address of this machine that is not loopback; no packet is sent to find it.
pub fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket
        .local_addr()
        .ok()
        .map(|address| address.ip())
        .filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

fn passwords(dir: &Path) {
    let output =
        Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]).output().expect("apache2-utils");
    fs::write(dir.join("htpasswd"), output.stdout).expect("a file of ours");
}

/// `ca.crt`, and `server.{crt,key}` signed by it for an address.
pub fn certificate(dir: &Path, host: IpAddr) {
    certificate_for(dir, &format!("IP:{host}"));
}

/// The same for `IP:ADDRESS` or `DNS:NAME`.
pub fn certificate_for(dir: &Path, host: &str) {
    let openssl = |line: &str| {
        let output = Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(dir)
            .output()
            .expect("openssl is installed");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    fs::write(dir.join("san"), format!("subjectAltName={host}\n")).expect("a file of ours");
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -days 2 -subj /CN=test-ca -keyout ca.key -out ca.crt"));
    openssl(&format!("req {key} -subj /CN=localhost -keyout server.key -out server.csr"));
    openssl(
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.crt",
    );
}
