//! The agent: the one process that writes the state of a swarm, and does what follows from it.
//!
//! # How it works
//!
//! One thread, one poll loop: the door where commands come ([`door`]), monitors of containers, images on their way,
//! the network helper, and the next moment at which something happens by itself. After each event it asks
//! [`crate::reconcile::decide`] what is to be done, tells the network helper who is ready, and has [`runs`] bring each
//! task's container to where it belongs, until nothing changes any more. A task is taken from the network before it is
//! stopped, and given to it when it is ready.
//!
//! Containers carry the task's id as a label. An agent that comes after one that was killed finds them by it; nothing
//! of what it needs to know lies in memory alone.
//!
//! A monitor starts it again when a container ends ([`coracle_runtime::caretaker`]), and so does any command.
//!
//! # When it ends
//!
//! When there is no service and no task and nobody asks, under the lock of the door; unless the swarm was unlocked by
//! hand, because the key would be gone. While the swarm is locked nothing is decided and tasks run on.

mod adopt;
mod balance;
mod cluster;
mod deliver;
mod door;
mod host;
mod jumps;
mod machines;
mod networks;
mod nodes;
mod observe;
mod obstacle;
mod runs;
mod serve;
mod stop;
mod tell;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use coracle_runtime::caretaker::Caretaker;
use coracle_runtime::clock;
use coracle_runtime::core_dumps;
use coracle_runtime::detached::LISTENER_FD;
use coracle_runtime::door::Door;
use coracle_runtime::paths::Paths;
use coracle_runtime::watch::Watch;
use coracle_words::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

pub use adopt::TASK_LABEL;
pub use host::{Fetching, Host};
pub use networks::GWBRIDGE;
pub use nodes::NODE_LABEL;

use crate::client;
use crate::journal::{self, Journal, Sync};
use crate::model::id;
use crate::reconcile::decide;
use crate::seal::Key;
use crate::state::Change;
use balance::Helper;
use door::Clients;
use jumps::Clocks;
use runs::Run;

/// How many times in a row there may be something new to decide: a fault of ours must not become a busy loop.
const ROUNDS_MAX: usize = 1000;

/// How long the agent waits for another command before it ends.
const LINGER: Duration = Duration::from_millis(200);

/// What the agent has.
pub(crate) struct Agent<'a> {
    pub(crate) host: &'a mut dyn Host,
    pub(crate) journal: Journal,
    pub(crate) folder: std::path::PathBuf,
    /// None: the swarm is locked, or there is none.
    pub(crate) key: Option<Key>,
    /// A person gave the key; it is not on the disk.
    pub(crate) unlocked: bool,
    runs: BTreeMap<String, Run>,
    watch: Watch,
    helper: Helper,
    clocks: Clocks,
    /// What was seen of containers and could not be written down yet.
    unwritten: Vec<Change>,
    /// When a delay ends.
    wake: Option<Timestamp>,
}

impl std::fmt::Debug for Agent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("runs", &self.runs.len()).finish_non_exhaustive()
    }
}

/// What the agent process does; gives its exit code.
pub fn main(host: &mut dyn Host) -> i32 {
    core_dumps::forbid();
    let Some(listener) = coracle_sys::fd::inherit(LISTENER_FD) else { return 2 };
    match live(host, listener) {
        Ok(()) => 0,
        // Who started us reads why.
        Err(()) => 1,
    }
}

fn live(host: &mut dyn Host, listener: OwnedFd) -> Result<(), ()> {
    let paths = host.home().engine().map_err(drop)?.paths().clone();
    let told = |words: &dyn std::fmt::Display| {
        drop(std::fs::write(client::error_file(&paths.run), words.to_string()));
    };
    let folder = journal::folder(&host.home().settings().data_root);
    let session = host.home().engine().and_then(|engine| engine.enter(true));
    host.home_mut().keep(session.map_err(|error| told(&error))?);
    let journal = Journal::open(&folder).map_err(|error| told(&error))?;
    let key = Key::load(&folder).map_err(|error| told(&error))?;
    let door = client::door(&paths.run);
    if let Some(me) = host.caretaker(door.clone()) {
        // Without it the next command is the one that starts another.
        drop(me.leave_word(&paths));
    }
    let clocks = Clocks::new(journal.written_at());
    let mut agent = Agent {
        host,
        journal,
        folder,
        key,
        unlocked: false,
        runs: BTreeMap::new(),
        watch: Watch::empty(),
        helper: Helper::default(),
        clocks,
        unwritten: Vec::new(),
        wake: None,
    };
    agent.adopt();
    agent.serve_until_idle(&UnixListener::from(listener), &door, &paths);
    Ok(())
}

