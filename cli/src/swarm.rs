//! The swarm, as commands get it: who asks its agent, its state, and the words when there is none.

use std::ffi::CString;

use coracle_runtime::home::Scope;
use coracle_swarm::SwarmError;
use coracle_swarm::agent::NODE_LABEL;
use coracle_swarm::client::{AgentStart, Client};
use coracle_swarm::command::{A_WORKER, LOCKED, NO_LEADER, NOT_A_MANAGER};
use coracle_swarm::journal::Reader;
use coracle_swarm::model::Node;
use coracle_swarm::protocol::{Answer, Request};
use coracle_swarm::state::State;
use coracle_view::node::{self, Standing};
use zeroize::Zeroizing;

use crate::app::App;
use crate::args::spec::{OnNode, Spec};
use crate::error::CliError;

/// How often a change is tried that another one came before.
const TRIES: u32 = 5;

impl App {
    /// Where the swarm of this user is, and how its agent is started.
    pub(crate) fn swarm(&self) -> Result<Client, CliError> {
        let paths = self.engine()?.paths();
        let root = path_text(&paths.data)?;
        // What holds a NUL cannot be in an environment.
        let pairs = self.settings.environment.all.iter();
        let environment =
            pairs.filter_map(|(name, value)| CString::new(format!("{name}={value}")).ok());
        let start = AgentStart { arguments: vec![root], environment: environment.collect() };
        Ok(Client::new(&paths.data, &paths.run, start))
    }

    /// The state, for a command that any node may give.
    pub(crate) fn swarm_state(&self) -> Result<(Client, Reader), CliError> {
        let swarm = self.swarm()?;
        let reader = swarm.read()?;
        Ok((swarm, reader))
    }

    /// Has the agent of a swarm that has services go on, where it was killed or the machine was restarted: any command
    /// does. A user without a swarm pays for one look at a file.
    pub(crate) fn wake_agent(&self) {
        if !coracle_swarm::journal::is_there(&self.settings.data_root) {
            return;
        }
        let Ok(swarm) = self.swarm() else { return };
        let needed = |reader: &Reader| !reader.state.services.is_empty();
        if !swarm.is_alive() && swarm.has_key() && swarm.read().is_ok_and(|it| needed(&it)) {
            // Who only looks is not kept from it; who changes something will hear why.
            drop(swarm.ask(&Request::Wake));
        }
    }

    /// The state, for a command that only a manager may give.
    pub(crate) fn manager(&self) -> Result<Reader, CliError> {
        let (swarm, reader) = self.swarm_state()?;
        self.check_manager(&swarm, &reader)?;
        Ok(reader)
    }

    /// Whether the node that this command is given on may speak for the swarm.
    pub(crate) fn check_manager(&self, swarm: &Client, reader: &Reader) -> Result<(), CliError> {
        let say = |words: &str| Err(self.of_engine(words));
        if !reader.is_swarm() {
            return say(NOT_A_MANAGER);
        }
        if swarm.is_locked(&reader.state) {
            return say(LOCKED);
        }
        let node = self.this_node(&reader.state)?;
        match node::standing(&reader.state, node) {
            Standing::Manager => Ok(()),
            Standing::Worker => say(A_WORKER),
            Standing::NoQuorum => say(NO_LEADER),
        }
    }

