//! Further programs in a container.
//!
//! # How it works
//!
//! What was asked for lies in a file of the runtime folder until the container is gone: the request that makes it, the
//! one that starts it and those that look at it are different processes.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use coracle_runtime::model::{Attach, ExecRequest, Status};
use coracle_runtime::{EngineError, Home};
use coracle_view::container::find;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::containers::{named, size};
use super::streams::{self, client};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::frames::STDERR;
use crate::json::{keys, listed, read, spelled};
use crate::line::ToService;
use crate::relay::{Client, Ended, relay};
use crate::worker::Call;

/// What Docker's engine says when a program cannot be executed.
const WHERE: &str = "OCI runtime exec failed: exec failed: unable to start container process";

/// A further program: what was asked for, and what became of it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Exec {
    id: String,
    container: String,
    wanted: Wanted,
    started: bool,
    running: bool,
    exit_code: Option<i32>,
    pid: i32,
}

/// The body of the request that makes one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Wanted {
    attach_stdin: bool,
    attach_stdout: bool,
    attach_stderr: bool,
    detach_keys: String,
    tty: bool,
    env: Vec<String>,
    cmd: Vec<String>,
    privileged: bool,
    user: String,
    working_dir: String,
    console_size: Option<[u16; 2]>,
}

/// Where it lies.
fn place(home: &Home, id: &str) -> Result<PathBuf, ApiError> {
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !plain {
        return Err(missing(id));
    }
    Ok(home.engine()?.paths().run.join(crate::EXEC_FOLDER).join(id))
}

fn missing(id: &str) -> ApiError {
    ApiError::new(404, format!("No such exec instance: {id}"))
}

impl Exec {
    fn load(call: &Call<'_>) -> Result<Self, ApiError> {
        let id = call.request.parameter(0);
        let path = place(call.host.home(), id)?;
        let text = fs::read_to_string(&path).map_err(|_| missing(id))?;
        let exec: Self = serde_json::from_str(&text)?;
        if find(call.host.home(), &exec.container).is_err() {
            // It goes with its container.
            drop(fs::remove_file(&path));
            return Err(missing(id));
        }
        Ok(exec)
    }

    fn save(&self, home: &Home) -> Result<(), ApiError> {
        let path = place(home, &self.id)?;
        let folder = path.parent().map(PathBuf::from).unwrap_or_default();
        fs::create_dir_all(&folder)?;
        let new = folder.join(format!(".{}", self.id));
        // Its environment may hold a password.
        let mut file =
            File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        Ok(fs::rename(&new, &path)?)
    }
}

/// What was run in a container goes with it.
pub(crate) fn forget(home: &Home, container: &str) {
    let Ok(engine) = home.engine() else { return };
    let entries = fs::read_dir(engine.paths().run.join(crate::EXEC_FOLDER));
    for entry in entries.into_iter().flatten().flatten() {
        let exec =
            fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<Exec>(&text).ok());
        if exec.is_some_and(|exec| exec.container == container) {
            // What stays goes with the service.
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// What was run in containers that are gone is nobody's business any more.
pub fn forget_execs(home: &Home) {
    let Ok(engine) = home.engine() else { return };
    let folder = engine.paths().run.join(crate::EXEC_FOLDER);
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let exec =
            fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<Exec>(&text).ok());
        if exec.is_some_and(|exec| engine.records.load(&exec.container).is_err()) {
            // What stays goes with the next one.
            drop(fs::remove_file(entry.path()));
        }
    }
    // Others may have theirs there.
    drop(fs::remove_dir(&folder));
}

pub(crate) fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut members = spelled(call.request.object()?, &keys(&Wanted::default(), &[]));
    listed(&mut members, "Cmd");
    let wanted: Wanted = read(Value::Object(members), "exec configuration")?;
    if wanted.cmd.is_empty() {
        return Err(ApiError::bad("No exec command specified"));
    }
    let known = named(call)?;
    let id = &known.container.id;
    match known.state.status {
        Status::Running => {}
        Status::Paused => {
            return Err(ApiError::new(
                409,
                format!("container {id} is paused, unpause the container before exec"),
            ));
        }
        _ => return Err(ApiError::new(409, format!("container {id} is not running"))),
    }
    let home = call.host.home();
    let exec =
        Exec { id: home.engine()?.random_id()?, container: id.clone(), wanted, ..Exec::default() };
    exec.save(home)?;
    Ok(Answer::Json(201, json!({ "Id": exec.id })))
}