impl Agent<'_> {
    fn serve_until_idle(&mut self, listener: &UnixListener, door: &Door, paths: &Paths) {
        let mut clients = Clients::default();
        let mut lingers = true;
        loop {
            self.settle();
            let idle = self.is_idle() && clients.is_empty();
            if idle && !lingers {
                let Ok(_lock) = door.lock(client::PATIENCE) else { return };
                // Whoever came until now is served; nobody comes while we hold the lock.
                if !clients.accept(listener) {
                    Caretaker::take_word_back(paths);
                    drop(std::fs::remove_file(door.socket()));
                    return;
                }
            }
            let happened = self.rest(listener, &clients, idle);
            lingers = happened;
            clients.accept(listener);
            while let Some((number, request)) = clients.next_request() {
                let answer = self.answer(request);
                clients.reply(number, &answer);
                lingers = true;
            }
            clients.sweep();
        }
    }

    /// Whether nothing is left to be looked after.
    fn is_idle(&self) -> bool {
        let state = &self.journal.state;
        let locked = self.key.is_none() && !state.cluster.id.is_empty();
        let nothing = state.services.is_empty() && state.tasks.is_empty() && self.runs.is_empty();
        locked || (nothing && !self.unlocked)
    }

    /// Decides and acts until there is nothing left to do now.
    fn settle(&mut self) {
        if self.key.is_none() {
            return;
        }
        self.follow_clock();
        let surroundings = self.surroundings();
        for _ in 0..ROUNDS_MAX {
            let now = clock::now();
            if !self.observe(now) {
                return;
            }
            let state = &self.journal.state;
            let others = &mut || self.addresses_of_others();
            let decision = decide(state, &surroundings, others, &mut || new_id(), now);
            self.wake = decision.wake;
            let decided = !decision.changes.is_empty();
            if decided && !self.note(decision.changes) {
                return;
            }
            self.balance();
            let acted = self.act(now);
            if !decided && !acted {
                return;
            }
        }
    }

    /// Writes down what is decided again otherwise; false when that is impossible (a full disk): it is tried again later.
    pub(crate) fn note(&mut self, changes: Vec<Change>) -> bool {
        if changes.is_empty() {
            return true;
        }
        let written = self.commit(changes, Sync::No);
        if written.is_err() {
            let later = clock::now().datetime() + chrono::TimeDelta::seconds(1);
            self.wake = Some(later.into());
        }
        written.is_ok()
    }

    /// Writes down what was seen or done, which nobody sees again: until it is written, nothing else is done.
    pub(crate) fn note_facts(&mut self, changes: Vec<Change>) -> bool {
        self.unwritten.extend(changes);
        let written = self.note(self.unwritten.clone());
        if written {
            self.unwritten.clear();
        }
        written
    }

    /// How long nothing happens by itself.
    fn patience(&self) -> Option<Duration> {
        let wake = self.wake?.datetime() - clock::now().datetime();
        // A moment more than less: a delay that is not over yet is waited for again.
        Some(wake.to_std().unwrap_or_default() + Duration::from_millis(1))
    }

    /// Waits; gives its program's pages back when it is for longer. They come back from the page cache.
    fn rest(&self, door: &UnixListener, clients: &Clients, idle: bool) -> bool {
        let patience = || if idle { Some(LINGER) } else { self.patience() };
        if patience().is_none_or(|patience| patience > LINGER) {
            if self.wait(door, clients, Some(LINGER)) {
                return true;
            }
            // Without it the agent only takes more memory.
            drop(coracle_sys::memory::release_program_pages());
        }
        self.wait(door, clients, patience())
    }

    /// Waits for whatever comes first; false when it was nothing.
    fn wait(&self, door: &UnixListener, clients: &Clients, patience: Option<Duration>) -> bool {
        let mut fds = vec![PollFd::new(door, PollFlags::IN)];
        fds.extend(clients.fds().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        // Without a key nothing is done about what happens: it would be heard of again and again.
        if self.key.is_some() {
            fds.extend(self.watch.fd().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
            fds.extend(self.helper.fd().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
            for run in self.runs.values() {
                fds.extend(run.fds().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
            }
        }
        let patience = match patience {
            Some(patience) => Some(self.watch.patience(patience)),
            None if self.watch.fd().is_none() => Some(self.watch.patience(Duration::MAX)),
            None => None,
        };
        let timeout = patience.and_then(|patience| Timespec::try_from(patience).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(ready) => ready > 0,
            Err(Errno::INTR) => true,
            // Nothing else is known to go wrong; a loop without a pause would be worse than a late one.
            Err(_) => {
                std::thread::sleep(LINGER);
                true
            }
        }
    }
}

/// An id by chance.
pub(crate) fn new_id() -> String {
    let mut bytes = [0u8; 16];
    // The kernel's generator is ready long before a user can log in.
    getrandom::fill(&mut bytes).unwrap_or_default();
    id::from_bits(u128::from_be_bytes(bytes))
}
