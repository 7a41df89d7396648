//! `RUN`: a container of the build home, from its description to what it wrote.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};

use coracle_image::{Digest, Layer};
use coracle_runtime::EngineError;
use coracle_runtime::engine::{Connection, CreateRequest, ImageFacts, RemoveOptions, Starting};
use coracle_runtime::model::{Attach, Config, EndpointSettings, HostConfig, LogConfig, Ulimit};
use coracle_runtime::networks::BRIDGE;
use coracle_runtime::wire::{Kind, Notice};

use super::error::StepError;
use super::jobs::Child;
use super::mounts::Mounts;
use super::workshop::Workshop;
use crate::plan::Run;
use crate::request::Network;

/// How a program that cannot be executed is told of, as runc does.
const RUNC: &str = "unable to start container process";

/// The host name of a command, unless a build argument gives another.
const HOSTNAME: &str = "buildkitsandbox";

/// A command that was started.
#[derive(Debug)]
pub(super) struct Command {
    /// The container.
    pub(super) id: String,
    monitor: Option<i32>,
    state: State,
    /// Locks and places of its mounts: they last until it has ended.
    _mounts: Mounts,
}

#[derive(Debug)]
enum State {
    Starting(Option<Starting>),
    Running(Connection),
}

/// What was heard of a command.
#[derive(Debug)]
pub(super) enum Heard {
    /// What it wrote, and on which stream.
    Output(u8, Vec<u8>),
    Exited(i32),
    /// It has started.
    Begun,
    /// It did not start: what is told of that, and why.
    NotStarted {
        log: Option<String>,
        error: StepError,
    },
    /// Its monitor was killed.
    Lost,
}

impl AsFd for Command {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.state {
            State::Starting(Some(starting)) => starting.as_fd(),
            State::Starting(None) => unreachable!("only while it is replaced"),
            State::Running(connection) => connection.stream.as_fd(),
        }
    }
}

impl Command {
    /// Begins to start a command on top of `layers`.
    pub(super) fn start(
        workshop: &mut Workshop,
        run: &Run,
        layers: &[Digest],
        mounts: Mounts,
    ) -> Result<Self, StepError> {
        let origin = workshop.origin();
        let (engine, session) = workshop.engine()?;
        let id = engine.call_ahead(session)?;
        let request = request(run, layers, &mounts);
        let request = CreateRequest { id: Some(id.clone()), origin, ..request };
        engine.create(request)?;
        mounts.deliver(engine, session, &id)?;
        let attach = Attach { stdin: false, stdout: true, stderr: true, size: None };
        let starting = engine.begin_start(session, &id, attach)?;
        let monitor = starting.monitor();
        Ok(Self { id, monitor, state: State::Starting(Some(starting)), _mounts: mounts })
    }

    /// What has happened, when its descriptor is readable.
    pub(super) fn hear(&mut self, words: &str) -> Vec<Heard> {
        if let State::Starting(starting) = &mut self.state {
            let Some(starting) = starting.take() else { return Vec::new() };
            match starting.finish() {
                Ok(started) => self.state = State::Running(started.connection),
                Err(error) => return vec![not_started(words, error)],
            }
            // Nothing more may have arrived: it is looked at when it has.
            let mut all = vec![Heard::Begun];
            all.extend(self.buffered());
            return all;
        }
        let State::Running(connection) = &mut self.state else { return Vec::new() };
        let mut all: Vec<Heard> = match connection.receive() {
            Ok(Some(frame)) => frame_of(frame).into_iter().collect(),
            Ok(None) | Err(_) => vec![Heard::Lost],
        };
        all.extend(self.buffered());
        all
    }

    /// Frames that have arrived whole.
    fn buffered(&mut self) -> Vec<Heard> {
        let State::Running(connection) = &mut self.state else { return Vec::new() };
        let mut all = Vec::new();
        loop {
            match connection.buffered() {
                Ok(Some(frame)) => all.extend(frame_of(frame)),
                Ok(None) => return all,
                Err(_) => {
                    all.push(Heard::Lost);
                    return all;
                }
            }
        }
    }

    /// Makes a layer of what it wrote, in a child; the container is gone afterwards.
    pub(super) fn keep(&self, workshop: &mut Workshop) -> Result<Child, StepError> {
        self.reap();
        let id = self.id.clone();
        Child::start(move || {
            let layer = take(workshop, &id);
            let (engine, session) = workshop.engine()?;
            let options = RemoveOptions { force: true, volumes: true };
            let removed = engine.remove(session, &id, options);
            let layer = layer?;
            removed?;
            Ok(layer)
        })
    }

    /// Ends and removes it, whatever it does.
    pub(super) fn discard(self, workshop: &mut Workshop) {
        let Ok((engine, session)) = workshop.engine() else { return };
        let options = RemoveOptions { force: true, volumes: true };
        // What cannot be removed now is met again by the next build.
        drop(engine.remove(session, &self.id, options));
        self.reap();
    }

