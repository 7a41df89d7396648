//! The life of a monitor: start the container, watch it, end with it.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use coracle_sys::process::ProcessId;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, Signal, WaitOptions, getppid};

use super::charge::Charge;
use super::child::{exit_code, failed, signals};
use super::client::Client;
use super::health::{self, Prober};
use super::launch::{self, CONTROL_FD, LOCK_FD};
use super::network::{self, Wiring};
use super::pump::Pump;
use super::start::{self, FirstProcess};
use crate::caretaker;
use crate::error::with_causes;
use crate::events::Events;
use crate::logs::{self, LogWriter};
use crate::model::{Attach, Status};
use crate::one_id::Span;
use crate::order::MonitorOrder;
use crate::paths::Paths;
use crate::processes::pause::Paused;
use crate::processes::remnants::Remnants;
use crate::records::{ProcessRecord, Records};
use crate::reopen::{CALL, Kept, call_monitors};
use crate::restart::Restart;
use crate::session::{Registration, register};
use crate::start::failure::Failure;
use crate::start::init::ID_SOCKET;
use crate::wire::{Notice, Request};

/// Grace of a container whose monitor is asked to end; Docker's default for `stop`.
const GRACE: Duration = Duration::from_secs(10);
/// A container that lives so long is likely to stay: its monitor then gives back the memory that
/// starting took. One that ends sooner would only need the pages again.
const SETTLING: Duration = Duration::from_millis(500);

struct Monitor {
    charge: Charge,
    prober: Option<Prober>,
    wiring: Option<Wiring>,
    pump: Pump,
    log: LogWriter,
    init: Option<Pid>,
    restart: Restart,
    restart_at: Option<Instant>,
    kill_at: Option<Instant>,
    paused: Paused,
    announce_stop: bool,
    /// It will be started again: it does not remove itself.
    keep: bool,
    /// We were asked to end, as by a shutdown: it is started again by a later command.
    leaving: bool,
    settle_at: Option<Instant>,
    started: Instant,
    registration: Registration,
    /// What `exec` needs of the runtime folder.
    kept: Kept,
    /// Answers for ids since the runtime folder was removed.
    second_server: Option<Pid>,
    /// What does not end with its first process.
    remnants: Remnants,
}

/// What a monitor process does, from its command line on; returns its exit code.
#[must_use]
pub fn main(data: PathBuf, run: PathBuf) -> i32 {
    let Some(control) = coracle_sys::fd::inherit(CONTROL_FD) else { return 2 };
    let lock = coracle_sys::fd::inherit(LOCK_FD);
    let control = UnixStream::from(control);
    let registered = register(&Paths { data, run });
    // Others find the namespaces now.
    drop(lock);
    let Some(order) = launch::take_order(&control) else { return 0 };
    let caller = socket_peercred(&control).ok().map(|caller| caller.pid);
    let Ok(mut first) = Client::new(control) else { return 2 };
    first.attach = Some(order.attach);
    first.waits = true;
    let registration = registered.map_err(failed("register the monitor"));
    match registration.and_then(|registration| Monitor::assemble(order, registration)) {
        // It died before its death could be a signal.
        Ok(monitor) if monitor.charge.container.is_step && getppid() != caller => 1,
        Ok(mut monitor) => {
            monitor.pump.clients.push(first);
            monitor.live()
        }
        Err(failure) => {
            first.tell(&Notice::Failed(failure));
            1
        }
    }
}

