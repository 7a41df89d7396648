//! A token server for the reference registry: signs what is asked for.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::docker_registry::openssl;
use super::http::{Request, Response, Server};

/// A running token server that admits user `u` with password `pw`.
pub(crate) struct TokenServer {
    _server: Server,
    /// The queries it got.
    pub(crate) queries: Arc<Mutex<Vec<String>>>,
    /// Settings for the registry that trusts it.
    pub(crate) registry_config: String,
}

impl TokenServer {
    pub(crate) fn start(directory: &Path) -> Self {
        let directory = directory.to_owned();
        openssl(
            &directory,
            "req -x509 -newkey rsa:2048 -nodes -keyout token.key -out token.crt -days 2 \
             -subj /CN=token",
        );
        let certificate = directory.join("token.crt");
        let queries = Arc::new(Mutex::new(Vec::new()));
        let server = {
            let queries = Arc::clone(&queries);
            Server::start(move |request| answer(&directory, request, &queries))
        };
        let registry_config = format!(
            "{{realm: 'http://{}/token', service: s, issuer: i, rootcertbundle: {}}}",
            server.host,
            certificate.display()
        );
        Self { _server: server, queries, registry_config }
    }
}

fn answer(directory: &Path, request: &Request, queries: &Mutex<Vec<String>>) -> Response {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    queries.lock().unwrap().push(query.to_owned());
    let expected = format!("Basic {}", STANDARD.encode("u:pw"));
    if request.headers.get("authorization") != Some(&expected) {
        return Response::new(401, r#"{"details":"incorrect username or password"}"#);
    }
    let mut access = Vec::new();
    for pair in query.split('&') {
        let Some(scope) = pair.strip_prefix("scope=") else { continue };
        for scope in scope.replace("%3A", ":").replace("%2C", ",").replace("%2F", "/").split('+') {
            let parts: Vec<&str> = scope.split(':').collect();
            let actions: Vec<String> =
                parts[2].split(',').map(|action| format!("\"{action}\"")).collect();
            access.push(format!(
                r#"{{"type":"{}","name":"{}","actions":[{}]}}"#,
                parts[0],
                parts[1],
                actions.join(",")
            ));
        }
    }
    let token = sign(directory, &access.join(","));
    Response::new(200, format!(r#"{{"token":"{token}","expires_in":300}}"#))
}

fn sign(directory: &Path, access: &str) -> String {
    let pem = fs::read_to_string(directory.join("token.crt")).unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let header = format!(r#"{{"typ":"JWT","alg":"RS256","x5c":["{der}"]}}"#);
    let claims = format!(
        r#"{{"iss":"i","sub":"u","aud":"s","exp":4102444800,"nbf":0,"iat":0,"jti":"1","access":[{access}]}}"#
    );
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let file = tempfile::NamedTempFile::new_in(directory).unwrap();
    fs::write(file.path(), &text).unwrap();
    let signature =
        openssl(directory, &format!("dgst -sha256 -sign token.key {}", file.path().display()));
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