    /// Whether the kernel ended it for want of memory.
    pub(super) fn was_oom_killed(&self, workshop: &mut Workshop) -> bool {
        let life =
            workshop.engine().ok().and_then(|(engine, _)| engine.records.life(&self.id).ok());
        life.is_some_and(|life| life.state.oom_killed)
    }

    fn reap(&self) {
        use rustix::process::{Pid, WaitOptions, waitpid};
        if let Some(pid) = self.monitor.and_then(Pid::from_raw) {
            // It ends by itself once it has told of the end.
            waitpid(Some(pid), WaitOptions::empty()).ok();
        }
    }
}

/// Takes what the container wrote into the store.
fn take(workshop: &mut Workshop, id: &str) -> Result<Layer, StepError> {
    let (engine, session) = workshop.engine()?;
    let folder = engine.paths().container(id).join("layer");
    engine.take_written(session, id, &folder)?;
    Ok(workshop.store.adopt_folder(&folder, &|_| false)?)
}

fn frame_of((kind, payload): (Kind, Vec<u8>)) -> Option<Heard> {
    match kind {
        Kind::Stdout => Some(Heard::Output(1, payload)),
        Kind::Stderr => Some(Heard::Output(2, payload)),
        Kind::Notice => match serde_json::from_slice(&payload).ok()? {
            Notice::Exited { code } => Some(Heard::Exited(code)),
            _ => None,
        },
        _ => None,
    }
}

/// What BuildKit says of a command that did not start.
fn not_started(words: &str, error: EngineError) -> Heard {
    let did_not = format!("process {words} did not complete successfully");
    if let EngineError::Start(failure) = &error {
        if matches!(failure.code, 126 | 127) {
            // There it is the runtime that says so.
            let error = StepError {
                exit_code: Some(1),
                hint: failure.hint.clone(),
                ..StepError::new(format!("{did_not}: exit code: 1"))
            };
            return Heard::NotStarted {
                log: Some(format!("runc run failed: {RUNC}: {}\n", failure.message)),
                error,
            };
        }
        let error = StepError {
            hint: failure.hint.clone(),
            ..StepError::new(format!("{did_not}: {}", failure.message))
        };
        return Heard::NotStarted { log: None, error };
    }
    Heard::NotStarted { log: None, error: error.into() }
}

fn request(run: &Run, layers: &[Digest], mounts: &Mounts) -> CreateRequest {
    let mut env: Vec<String> = run.env.iter().chain(&run.unkeyed_env).cloned().collect();
    env.extend(mounts.env.iter().cloned());
    // A name without a value takes the default away.
    env.push("HOSTNAME".to_owned());
    let network = network(run.network);
    let networks = match network {
        BRIDGE => vec![(BRIDGE.to_owned(), EndpointSettings::default())],
        _ => Vec::new(),
    };
    let mut host_config = HostConfig {
        network_mode: network.to_owned(),
        log_config: LogConfig { driver: "none".to_owned(), config: BTreeMap::new() },
        tmpfs: mounts.tmpfs.clone(),
        mounts: mounts.mounts.clone(),
        ..HostConfig::default()
    };
    if !run.hosts.is_empty() {
        host_config.extra_hosts = Some(run.hosts.clone());
    }
    if let Some(bytes) = run.shm_size.filter(|bytes| *bytes > 0) {
        host_config.shm_size = i64::try_from(bytes).unwrap_or(i64::MAX);
    }
    if !run.ulimits.is_empty() {
        host_config.resources.ulimits =
            Some(run.ulimits.iter().filter_map(|text| ulimit(text)).collect());
    }
    CreateRequest {
        image: ImageFacts {
            layers: layers.to_vec(),
            mounted: mounts.images.clone(),
            ..ImageFacts::default()
        },
        config: Config {
            hostname: run.hostname.as_deref().unwrap_or(HOSTNAME).to_owned(),
            user: run.user.clone(),
            env,
            entrypoint: Some(run.args.clone()),
            working_dir: run.working_dir.clone(),
            ..Config::default()
        },
        host_config,
        networks,
        delivered: mounts.delivered.iter().map(|file| file.0.clone()).collect(),
        is_step: true,
        ..CreateRequest::default()
    }
}

fn network(wanted: Network) -> &'static str {
    match wanted {
        Network::Host => "host",
        Network::None => "none",
        Network::Default => BRIDGE,
    }
}

/// `NAME=SOFT[:HARD]`; whoever made the request has checked it.
fn ulimit(text: &str) -> Option<Ulimit> {
    let (name, values) = text.split_once('=')?;
    let (soft, hard) = values.split_once(':').unwrap_or((values, values));
    Some(Ulimit { name: name.to_owned(), soft: soft.parse().ok()?, hard: hard.parse().ok()? })
}