pub(crate) fn inspect(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let exec = Exec::load(call)?;
    let wanted = &exec.wanted;
    let (program, arguments) =
        wanted.cmd.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let mut process = json!({
        "arguments": arguments,
        "entrypoint": program,
        "privileged": wanted.privileged,
        "tty": wanted.tty,
    });
    if !wanted.user.is_empty() {
        process["user"] = wanted.user.clone().into();
    }
    Ok(json!({
        "ID": exec.id,
        "Running": exec.running,
        "ExitCode": exec.exit_code,
        "ProcessConfig": process,
        "OpenStdin": wanted.attach_stdin,
        "OpenStderr": wanted.attach_stderr,
        "OpenStdout": wanted.attach_stdout,
        "CanRemove": exec.exit_code.is_some(),
        "ContainerID": exec.container,
        "DetachKeys": wanted.detach_keys,
        "Pid": exec.pid,
    })
    .into())
}

pub(crate) fn start(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let body = call.request.json()?;
    let members = spelled(body, &["Detach", "Tty", "ConsoleSize"].map(str::to_owned));
    let truth = |key: &str| members.get(key).and_then(Value::as_bool).unwrap_or(false);
    let (detach, tty) = (truth("Detach"), truth("Tty"));
    let mut exec = Exec::load(call)?;
    if exec.started {
        // Docker answers in the stream.
        let words = format!("exec command {} has already run\r\n", exec.id);
        client(call, tty, false, None)?.write(STDERR, words.as_bytes())?;
        return Ok(Answer::Sent);
    }
    let sizes: Option<[u16; 2]> =
        members.get("ConsoleSize").cloned().and_then(|size| serde_json::from_value(size).ok());
    let wanted = exec.wanted.clone();
    let size = sizes
        .or(wanted.console_size)
        .map(|[rows, columns]| (columns, rows))
        .filter(|size| *size != (0, 0));
    let request = ExecRequest {
        argv: wanted.cmd,
        env: wanted.env,
        user: wanted.user,
        working_dir: wanted.working_dir,
        tty: wanted.tty,
        privileged: wanted.privileged,
        attach: Attach {
            stdin: wanted.attach_stdin && !detach,
            stdout: wanted.attach_stdout && !detach,
            stderr: wanted.attach_stderr && !detach,
            size: size.filter(|_| wanted.tty),
        },
    };
    let container = find(call.host.home(), &exec.container)?;
    if container.state.status != Status::Running {
        return Err(ApiError::new(409, format!("container {} is not running", exec.container)));
    }
    call.channel.say(&ToService::Name(format!("exec:{}", exec.id)))?;
    exec.started = true;
    exec.save(call.host.home())?;
    let stdin = request.attach.stdin;
    let leaving = streams::keys(Some(&exec.wanted.detach_keys), exec.wanted.tty && stdin)?;
    let mut client = match detach {
        true => None,
        // Its output has headers unless this request says that there is a terminal, whatever the first one said.
        false => Some(client(call, tty, stdin, leaving)?),
    };
    let begun = call.host.home().engine()?.exec(&exec.container, request);
    let mut executed = match begun {
        Ok(executed) => executed,
        Err(error) => return failed(call, exec, client, error),
    };
    exec.running = true;
    exec.save(call.host.home())?;
    let ended = match &mut client {
        None => {
            call.channel.head(200, &[("content-length", "0")])?;
            executed.connection.wait_exit().map(Ended::Exited).unwrap_or(Ended::Lost)
        }
        Some(client) => relay(&mut executed.connection, client, call.channel)?,
    };
    drop(client);
    // Its end is of interest also to those who come later.
    let code = match ended {
        Ended::Exited(code) => Some(code),
        Ended::Left => executed.connection.wait_exit().ok(),
        Ended::Lost => None,
    };
    exec.running = false;
    exec.exit_code = Some(code.unwrap_or(137));
    exec.save(call.host.home())?;
    Ok(Answer::Sent)
}

/// A program that does not start is told of in the stream: the head is sent.
fn failed(
    call: &mut Call<'_>,
    mut exec: Exec,
    client: Option<Client>,
    error: EngineError,
) -> Result<Answer, ApiError> {
    let (code, words) = match &error {
        EngineError::Start(failure) => (failure.code, format!("{WHERE}: {}\r\n", failure.message)),
        _ => (126, format!("{}\r\n", ApiError::from(error).message)),
    };
    exec.exit_code = Some(code);
    exec.save(call.host.home())?;
    match client {
        Some(mut client) => {
            let mut piece = Vec::new();
            crate::frames::append(&mut piece, crate::frames::STDOUT, client.tty, words.as_bytes());
            client.output.write_all(&piece)?;
            Ok(Answer::Sent)
        }
        None => Err(ApiError::bad(words.trim_end())),
    }
}

pub(crate) fn resize(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (columns, rows) = size(call)?;
    let exec = Exec::load(call)?;
    let answer =
        call.channel.ask(format!("exec:{}", exec.id), json!({ "resize": [columns, rows] }))?;
    match answer.is_null() {
        true => Err(missing(&exec.id)),
        false => Ok(Answer::Empty(200)),
    }
}
