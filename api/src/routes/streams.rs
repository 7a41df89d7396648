//! Answers that go on: output, logs, statistics, the end of a container.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use coracle_runtime::Home;
use coracle_runtime::events::{Events, Filter, Span};
use coracle_runtime::logs::{Entry, LogError, ReadOptions, Show, Stream, parse_tail};
use coracle_runtime::model::{Attach, Status, Timestamp};
use coracle_swarm::model::Task;
use coracle_swarm::state::State;
use coracle_view::Api;
use coracle_view::container::{Known, Reading, find, read_stats};
use coracle_view::service;
use coracle_view::service::logs::{Reading as ServiceLogs, Target};
use coracle_words::DetachKeys;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::{Value, json};

use super::containers::named;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::frames::{RAW, STDERR, STDOUT, append, media_type};
use crate::line::{ToService, ToWorker};
use crate::relay::{Client, relay};
use crate::websocket::{self, Decoder};
use crate::worker::Call;

/// Time between two readings of statistics.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often, and how far apart, it is looked whether an end was written down.
const SETTLE_TRIES: u32 = 500;
const SETTLE_PAUSE: Duration = Duration::from_millis(10);

pub(crate) fn logs(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let request = call.request;
    let wanted = streams(call)?;
    let known = named(call)?;
    let options = read_options(call)?;
    let container = known.container;
    let tty = container.config.tty;
    let follow = request.is_set("follow");
    let mut show = Show::new(request.is_set("timestamps"), request.is_set("details"));
    let engine = call.host.home().engine()?;
    // A driver that keeps nothing is told of before there is an answer.
    if let Err(error) = engine.log_steps(&container, options) {
        return Err(refused(&error));
    }
    call.channel.head(200, &[("content-type", media_type(tty))])?;
    let out = &mut call.channel.out;
    let read = engine.logs(&container, &options, follow, &mut |entry| {
        let piece = piece(&mut show, entry, tty);
        match !wanted(entry.stream) || out.write_all(&piece).is_ok() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    // The head is sent: a log that cannot be read ends the answer.
    drop(read);
    Ok(Answer::Sent)
}

/// Which of the streams are asked for.
fn streams(call: &Call<'_>) -> Result<impl Fn(Stream) -> bool + use<>, ApiError> {
    let (stdout, stderr) = (call.request.is_set("stdout"), call.request.is_set("stderr"));
    if !stdout && !stderr {
        return Err(ApiError::bad("must specify at least one of 'stdout' or 'stderr'"));
    }
    Ok(move |stream| if stream == Stream::Stdout { stdout } else { stderr })
}

fn read_options(call: &Call<'_>) -> Result<ReadOptions, ApiError> {
    let now = call.host.now();
    let moment = |name: &str| -> Result<Option<Timestamp>, ApiError> {
        let given = call.request.given(name).filter(|text| *text != "0");
        given
            .map(|text| now.moment(text).map_err(|error| ApiError::new(500, error.to_string())))
            .transpose()
    };
    Ok(ReadOptions {
        tail: parse_tail(call.request.given("tail").unwrap_or("all")),
        since: moment("since")?,
        until: moment("until")?,
    })
}

/// Logs of the tasks of a service, or of one task. Docker's client asks for details, which say whose line it is.
pub(crate) fn service_logs(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let wanted = streams(call)?;
    let mut swarm = call.host.manager()?;
    let name = call.request.parameter(0);
    let target = match call.route.starts_with("/tasks") {
        true => Target::Task(service::find_task(&swarm.state, name)?.id.clone()),
        false => Target::Service(service::find(&swarm.state, name)?.id.clone()),
    };
    let tty = target.tasks(&swarm.state).any(|task| task.spec.container_spec.tty);
    let details = call.request.is_set("details");
    let mark = |_: &State, task: &Task| match details && !tty {
        true => format!(
            "com.docker.swarm.node.id={},com.docker.swarm.service.id={},com.docker.swarm.task.id={} ",
            task.node_id, task.service_id, task.id
        ),
        false => String::new(),
    };
    let options = read_options(call)?;
    call.channel.head(200, &[("content-type", media_type(tty))])?;
    let out = &mut call.channel.out;
    let reading = ServiceLogs {
        engine: call.host.home().engine()?,
        target: &target,
        options,
        follow: call.request.is_set("follow"),
        timestamps: call.request.is_set("timestamps"),
        details: false,
    };
    let read = reading.read(&mut swarm, &mark, &mut |lines| -> Result<(), ApiError> {
        for line in lines.iter().filter(|line| wanted(line.stream)) {
            let mut piece = Vec::new();
            append(&mut piece, stream_of(line.stream), tty, &line.text);
            out.write_all(&piece)?;
        }
        Ok(())
    });
    // The head is sent: a log that cannot be read ends the answer.
    drop(read);
    Ok(Answer::Sent)
}

fn stream_of(stream: Stream) -> u8 {
    if stream == Stream::Stdout { STDOUT } else { STDERR }
}

/// An entry of a log as it is sent.
fn piece(show: &mut Show, entry: &Entry, tty: bool) -> Vec<u8> {
    let (mut text, mut piece) = (Vec::new(), Vec::new());
    show.append(&mut text, entry);
    append(&mut piece, stream_of(entry.stream), tty, &text);
    piece
}

fn refused(error: &LogError) -> ApiError {
    let status = if matches!(error, LogError::NotReadable) { 501 } else { 500 };
    ApiError::new(status, error.to_string())
}

/// Answers when the container has ended. The head comes at once: whoever has it misses nothing that happens then.
pub(crate) fn wait(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let condition = call.request.given("condition").unwrap_or("not-running").to_owned();
    if !matches!(condition.as_str(), "not-running" | "next-exit" | "removed") {
        return Err(ApiError::bad(format!("invalid condition: {condition:?}")));
    }
    let known = named(call)?;
    let since = Timestamp::from(call.host.now().time);
    call.begin_lines()?;
    let code = match condition.as_str() {
        "not-running" if !known.state.status.is_running() => known.state.exit_code,
        "not-running" => call.host.home().engine()?.wait(&known.container.id)?,
        _ => ending(call, &known, since, condition == "removed")?,
    };
    call.line(&json!({ "StatusCode": code }), "\n")?;
    Ok(Answer::Sent)
}

/// The exit code of its next end, which the events tell; `removed`: when it is gone.
fn ending(
    call: &Call<'_>,
    known: &Known,
    since: Timestamp,
    removed: bool,
) -> Result<i32, ApiError> {
    let id = known.container.id.as_str();
    let events = Events::new(call.host.home().settings().data_root.join("events.jsonl"));
    let filter = Filter::new([("container", id), ("event", "die"), ("event", "destroy")]);
    let filter = filter.map_err(|error| ApiError::new(500, error.to_string()))?;
    let mut code = known.state.exit_code;
    let mut ended = since;
    let span = Span { since: Some(since), until: None };
    let read = events.read(span, &filter, &mut |event| {
        let died = event.action == "die";
        ended = event.moment();
        if let Some(told) =
            event.actor.attributes.get("exitCode").and_then(|text| text.parse().ok())
        {
            code = told;
        }
        match died && removed {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    read.map_err(|error| ApiError::new(500, error.to_string()))?;
    if !removed {
        settle(call.host.home(), id, ended);
    }
    Ok(code)
}

/// An end is told of a little before it is written down: whoever has heard of it is to see it.
pub(crate) fn settle(home: &Home, id: &str, ended: Timestamp) {
    // It may run again already.
    let is_behind =
        |known: Known| known.state.status == Status::Running && known.state.started_at < ended;
    for _ in 0..SETTLE_TRIES {
        if !find(home, id).is_ok_and(is_behind) {
            break;
        }
        std::thread::sleep(SETTLE_PAUSE);
    }
}

/// Output and input of the first process. A container that does not run yet is started by this request when
/// somebody asks for that, so that nothing it writes is missed.
///
/// # Limits
///
/// One that is started by something else than this service is not noticed.
pub(crate) fn attach(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let request = call.request;
    let known = named(call)?;
    let config = &known.container.config;
    let attach = Attach {
        stdin: request.is_set("stdin") && config.open_stdin,
        stdout: request.is_set("stdout"),
        stderr: request.is_set("stderr"),
        size: None,
    };
    if known.state.status == Status::Paused {
        return Err(ApiError::new(
            409,
            format!(
                "container {} is paused, unpause the container before attach",
                known.container.id
            ),
        ));
    }
    let streams = request.is_set("stream");
    if request.is_set("logs") && !streams {
        return only_logs(call, &known);
    }
    let running = known.state.status.is_running();
    let mut connection = match running {
        true => call.host.home().engine()?.attach(&known.container, attach)?,
        false => None,
    };
    if connection.is_none() {
        call.channel.say(&ToService::Name(format!("attach:{}", known.container.id)))?;
    }
    let keys = keys(call.request.given("detachKeys"), config.tty && attach.stdin)?;
    let mut client = client(call, config.tty, attach.stdin, keys)?;
    if request.is_set("logs") {
        write_logs(call, &known, &mut client)?;
    }
    let mut connection = match connection.take() {
        Some(connection) => connection,
        None => match started(call, &known, attach, &client)? {
            Some(connection) => connection,
            None => return Ok(Answer::Sent),
        },
    };
    // How it ended is what `wait` tells.
    relay(&mut connection, &mut client, call.channel)?;
    Ok(Answer::Sent)
}

/// The client's end of a conversation: its connection, or the body of an answer.
pub(crate) fn client(
    call: &mut Call<'_>,
    tty: bool,
    stdin: bool,
    keys: Option<DetachKeys>,
) -> Result<Client, ApiError> {
    let key = call.request.header("sec-websocket-key");
    if let Some(key) = key.filter(|_| call.request.header("upgrade") == Some("websocket")) {
        let accept = websocket::accept(key);
        let (connection, sent) = call.channel.hijack(&[
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-accept", &accept),
        ])?;
        let client = Client::hijacked(connection, sent, true, stdin)?;
        return Ok(Client { web: Some(Decoder::default()), keys, ..client });
    }
    if call.request.upgrade {
        let head =
            [("content-type", media_type(tty)), ("connection", "Upgrade"), ("upgrade", "tcp")];
        let (connection, sent) = call.channel.hijack(&head)?;
        let client = Client::hijacked(connection, sent, tty, stdin)?;
        return Ok(Client { keys, ..client });
    }
    call.channel.head(200, &[("content-type", RAW), ("connection", "close")])?;
    Ok(Client::listening(call.channel.out.try_clone()?, tty))
}

/// The keys that leave a terminal; where there is none, none do.
pub(crate) fn keys(given: Option<&str>, tty: bool) -> Result<Option<DetachKeys>, ApiError> {
    let keys = DetachKeys::parse(given).map_err(|error| ApiError::bad(error.to_string()))?;
    Ok(tty.then_some(keys))
}

/// The same over a websocket.
pub(crate) fn attach_web(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    if call.request.header("upgrade") != Some("websocket")
        || call.request.header("sec-websocket-key").is_none()
    {
        return Err(ApiError::bad("a websocket is needed: the request has no upgrade to one"));
    }
    attach(call)
}

/// Waits until somebody wants it to be started, and starts it; `None` when the client leaves before.
fn started(
    call: &mut Call<'_>,
    known: &Known,
    attach: Attach,
    client: &Client,
) -> Result<Option<coracle_runtime::engine::Connection>, ApiError> {
    loop {
        while let Some(line) = call.channel.buffered()? {
            if matches!(line, ToWorker::Question(_)) {
                return start(call, known, attach);
            }
        }
        let mut fds = [
            PollFd::new(&*call.channel, PollFlags::IN),
            PollFd::new(&client.output, PollFlags::empty()),
        ];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(std::io::Error::from(error).into()),
        }
        let (asked, left) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
        if left || asked && !call.channel.receive()? {
            return Ok(None);
        }
    }
}

fn start(
    call: &mut Call<'_>,
    known: &Known,
    attach: Attach,
) -> Result<Option<coracle_runtime::engine::Connection>, ApiError> {
    let begun = call.host.enter(true).and_then(|()| {
        let (engine, session) = call.host.home_mut().engine_in_session()?;
        Ok(engine.start(session, &known.container.id, attach)?)
    });
    let (reply, started) = match begun {
        Ok(started) => (json!({ "status": 200 }), Some(started.connection)),
        Err(error) => (json!({ "status": error.status, "message": error.message }), None),
    };
    call.channel.say(&ToService::Reply(reply))?;
    Ok(started)
}

fn only_logs(call: &mut Call<'_>, known: &Known) -> Result<Answer, ApiError> {
    let mut client = client(call, known.container.config.tty, false, None)?;
    write_logs(call, known, &mut client)?;
    Ok(Answer::Sent)
}

/// What it has written so far.
fn write_logs(call: &Call<'_>, known: &Known, client: &mut Client) -> Result<(), ApiError> {
    let options = ReadOptions { tail: None, since: None, until: None };
    let mut show = Show::new(false, false);
    let read = call.host.home().engine()?.logs(&known.container, &options, false, &mut |entry| {
        let mut text = Vec::new();
        show.append(&mut text, entry);
        let stream = if entry.stream == Stream::Stdout { STDOUT } else { STDERR };
        match client.write(stream, &text) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    // As with logs: what cannot be read is not shown.
    drop(read);
    Ok(())
}

pub(crate) fn stats(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let known = named(call)?;
    let stream = call.request.query("stream").is_none_or(|_| call.request.is_set("stream"));
    let reading = |call: &Call<'_>| -> Result<Reading, ApiError> {
        Ok(read_stats(String::new(), named(call)?))
    };
    let mut before = None;
    if !known.state.status.is_running() {
        return Ok(sample(&read_stats(String::new(), known), None, call).into());
    }
    if !stream {
        let first = reading(call)?;
        if call.request.is_set("one-shot") {
            let mut only = sample(&first, None, call);
            if let Some(members) = only.as_object_mut().filter(|_| is_old(call)) {
                members.retain(|name, _| name != "name" && name != "id");
            }
            return Ok(only.into());
        }
        std::thread::sleep(INTERVAL);
        let second = reading(call)?;
        return Ok(sample(&second, Some(&first), call).into());
    }
    call.channel.head(200, &[])?;
    loop {
        let Ok(now) = reading(call) else { return Ok(Answer::Sent) };
        let line = sample(&now, before.as_ref(), call);
        call.line(&line, "\n")?;
        before = Some(now);
        std::thread::sleep(INTERVAL);
    }
}

fn is_old(call: &Call<'_>) -> bool {
    call.request.version().documents() < Api::V1_55
}

/// A reading in Docker's form; what it cannot tell is left out.
fn sample(now: &Reading, before: Option<&Reading>, call: &Call<'_>) -> Value {
    let container = &now.known.container;
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = |reading: Option<&Reading>| {
        let used =
            reading.and_then(|reading| reading.sample.as_ref()).and_then(|sample| sample.cpu_us);
        let Some(used) = used else {
            return json!({
                "cpu_usage": { "total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0 },
                "throttling_data": { "periods": 0, "throttled_periods": 0, "throttled_time": 0 },
            });
        };
        json!({
            "cpu_usage": { "total_usage": used * 1000, "usage_in_kernelmode": 0, "usage_in_usermode": used * 1000 },
            "system_cpu_usage": system_time(reading, now),
            "online_cpus": cpus,
            "throttling_data": { "periods": 0, "throttled_periods": 0, "throttled_time": 0 },
        })
    };
    let read = match now.sample {
        Some(_) => {
            coracle_words::moment::nine_digits(Timestamp::from(call.host.now().time)).to_string()
        }
        None => "0001-01-01T00:00:00Z".to_owned(),
    };
    let mut out = json!({
        "name": format!("/{}", container.name),
        "id": container.id,
        "os_type": "linux",
        "read": read,
        "preread": "0001-01-01T00:00:00Z",
        "num_procs": 0,
        "pids_stats": {},
        "cpu_stats": cpu(Some(now)),
        "precpu_stats": cpu(before),
        "memory_stats": {},
        "blkio_stats": { "io_service_bytes_recursive": null },
        "storage_stats": {},
    });
    if is_old(call) {
        out.as_object_mut().map(|members| members.shift_remove("os_type"));
    }
    let Some(sample) = &now.sample else { return out };
    if let Some(pids) = sample.pids {
        out["pids_stats"] = json!({ "current": pids });
    }
    if let Some(used) = sample.memory_bytes {
        out["memory_stats"] =
            json!({ "usage": used, "stats": {}, "limit": sample.memory_limit_bytes });
    }
    if let (Some(read), Some(written)) = (sample.block_read_bytes, sample.block_write_bytes) {
        let entry =
            |op: &str, value: u64| json!({ "major": 0, "minor": 0, "op": op, "value": value });
        out["blkio_stats"] =
            json!({ "io_service_bytes_recursive": [entry("read", read), entry("write", written)] });
    }
    if let (Some(received), Some(sent)) = (sample.net_received_bytes, sample.net_sent_bytes) {
        out["networks"] = json!({ "eth0": {
            "rx_bytes": received, "rx_packets": 0, "rx_errors": 0, "rx_dropped": 0,
            "tx_bytes": sent, "tx_packets": 0, "tx_errors": 0, "tx_dropped": 0,
        } });
    }
    out
}

/// Time that all processors had, in nanoseconds: as much as passed between two readings, times their number.
fn system_time(reading: Option<&Reading>, now: &Reading) -> u64 {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds: f64 =
        uptime.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    let here = Duration::from_secs_f64(seconds);
    let at = |reading: &Reading| reading.sample.as_ref().map(|sample| sample.at);
    let ago = match (at(now), reading.and_then(at)) {
        (Some(now), Some(then)) => now.saturating_duration_since(then),
        _ => Duration::ZERO,
    };
    u64::try_from(here.saturating_sub(ago).as_nanos()).unwrap_or(u64::MAX).saturating_mul(cpus)
}