impl Monitor {
    fn assemble(order: MonitorOrder, registration: Registration) -> Result<Self, Failure> {
        let paths = order.paths();
        let records = Records::open(&paths).map_err(failed("open the records"))?;
        let container = records.load(&order.id).map_err(failed("load the container"))?;
        let mut life = records.life_as_written(&order.id).map_err(failed("load the state"))?;
        // Nobody knows better who watches than we do.
        life.monitor = Some(ProcessRecord::from(ProcessId::current()));
        let signals =
            coracle_sys::signal::signal_fd(&signals()).map_err(failed("watch for signals"))?;
        if container.is_step {
            // Nobody else waits for it. It is told, not killed: in the middle of a start it would leave what it starts.
            let told = Some(Signal::TERM);
            rustix::process::set_parent_process_death_signal(told)
                .map_err(failed("end with the build"))?;
        }
        let listener =
            start::runtime_folder(&paths, &order.id).map_err(failed("make the runtime folder"))?;
        let plan =
            logs::Plan::new(&container).map_err(|error| Failure::setup(error.to_string()))?;
        let log = LogWriter::open(&paths.log(&order.id), &plan)
            .map_err(|error| Failure::setup(with_causes(&error)))?;
        let restart = Restart::new(&container.host_config.restart_policy);
        let events = Events::new(paths.events()).of(container.owner.as_deref());
        Ok(Self {
            charge: Charge { order, paths, records, container, life, events, holds: Vec::new() },
            prober: None,
            wiring: None,
            pump: Pump::new(signals, Some(listener)),
            log,
            init: None,
            restart,
            restart_at: None,
            kill_at: None,
            paused: Paused::default(),
            announce_stop: false,
            keep: false,
            leaving: false,
            settle_at: None,
            started: Instant::now(),
            registration,
            kept: Kept::default(),
            second_server: None,
            remnants: Remnants::default(),
        })
    }

    fn live(mut self) -> i32 {
        self.pump.stdin_once = self.charge.container.config.stdin_once;
        match self.start() {
            Ok((pid, warnings)) => {
                self.pump.tell_all(|_| true, &Notice::Started { pid, warnings });
            }
            Err(failure) => {
                self.fail_first_start(failure);
                return 1;
            }
        }
        while self.init.is_some() || self.restart_at.is_some() {
            self.turn();
        }
        self.end();
        0
    }

    /// Starts the container's process, for the first time or again.
    fn start(&mut self) -> Result<(i32, Vec<String>), Failure> {
        let FirstProcess { pid, streams, init_record, cgroup, wiring, warnings } =
            start::start(&mut self.charge)?;
        self.wiring = wiring;
        self.kept = start::keep(&self.charge.paths, &self.charge.container.id);
        self.pump.connect(streams);
        self.init = Some(pid);
        self.started = Instant::now();
        self.settle_at = Some(self.started + SETTLING);
        let before = self.charge.life.state.health.take();
        self.prober = Prober::new(&self.charge.container.config, before);
        let raw = pid.as_raw_nonzero().get();
        self.remnants = Remnants::of(&self.charge.container, Some(raw));
        let state = &mut self.charge.life.state;
        state.status = Status::Running;
        state.pid = u32::try_from(raw).unwrap_or(0);
        state.exit_code = 0;
        state.oom_killed = false;
        state.error.clear();
        state.started_at = crate::clock::now();
        state.health = self.prober.as_ref().map(|prober| prober.health().clone());
        self.charge.life.due = None;
        self.charge.life.again = false;
        self.charge.life.init = Some(init_record);
        self.charge.life.cgroup = cgroup;
        self.charge.save();
        self.charge.tell("start", &[]);
        Ok((raw, warnings))
    }

    fn fail_first_start(&mut self, failure: Failure) {
        self.charge.life.state.exit_code = failure.code;
        self.charge.life.state.error.clone_from(&failure.message);
        self.charge.life.state.pid = 0;
        self.charge.life.monitor = None;
        self.charge.life.network.clear();
        self.charge.life.again = false;
        self.charge.finish(self.keep);
        self.pump.tell_all(|_| true, &Notice::Failed(failure));
        self.pump.drain_clients();
    }

