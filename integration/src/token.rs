//! A token server as registries use one: answers `GET /token?service=…&scope=…` with a signed JWT.
//!
//! Anonymous callers get tokens without rights; `ada` with the right password gets what she asks for. Requests
//! are remembered, so that a test can see what was asked.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

/// The account that guarded registries know.
pub const USER: &str = "ada";
/// Its password.
pub const PASSWORD: &str = "engine";

/// The server; its thread ends with the test process.
#[derive(Debug)]
pub struct TokenServer {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TokenServer {
    /// Starts a server that signs with `server.key` in `dir`.
    pub fn start(dir: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket").to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let signer = Signer::new(dir);
        thread::spawn({
            let requests = Arc::clone(&requests);
            move || {
                for stream in listener.incoming().flatten() {
                    answer(stream, &signer, &requests);
                }
            }
        });
        Self { address, requests }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The request lines so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic while locked").clone()
    }
}

fn answer(mut stream: TcpStream, signer: &Signer, requests: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().expect("a descriptor")).lines();
    let request = lines.next().and_then(Result::ok).unwrap_or_default();
    let basic = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).find_map(|line| {
        line.to_lowercase().starts_with("authorization: basic ").then(|| line[21..].to_owned())
    });
    requests.lock().expect("no panic while locked").push(request.clone());

    let known = base64(format!("{USER}:{PASSWORD}").as_bytes(), STANDARD);
    let (status, body) = match basic {
        Some(given) if given.trim() != known => {
            ("401 Unauthorized", json!({"details": "wrong password"}))
        }
        account => {
            let scopes = if account.is_some() { scopes(&request) } else { Vec::new() };
            ("200 OK", json!({"token": signer.token(&scopes), "expires_in": 300}))
        }
    };
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n");
    // A client that hangs up early is its own business.
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).ok();
}

/// The `access` entries for the scopes in a request line.
fn scopes(request: &str) -> Vec<Value> {
    let query = request
        .split_whitespace()
        .nth(1)
        .and_then(|path| path.split_once('?'))
        .map_or("", |(_, q)| q);
    let values = query.split('&').filter_map(|pair| pair.strip_prefix("scope="));
    values
        .flat_map(|value| percent_decode(value).split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|scope| {
            // repository:NAME:ACTION,ACTION, where NAME may contain a colon with a port.
            let (kind, rest) = scope.split_once(':')?;
            let (name, actions) = rest.rsplit_once(':')?;
            Some(json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()}))
        })
        .collect()
}

fn percent_decode(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                out.push(char::from(code));
                out.push_str(&part[2..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// Signs with ES256 by `openssl`, whose certificate travels in the token's `x5c` header.
#[derive(Debug)]
struct Signer {
    key: PathBuf,
    header: String,
}

impl Signer {
    fn new(dir: &Path) -> Self {
        let pem = fs::read_to_string(dir.join("server.crt")).expect("the certificate");
        let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [der]}).to_string();
        Self { key: dir.join("server.key"), header }
    }

    fn token(&self, access: &[Value]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let claims = json!({
            "iss": "test", "sub": USER, "aud": "test-registry", "exp": now + 300, "nbf": now - 10, "iat": now,
            "jti": now.to_string(), "access": access,
        });
        let signed = format!(
            "{}.{}",
            base64(self.header.as_bytes(), URL),
            base64(claims.to_string().as_bytes(), URL)
        );
        let mut child = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .arg(&self.key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("openssl is installed");
        child.stdin.take().expect("piped").write_all(signed.as_bytes()).expect("openssl reads");
        let der = child.wait_with_output().expect("openssl ends").stdout;
        format!("{signed}.{}", base64(&raw_signature(&der), URL))
    }
}

/// The two 32-byte numbers of a DER `SEQUENCE { INTEGER r, INTEGER s }`, as JWTs want them.
fn raw_signature(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &der[2..];
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[length.saturating_sub(32)..];
        out.resize(out.len() + 32 - number.len(), 0);
        out.extend(number);
        rest = &rest[2 + length..];
    }
    out
}

const STANDARD: (&[u8; 64], bool) =
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
const URL: (&[u8; 64], bool) =
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);

/// Base64 with this alphabet, padded or not.
fn base64(bytes: &[u8], (alphabet, pad): (&[u8; 64], bool)) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let sextet = (bits >> (18 - 6 * index)) & 63;
            if index <= chunk.len() {
                out.push(char::from(alphabet[sextet as usize]));
            } else if pad {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_rfc_4648() {
        let encoded: Vec<String> = ["", "f", "fo", "foo", "foobar"]
            .iter()
            .map(|text| base64(text.as_bytes(), STANDARD))
            .collect();
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"]);
        assert_eq!(base64(&[0xfb, 0xff], URL), "-_8");
    }

    #[test]
    fn scopes_of_a_request_become_access_entries() {
        let line = "GET /token?service=s&scope=repository%3Aa%2Fb%3Apull%2Cpush HTTP/1.1";
        assert_eq!(
            scopes(line),
            [json!({"type": "repository", "name": "a/b", "actions": ["pull", "push"]})]
        );
    }

    #[test]
    fn a_signature_is_two_padded_numbers() {
        let mut der = vec![0x30, 37, 2, 1, 7, 2, 32];
        der.extend([9; 32]);
        let raw = raw_signature(&der);
        assert_eq!((raw.len(), raw[31], raw[0], raw[32]), (64, 7, 0, 9));
    }
}
