//! The service: HTTP on a unix socket.
//!
//! One thread, one loop. What is decided here: which route a request takes, and that there is none. All else is a
//! worker's ([`crate::work`]).

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::json;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, mpsc};

use crate::body::Body;
use crate::client::{Head, Leash, Running, Workers};
use crate::line::ToWorker;
use crate::request::{self, parse_query};
use crate::router::{Kind, ROUTES, find};
use crate::version::{MAX, MIN, Version};

/// The largest body of a request that is no archive.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Headers that routes look at.
const HEADERS: [&str; 6] = [
    "content-type",
    "x-registry-auth",
    "x-registry-config",
    "accept",
    "upgrade",
    "sec-websocket-key",
];

/// What every answer to a ping has.
pub(crate) const PING: [(&str, &str); 4] = [
    ("builder-version", "1"),
    ("cache-control", "no-cache, no-store, must-revalidate"),
    ("pragma", "no-cache"),
    ("content-type", "text/plain; charset=utf-8"),
];

/// What the service is told.
#[derive(Debug)]
pub struct Service {
    pub listener: std::os::unix::net::UnixListener,
    /// It ends when this becomes readable.
    pub stop: OwnedFd,
    /// What each worker is started with.
    pub arguments: Vec<String>,
    /// `Coracle/0.1.0 (linux)`
    pub server: String,
    /// Where it is looked whether there may be a swarm: only then a worker is asked what the machine is in it.
    pub data_root: PathBuf,
    /// It ends when nobody was connected for so long.
    pub idle: Option<Duration>,
    /// Workers end with it, whatever they do.
    pub is_session: bool,
}

#[derive(Debug)]
struct Shared {
    workers: Rc<Workers>,
    server: HeaderValue,
    data_root: PathBuf,
    connections: Cell<usize>,
    changed: Notify,
}

/// Answers until nobody has asked for long enough. Starts a thread or two, never forks by itself.
///
/// # Errors
/// When the loop cannot be made, or the socket is none.
pub fn serve(service: Service) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    service.listener.set_nonblocking(true)?;
    let local = tokio::task::LocalSet::new();
    let ended = local.block_on(&runtime, async move {
        let listener = UnixListener::from_std(service.listener)?;
        let workers = Workers::new(service.arguments, service.is_session);
        let server =
            HeaderValue::from_str(&service.server).unwrap_or(HeaderValue::from_static("Coracle"));
        let shared = Rc::new(Shared {
            workers: Rc::new(workers),
            server,
            data_root: service.data_root,
            connections: Cell::new(0),
            changed: Notify::new(),
        });
        let stop = tokio::task::spawn_blocking(move || readable(&service.stop));
        let ended = tokio::select! {
            ended = accept(&listener, &shared, service.idle) => ended,
            _ = stop => Ok(()),
        };
        shared.workers.end();
        ended
    });
    // What still waits for a worker waits for nobody else.
    runtime.shutdown_background();
    ended
}

/// Waits until something can be read.
fn readable(fd: &OwnedFd) {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    while matches!(poll(&mut fds, None), Err(rustix::io::Errno::INTR)) {}
}

async fn accept(
    listener: &UnixListener,
    shared: &Rc<Shared>,
    idle: Option<Duration>,
) -> io::Result<()> {
    loop {
        let nobody = shared.connections.get() == 0;
        let patience = idle.filter(|_| nobody).unwrap_or(Duration::from_secs(u64::from(u32::MAX)));
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    shared.connections.set(shared.connections.get() + 1);
                    tokio::task::spawn_local(connection(Rc::clone(shared), stream));
                }
                // Too many of them: there will be room.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            () = shared.changed.notified() => {}
            () = tokio::time::sleep(patience) => return Ok(()),
        }
    }
}

async fn connection(shared: Rc<Shared>, stream: UnixStream) {
    let service = {
        let shared = Rc::clone(&shared);
        hyper::service::service_fn(move |request| {
            let shared = Rc::clone(&shared);
            async move { Ok::<_, std::convert::Infallible>(answer(&shared, request).await) }
        })
    };
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    // A client that goes away is none of our business.
    drop(served);
    shared.connections.set(shared.connections.get() - 1);
    shared.changed.notify_one();
}

/// The answer, with what every answer has.
async fn answer(shared: &Rc<Shared>, request: Request<Incoming>) -> Response<Body> {
    let mut response = route(shared, request).await;
    let hijacked = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    if !hijacked {
        headers.insert("api-version", version_header());
        headers.insert("docker-experimental", HeaderValue::from_static("false"));
        headers.insert("ostype", HeaderValue::from_static("linux"));
        headers.insert("server", shared.server.clone());
    }
    response
}

fn version_header() -> HeaderValue {
    HeaderValue::from_str(&MAX.to_string()).unwrap_or(HeaderValue::from_static("1.51"))
}