    /// One turn of the loop.
    fn turn(&mut self) {
        let probe = self.prober.as_ref().and_then(Prober::deadline);
        let network = self.wiring.as_ref().and_then(Wiring::deadline);
        let times = [self.restart_at, self.kill_at, self.settle_at, probe, network];
        let deadline = times.into_iter().flatten().min();
        let outputs = self.prober.iter().flat_map(Prober::outputs);
        let extra: Vec<_> = outputs.chain(self.wiring.iter().filter_map(Wiring::fd)).collect();
        let log = &mut self.log;
        let turn = self.pump.turn(deadline, &extra, &mut |stream, bytes| {
            // A full disk must not end the container; the writer counts what is lost.
            log.write(stream, bytes, crate::clock::now()).ok();
        });
        if turn.signal {
            self.take_signals();
        }
        if turn.extra {
            if let Some(prober) = &mut self.prober {
                prober.read();
            }
            network::watch(&mut self.wiring);
        }
        for (index, request) in turn.requests {
            self.answer(index, request);
        }
        self.pump.sweep();
        self.run_clocks();
    }

    fn take_signals(&mut self) {
        while let Some(number) = self.pump.next_signal() {
            if number == CALL.as_raw() {
                self.reopen();
            } else if number != Signal::CHILD.as_raw() {
                // Not the user: a logout or a shutdown, which the container's processes are told too.
                self.leaving = true;
                match self.charge.container.is_step {
                    true => self.begin_stop(Signal::KILL.as_raw(), Some(Duration::ZERO)),
                    false => self.begin_stop(Signal::TERM.as_raw(), Some(GRACE)),
                }
            }
        }
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let Some(code) = exit_code(status) else { continue };
            if Some(pid) == self.init {
                self.container_ended(code);
            } else {
                health::child_ended(&mut self.charge, &mut self.prober, pid, code);
            }
        }
    }

    /// Makes anew what others find us by, where somebody removed it. The mark is last: it says
    /// that the rest is there.
    fn reopen(&mut self) {
        network::reopen(&self.charge, self.wiring.as_ref());
        // What cannot be made on a full disk is missed again by whoever calls next.
        drop(crate::session::mend_inside(&self.charge.paths));
        if !self.charge.paths.control(&self.charge.container.id).exists()
            && let Ok(listener) =
                start::runtime_folder(&self.charge.paths, &self.charge.container.id)
        {
            self.pump.listen(listener);
        }
        let bundle = self.charge.paths.bundle(&self.charge.container.id);
        if self.charge.order.single_id && self.init.is_some() && !bundle.join(ID_SOCKET).exists() {
            // For those that `exec` brings; the first one goes on for those that are there.
            self.end_second_server();
            self.second_server = start::serve_ids(Span::Monitor).ok();
        }
        drop(self.kept.restore(&bundle));
        drop(self.registration.renew(&self.charge.paths));
    }

    /// Ends the id server that took the place of another.
    fn end_second_server(&mut self) {
        if let Some(server) = self.second_server.take() {
            // One that is gone is what is wanted; the loop reaps it.
            rustix::process::kill_process(server, Signal::KILL).ok();
        }
    }

    fn container_ended(&mut self, code: i32) {
        self.init = None;
        self.kill_at = None;
        self.end_second_server();
        // One that is stuck in the kernel ends when that lets it.
        let _all: bool = std::mem::take(&mut self.remnants).end(self.charge.life.cgroup.as_deref());
        let log = &mut self.log;
        self.pump.finish_output(&mut |stream, bytes| {
            log.write(stream, bytes, crate::clock::now()).ok();
        });
        self.log.finish(crate::clock::now()).ok();
        if let Some(prober) = self.prober.take() {
            self.charge.life.state.health = Some(prober.health().clone());
            prober.abandon();
        }
        let state = &mut self.charge.life.state;
        state.exit_code = code;
        state.finished_at = crate::clock::now();
        state.pid = 0;
        state.oom_killed =
            self.charge.life.cgroup.as_deref().is_some_and(crate::cgroup::was_oom_killed);
        self.charge.life.init = None;
        if self.charge.life.state.oom_killed {
            self.charge.tell("oom", &[]);
        }
        network::ended(&mut self.charge, self.wiring.take());
        super::volumes::tell_unmounted(&self.charge.events, &self.charge.container);
        self.tell_stopped();
        self.charge.tell(
            "die",
            &[
                ("exitCode", &code.to_string()),
                ("execDuration", &self.started.elapsed().as_secs().to_string()),
            ],
        );
        self.reload();
        let ran = self.started.elapsed();
        self.plan_restart(code, ran);
        if self.restart_at.is_some() {
            self.pump.tell_all(|client| client.waits, &Notice::Exited { code });
        }
    }

    fn plan_restart(&mut self, code: i32, ran: Duration) {
        let stopped = self.charge.life.stopped_by_user || self.leaving;
        self.restart_at =
            self.restart.after_exit(code, ran, stopped).map(|delay| Instant::now() + delay);
        self.charge.life.state.status =
            if self.restart_at.is_some() { Status::Restarting } else { Status::Exited };
        if self.restart_at.is_some() {
            start::reset_runtime(&self.charge);
            self.charge.save();
        }
    }

    fn restart_now(&mut self) {
        self.restart_at = None;
        self.charge.life.restart_count += 1;
        if !self.charge.paths.running(&self.charge.container.id).exists() {
            // Or what this start makes would hide from others that the folder was removed.
            self.reopen();
            call_monitors(&self.charge.paths, &self.charge.records);
        }
        if let Err(Failure { code, message, .. }) = self.start() {
            self.charge.life.state.error = message;
            self.charge.life.state.exit_code = code;
            self.plan_restart(code, Duration::ZERO);
        }
    }

    /// Everything is over: take down, record, tell.
    fn end(&mut self) {
        let code = self.charge.life.state.exit_code;
        self.charge.life.monitor = None;
        if self.leaving && !self.charge.life.stopped_by_user && self.restart.outlives_the_machine()
        {
            self.charge.life.due = Some(crate::clock::now());
        }
        self.charge.life.again = self.keep;
        self.charge.finish(self.keep);
        self.pump.tell_all(|client| client.waits, &Notice::Exited { code });
        self.pump.drain_clients();
        if !self.leaving {
            // With the registration: whoever comes finds the namespaces alive.
            caretaker::call(&self.charge.paths);
        }
    }

    fn answer(&mut self, index: usize, request: Request) {
        let answer = match request {
            Request::Attach { stdin, stdout, stderr } => {
                let size = None;
                return self.pump.attach(index, Attach { stdin, stdout, stderr, size });
            }
            Request::Resize { columns, rows } => {
                // A process that has just ended has no terminal; nothing to tell.
                return drop(self.pump.streams.resize(columns, rows));
            }
            Request::Wait => return self.pump.wait_with(index),
            Request::Stop { signal, grace_ms, announce, keep } => {
                self.pump.wait_with(index);
                self.announce_stop |= announce;
                self.keep |= keep;
                self.charge.life.stopped_by_user = true;
                return self.begin_stop(signal, grace_ms.map(Duration::from_millis));
            }
            Request::Signal { number } => {
                // As in Docker: what ends a container for certain also ends its restarts.
                let stop =
                    crate::processes::signals::parse(&self.charge.container.config.stop_signal);
                let ends = [Signal::KILL.as_raw(), stop.unwrap_or(Signal::TERM.as_raw())];
                self.charge.life.stopped_by_user |= ends.contains(&number);
                let sent = self.signal(number);
                if sent.is_ok() {
                    // Here, so that the end it brings cannot be recorded before it.
                    let told = [("signal", number.to_string())];
                    let told = told.each_ref().map(|(name, value)| (*name, value.as_str()));
                    self.charge.tell("kill", &told);
                }
                if ends.contains(&number) && self.charge.life.state.status == Status::Paused {
                    // As in Docker: what is to end it must reach it.
                    sent.and_then(|()| self.unpause())
                } else {
                    sent
                }
            }
            Request::Ping => Ok(()),
            Request::Pause => self.pause(),
            Request::Unpause => self.unpause(),
            Request::Reload => {
                self.reload();
                Ok(())
            }
            Request::JoinNetwork { network, wish } => {
                let Self { charge, wiring, init, .. } = self;
                network::join_network(charge, wiring, init.is_some(), &network, *wish)
            }
            Request::LeaveNetwork { network } => {
                let Self { charge, wiring, init, .. } = self;
                network::leave_network(charge, wiring, init.is_some(), &network)
            }
        };
        self.pump.tell(
            index,
            &match answer {
                Ok(()) => Notice::Done,
                Err(message) => Notice::Refused { message },
            },
        );
    }

    fn begin_stop(&mut self, signal: i32, grace: Option<Duration>) {
        if self.restart_at.take().is_some() {
            self.charge.life.state.status = Status::Exited;
            self.tell_stopped();
        }
        // A process that has just ended is what is wanted.
        drop(self.signal(signal));
        if self.charge.life.state.status == Status::Paused {
            // The signal waits for it. If it cannot be resumed, SIGKILL after the grace
            // still ends it.
            drop(self.unpause());
        }
        self.kill_at = grace.map(|grace| Instant::now() + grace);
    }

    /// Records that the container was stopped, if that was asked for.
    fn tell_stopped(&mut self) {
        if std::mem::take(&mut self.announce_stop) {
            self.charge.tell("stop", &[]);
        }
    }

    fn signal(&mut self, number: i32) -> Result<(), String> {
        let pid = self.init.ok_or("the container has no process")?;
        coracle_sys::signal::kill(pid, number).map_err(|error| error.source.to_string())
    }

    fn pause(&mut self) -> Result<(), String> {
        let init = self.init.ok_or("the container has no process")?.as_raw_nonzero().get();
        let paused = crate::processes::pause::pause(self.charge.life.cgroup.as_deref(), init)
            .map_err(|error| format!("cannot stop every process of the container: {error}"))?;
        self.paused = paused;
        self.note_pause(true);
        Ok(())
    }

    fn unpause(&mut self) -> Result<(), String> {
        let init = self.init.ok_or("the container has no process")?.as_raw_nonzero().get();
        crate::processes::pause::resume(self.charge.life.cgroup.as_deref(), init, &self.paused)
            .map_err(|error| format!("cannot resume every process of the container: {error}"))?;
        self.note_pause(false);
        Ok(())
    }

    fn note_pause(&mut self, on: bool) {
        if let Some(prober) = &mut self.prober {
            prober.pause(on);
        }
        self.charge.life.state.status = if on { Status::Paused } else { Status::Running };
        self.charge.save();
        self.charge.tell(if on { "pause" } else { "unpause" }, &[]);
    }

    /// Takes over what `update` and `rename` changed.
    fn reload(&mut self) {
        if let Ok(container) = self.charge.records.load(&self.charge.container.id) {
            self.restart.change(&container.host_config.restart_policy);
            let old = std::mem::replace(&mut self.charge.container, container);
            network::renamed(&self.charge, self.wiring.as_ref(), &old.name);
        }
    }

    fn run_clocks(&mut self) {
        let now = Instant::now();
        if self.kill_at.is_some_and(|at| now >= at) {
            self.kill_at = None;
            // As above: it may be gone.
            drop(self.signal(Signal::KILL.as_raw()));
        }
        if self.restart_at.is_some_and(|at| now >= at) {
            self.restart_now();
        }
        if self.settle_at.is_some_and(|at| now >= at) {
            self.settle_at = None;
            // A refusal costs memory and nothing else.
            drop(coracle_sys::memory::release_program_pages());
        }
        network::run_clock(&mut self.charge, &mut self.wiring);
        health::run(&mut self.charge, &mut self.prober);
    }
}