    /// The node that this command is given on: the machine, or the rehearsal node that was chosen.
    pub(crate) fn this_node<'a>(&self, state: &'a State) -> Result<&'a Node, CliError> {
        match node::chosen(state, self.settings.node.as_deref()) {
            Some(node) if !node.own.left => Ok(node),
            _ => Err(self.outside(state)),
        }
    }

    /// What a machine says that is in no swarm; where there is one on others, who can be asked.
    fn outside(&self, state: &State) -> CliError {
        let error = self.of_engine(NOT_A_MANAGER);
        let manager = state.nodes.values().find(|node| node.manager_status.is_some());
        match manager.filter(|_| self.settings.node.is_none()) {
            None => error,
            Some(manager) => {
                let (program, name) = (self.program, node::name_of(manager));
                error.hint(format!("`{program} --node {name} …` asks the manager {name}"))
            }
        }
    }

    /// Sees to it that a command is given on the node that was chosen (`--node`, `CORACLE_NODE`), if one was, and to
    /// nothing else on this machine.
    pub(crate) fn choose_node(&mut self, spec: &Spec, path: &str) -> Result<(), CliError> {
        let Some(name) = self.settings.node.clone().filter(|_| spec.node != OnNode::NotAsked)
        else {
            return Ok(());
        };
        let (_, reader) = self.swarm_state()?;
        let Some(node) = node::chosen(&reader.state, Some(&name)) else {
            return Err(unknown(self.program, &reader, &name));
        };
        let name = node::name_of(node);
        if node.own.off_since.is_some() {
            let hint = format!("`{} node start {name}` switches it on", self.program);
            return Err(CliError::plain(format!(
                "Cannot connect to the Docker daemon at {}. Is the docker daemon running?",
                node.status.addr
            ))
            .hint(hint));
        }
        if spec.node == OnNode::Refused && node.own.number != 0 {
            let what = format!("{path} on the node {name}");
            let why = "it is of the machine itself, and not told apart by node";
            let hint = "without `--node` and CORACLE_NODE it is done there";
            return Err(CliError::unsupported(&what, why).hint(hint));
        }
        self.node = Some(node.own.number);
        self.settings.node = Some(name.to_owned());
        self.home.show_only(Scope {
            label: NODE_LABEL,
            nodes: reader.state.ids_of(node.own.number),
            number: node.own.number,
            is_machine: node.own.number == 0,
            is_manager: !node.own.left && node::standing(&reader.state, node) != Standing::Worker,
        });
        Ok(())
    }

    /// Has the agent do something; gives the id of what was made. Warnings are told.
    pub(crate) fn order(&mut self, request: &Request) -> Result<String, CliError> {
        match self.swarm()?.ask(request).map_err(|error| self.of_agent(error))? {
            Answer::Done { id, warnings } => {
                self.warn(&warnings);
                Ok(id)
            }
            Answer::Text { .. } | Answer::Refused { .. } => Err(CliError::plain(
                "the agent of the swarm gave another answer than was asked for",
            )),
        }
    }

    /// Does `once`, which changes what it has just read; again when another change came before it: what happens to
    /// tasks and nodes is written down as well.
    pub(crate) fn in_sequence<T>(
        &mut self,
        mut once: impl FnMut(&mut Self) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        for _ in 1..TRIES {
            match once(self) {
                Err(error) if error.message.ends_with("update out of sequence") => {}
                outcome => return outcome,
            }
        }
        once(self)
    }

    /// Asks the agent for a text.
    pub(crate) fn text_of(&self, request: &Request) -> Result<Zeroizing<String>, CliError> {
        match self.swarm()?.ask(request).map_err(|error| self.of_agent(error))? {
            Answer::Text { text } => Ok(text),
            Answer::Done { .. } | Answer::Refused { .. } => Err(CliError::plain(
                "the agent of the swarm gave another answer than was asked for",
            )),
        }
    }

    /// Words of Docker's engine, with our name where it says its own.
    pub(crate) fn of_engine(&self, words: &str) -> CliError {
        CliError::engine(self.called(words))
    }

    /// `docker swarm join` in recorded words is what this program is called.
    pub(crate) fn called(&self, words: &str) -> String {
        words.replace("docker swarm ", &format!("{} swarm ", self.program))
    }

    fn of_agent(&self, error: SwarmError) -> CliError {
        let mut error = CliError::from(error);
        error.message = self.called(&error.message);
        error
    }
}

/// Nobody is called that.
fn unknown(program: &str, reader: &Reader, name: &str) -> CliError {
    let error = CliError::plain(format!("there is no node {name} on this machine"));
    let all: Vec<&Node> =
        node::itself(&reader.state).into_iter().chain(node::machines(&reader.state)).collect();
    if all.is_empty() {
        return error.hint(format!(
            "`{program} machine create {name}` makes it, `{program} swarm init --nodes 3` begins a swarm with nodes"
        ));
    }
    let names: Vec<&str> = all.into_iter().map(node::name_of).collect();
    let how = if reader.is_swarm() { "node add" } else { "machine create" };
    error.hint(format!("there are {}; `{program} {how} {name}` adds another", names.join(", ")))
}

fn path_text(path: &std::path::Path) -> Result<CString, CliError> {
    use std::os::unix::ffi::OsStrExt as _;
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| CliError::plain(format!("{} holds a NUL", path.display())))
}