async fn route(shared: &Rc<Shared>, request: Request<Incoming>) -> Response<Body> {
    if request.version() == hyper::Version::HTTP_11 && !request.headers().contains_key("host") {
        let text = "400 Bad Request: missing required Host header";
        let mut response = words(400, Body::words(text));
        for (name, value) in
            [("content-type", "text/plain; charset=utf-8"), ("connection", "close")]
        {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        return response;
    }
    let path = request.uri().path().to_owned();
    let clean = cleaned(&path);
    if clean != path && request.method() != Method::CONNECT {
        let mut response = words(301, Body::words(""));
        if let Ok(location) = HeaderValue::from_str(&clean) {
            response.headers_mut().insert("location", location);
        }
        return response;
    }
    let (version, path) = Version::split(&path);
    if request.method() == Method::OPTIONS {
        return words(200, Body::words(""));
    }
    if let Some(complaint) = version.and_then(Version::complaint) {
        let mut response = refusal(400, &complaint);
        if version < Some(MIN) {
            // Clients that old know no JSON errors.
            *response.body_mut() = Body::words(complaint);
            response
                .headers_mut()
                .insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
        }
        return response;
    }
    if path == "/_ping"
        && matches!(*request.method(), Method::GET | Method::HEAD)
        && !coracle_swarm::journal::is_there(&shared.data_root)
    {
        return ping(request.method() == Method::HEAD);
    }
    let Some((at, parameters)) = find(request.method().as_str(), path) else {
        return refusal(404, "page not found");
    };
    match ask(shared, request, at, parameters, version.unwrap_or(MAX)).await {
        Ok(response) => response,
        Err(error) => refusal(500, &format!("cannot do what was asked for: {error}")),
    }
}

/// A path without empty parts, those of slashes that were spelled `%2F` at the beginning of a part among them.
fn cleaned(path: &str) -> String {
    let spelled = path.replace("/%2F", "//").replace("/%2f", "//");
    let mut out = String::with_capacity(spelled.len());
    for character in spelled.chars() {
        if character != '/' || !out.ends_with('/') {
            out.push(character);
        }
    }
    out
}

fn words(status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn refusal(status: u16, message: &str) -> Response<Body> {
    let mut response = words(status, Body::words(format!("{}\n", json!({ "message": message }))));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn ping(head: bool) -> Response<Body> {
    let mut response = words(200, Body::words(if head { "" } else { "OK" }));
    if head {
        response.headers_mut().insert("content-length", HeaderValue::from_static("0"));
    }
    for (name, value) in PING.iter().chain(&[("swarm", "inactive")]) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Has a worker do it.
async fn ask(
    shared: &Rc<Shared>,
    mut request: Request<Incoming>,
    route: usize,
    parameters: Vec<String>,
    version: Version,
) -> io::Result<Response<Body>> {
    let kind = ROUTES[route].kind;
    let upgrade = request.headers().contains_key("upgrade");
    let mut order = request::Request {
        route,
        parameters,
        version: (version.0, version.1),
        query: parse_query(request.uri().query().unwrap_or_default()),
        headers: kept_headers(&request),
        body: String::new(),
        upgrade,
    };
    if !matches!(kind, Kind::Body | Kind::Task) {
        let limited = Limited::new(request.body_mut(), BODY_BYTES_MAX);
        let Ok(collected) = limited.collect().await else {
            return Ok(refusal(400, "the body of the request is too large, or broke off"));
        };
        order.body = String::from_utf8_lossy(&collected.to_bytes()).into_owned();
    }
    let (running, pipe) = shared.workers.start()?;
    let mut leash = Leash::new(Rc::clone(&running), kind);
    let (heard, mut heads) = mpsc::unbounded_channel();
    tokio::task::spawn_local(Rc::clone(&shared.workers).listen(Rc::clone(&running), heard));
    running.say(&ToWorker::Do(order)).await?;
    let mut upgrading = None;
    match kind {
        Kind::Body | Kind::Task => {
            tokio::task::spawn_local(pass_on(request.into_body(), Rc::clone(&running)));
        }
        Kind::Whole | Kind::Watch => upgrading = Some(request),
    }
    let head = heads
        .recv()
        .await
        .ok_or_else(|| io::Error::other("the process that does it ended early"))?;
    if head.status == 101
        && let Some(mut request) = upgrading
    {
        leash.let_go();
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::task::spawn_local(hand_over(upgrade, running));
        return Ok(with_head(&head, Body::words("")));
    }
    let ends = head.headers.iter().any(|(name, value)| name == "connection" && value == "close");
    let body = match head.status {
        204 | 304 => Body::words(""),
        _ => Body::Piped { pipe, _leash: leash },
    };
    let mut response = with_head(&head, body);
    if ends {
        // The body has no length and no pieces: it ends with the connection, as clients of this route expect.
        *response.version_mut() = hyper::Version::HTTP_10;
    }
    Ok(response)
}

fn kept_headers(request: &Request<Incoming>) -> Vec<(String, String)> {
    let kept = |name: &&str| {
        let value = request.headers().get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.to_owned()))
    };
    HEADERS.iter().filter_map(kept).collect()
}

fn with_head(head: &Head, body: Body) -> Response<Body> {
    let mut response = words(head.status, body);
    for (name, value) in &head.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The body of a request, as it comes.
async fn pass_on(mut body: Incoming, running: Rc<Running>) {
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data()
            && running.write(&data).await.is_err()
        {
            // It has heard enough; what is left is read, so that the client hears the answer.
            while let Some(Ok(_)) = body.frame().await {}
            return;
        }
    }
    running.end_body();
}

/// The connection of a client, which is no longer ours.
async fn hand_over(upgrade: hyper::upgrade::OnUpgrade, running: Rc<Running>) {
    let Ok(upgraded) = upgrade.await else { return running.end_body() };
    let Ok(parts) = upgraded.downcast::<TokioIo<UnixStream>>() else { return running.end_body() };
    let sent = STANDARD.encode(&parts.read_buf);
    let Ok(stream) = parts.io.into_inner().into_std() else { return running.end_body() };
    if stream.set_nonblocking(false).is_ok() {
        // A worker that is gone has nobody to hand it to.
        running
            .hand_over(OwnedFd::from(stream), &ToWorker::Client { sent })
            .await
            .unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_no_empty_parts() {
        assert_eq!(cleaned("//containers//x/json"), "/containers/x/json");
        assert_eq!(cleaned("/containers/%2Fx/json"), "/containers/x/json");
        assert_eq!(cleaned("/images/a%2Fb/json"), "/images/a%2Fb/json");
        assert_eq!(cleaned("/containers/x/"), "/containers/x/");
    }
}
