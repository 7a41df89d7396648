//! What commands ask for: checked, written down, answered.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coracle_runtime::clock;
use coracle_words::ErrorKind;
use zeroize::Zeroizing;

use super::obstacle::is_of_stack;
use super::{Agent, new_id};
use crate::SwarmError;
use crate::command::{self, CommandError, Rollback};
use crate::journal::Sync;
use crate::machine;
use crate::model::{PublishMode, Sealed, SecretSpec, ServiceSpec};
use crate::protocol::{Answer, Request, YES};
use crate::state::{Change, State};

/// What an answer is made of.
pub(super) enum Outcome {
    /// To be written down; the id of what was made.
    Changes(Vec<Change>, String),
    /// It is done already.
    Done(String),
    Text(Zeroizing<String>),
}

impl Agent<'_> {
    /// Does what is asked, or says why not.
    pub(super) fn answer(&mut self, request: Request) -> Answer {
        match self.serve(request) {
            Ok(answer) => answer,
            Err(error) => {
                let kind = error.kind().into();
                Answer::Refused { kind, words: told(&error) }
            }
        }
    }

    fn serve(&mut self, request: Request) -> Result<Answer, SwarmError> {
        self.check_open(&request)?;
        let warnings = self.ask_machine(&request)?;
        let outcome = self.outcome(request)?;
        match outcome {
            Outcome::Changes(changes, id) => {
                if !changes.is_empty() {
                    self.commit(changes, Sync::Yes)?;
                }
                self.put_key_away();
                Ok(Answer::Done { id, warnings })
            }
            Outcome::Done(id) => {
                self.put_key_away();
                Ok(Answer::Done { id, warnings: Vec::new() })
            }
            Outcome::Text(text) => Ok(Answer::Text { text }),
        }
    }

    /// A port that some other program listens at would never become the service's.
    fn check_ports(&self, spec: &ServiceSpec) -> Result<(), SwarmError> {
        let services = self.journal.state.services.values();
        let ours = services.flat_map(|service| &service.endpoint.ports);
        let ours: Vec<u16> = ours.map(|port| port.published_port).collect();
        for port in spec.endpoint_spec.iter().flat_map(|endpoint| &endpoint.ports) {
            let number = port.published_port;
            if number == 0 || port.mode() != PublishMode::Ingress || ours.contains(&number) {
                continue;
            }
            let bound = match port.protocol.as_str() {
                "udp" => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, number)).map(drop),
                _ => TcpListener::bind((Ipv4Addr::UNSPECIFIED, number)).map(drop),
            };
            if bound.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse) {
                let words = format!(
                    "port '{number}' is already in use on this machine, by a program that is no service"
                );
                return Err(SwarmError::refused(ErrorKind::Conflict, words));
            }
        }
        Ok(())
    }

    /// Whether there is a swarm, and it is not locked.
    fn check_open(&self, request: &Request) -> Result<(), SwarmError> {
        let there = !self.journal.state.cluster.id.is_empty();
        match request {
            Request::Wake => Ok(()),
            Request::Init(init) if there && !init.force_new_cluster => {
                Err(SwarmError::refused(ErrorKind::Unavailable, command::IN_A_SWARM))
            }
            Request::Init(_)
            | Request::CreateMachine { .. }
            | Request::RemoveMachine { .. }
            | Request::NodePower { .. } => Ok(()),
            Request::Leave { .. } if !there => {
                Err(SwarmError::refused(ErrorKind::Unavailable, "This node is not part of a swarm"))
            }
            _ if !there => Err(SwarmError::refused(ErrorKind::Unavailable, command::NOT_A_MANAGER)),
            Request::Unlock { .. } | Request::Leave { .. } => Ok(()),
            _ if self.key.is_none() => {
                Err(SwarmError::refused(ErrorKind::Unavailable, command::LOCKED))
            }
            _ => Ok(()),
        }
    }

    /// Whether this machine can give a service what it wants; what is done otherwise, for the user to read.
    fn ask_machine(&self, request: &Request) -> Result<Vec<String>, SwarmError> {
        let services = &self.journal.state.services;
        let (known, wanted) = match request {
            Request::CreateService { spec, .. } => (None, spec),
            Request::UpdateService { id, spec, rollback: false, .. } => (services.get(id), spec),
            _ => return Ok(Vec::new()),
        };
        // What stands in the way of a stack's tasks is told by them.
        if is_of_stack(wanted) {
            return Ok(Vec::new());
        }
        // What is as it was can be scaled to nothing, whatever became of the machine.
        if known.is_some_and(|known| {
            known.spec.task_template == wanted.task_template
                && known.spec.endpoint_spec == wanted.endpoint_spec
        }) {
            return Ok(Vec::new());
        }
        // What makes no sense anywhere is said before what this machine cannot give.
        command::check_service(&self.journal.state, wanted)?;
        self.check_ports(wanted)?;
        let answer = machine::check(wanted, self.host.home().settings());
        let Some(refusal) = answer.refusals.first() else { return Ok(answer.warnings) };
        let hint = refusal.hint.iter().map(|hint| format!("; {hint}")).collect::<String>();
        Err(SwarmError::refused(ErrorKind::BadRequest, format!("{refusal}{hint}")))
    }

    fn outcome(&mut self, request: Request) -> Result<Outcome, SwarmError> {
        let now = clock::now();
        let state = &self.journal.state;
        let changed = |changes| Ok(Outcome::Changes(changes, String::new()));
        match request {
            Request::Wake => Ok(Outcome::Done(String::new())),
            Request::Init(init) => self.init(&init),
            Request::Leave { force } => self.leave(force),
            Request::UpdateCluster { version, spec, rotate } => {
                self.update_cluster(version, *spec, rotate)
            }
            Request::Unlock { key } => self.unlock(&key),
            Request::UnlockKey { rotate } => self.unlock_key(rotate),
            Request::CreateService { spec } => {
                let id = new_id();
                let changes = command::create_service(state, *spec, id.clone(), now)?;
                Ok(Outcome::Changes(changes, id))
            }
            Request::UpdateService { id, version, spec, rollback } => {
                let rollback = if rollback { Rollback::Previous } else { Rollback::No };
                changed(command::update_service(state, &id, version, *spec, rollback, now)?)
            }
            Request::RemoveService { id } => changed(command::remove_service(state, &id)?),
            Request::CreateSecret { spec, data } => {
                self.create_sealed("secret", command::create_secret, spec, &data)
            }
            Request::UpdateSecret { id, version, spec, data } => {
                self.check_content(true, &id, data.as_ref())?;
                changed(command::update_secret(state, &id, version, spec)?)
            }
            Request::RemoveSecret { id } => changed(command::remove_secret(state, &id)?),
            Request::CreateConfig { spec, data } => {
                self.create_sealed("config", command::create_config, spec, &data)
            }
            Request::UpdateConfig { id, version, spec, data } => {
                self.check_content(false, &id, data.as_ref())?;
                changed(command::update_config(state, &id, version, spec)?)
            }
            Request::RemoveConfig { id } => changed(command::remove_config(state, &id)?),
            Request::ConfigData { id } => self.config_data(&id),
            Request::Holds { is_secret, id, data } => {
                let answer = if self.holds(is_secret, &id, &data)? { YES } else { "no" };
                Ok(Outcome::Text(Zeroizing::new(answer.to_owned())))
            }
            Request::UpdateNode { id, version, spec } => {
                changed(command::update_node(state, &id, version, spec)?)
            }
            Request::RemoveNode { id, force } => changed(command::remove_node(state, &id, force)?),
            Request::AddNode { name, spec } => self.add_node(&name, spec),
            Request::NodeLeaves { id, force } => self.node_leaves(&id, force),
            Request::NodePower { id, power } => Ok(Outcome::Changes(self.power(&id, power)?, id)),
            Request::CreateMachine { name, description: like } => self.create_machine(&name, &like),
            Request::RemoveMachine { name } => self.remove_machine(&name),
        }
    }

    /// A secret or config, by what makes it.
    fn create_sealed(
        &self,
        kind: &str,
        make: impl FnOnce(
            &State,
            SecretSpec,
            String,
            usize,
            Sealed,
        ) -> Result<Vec<Change>, CommandError>,
        spec: SecretSpec,
        data: &str,
    ) -> Result<Outcome, SwarmError> {
        let id = new_id();
        let (clear, sealed) = self.sealed(kind, &id, data)?;
        let changes = make(&self.journal.state, spec, id.clone(), clear.len(), sealed)?;
        Ok(Outcome::Changes(changes, id))
    }

    fn config_data(&self, id: &str) -> Result<Outcome, SwarmError> {
        Ok(Outcome::Text(Zeroizing::new(BASE64.encode(&self.config(id)?))))
    }

    /// Content that arrived in base64, and sealed.
    fn sealed(
        &self,
        kind: &str,
        id: &str,
        data: &str,
    ) -> Result<(Zeroizing<Vec<u8>>, Sealed), SwarmError> {
        let invalid = |_| SwarmError::refused(ErrorKind::BadRequest, "the content is not base64");
        let clear = Zeroizing::new(BASE64.decode(data).map_err(invalid)?);
        let key = self.key.as_ref().ok_or_else(locked)?;
        let sealed = key.seal(&format!("{kind} {id}"), &clear)?;
        Ok((clear, sealed))
    }

    /// Whether content that arrived in base64 is what there is.
    fn holds(&self, is_secret: bool, id: &str, data: &str) -> Result<bool, SwarmError> {
        let invalid = |_| SwarmError::refused(ErrorKind::BadRequest, "the content is not base64");
        let held = if is_secret { self.secret(id)? } else { self.config(id)? };
        Ok(Zeroizing::new(BASE64.decode(data).map_err(invalid)?) == held)
    }

    /// Content is not changed. Of one that is not there others tell.
    fn check_content(
        &self,
        is_secret: bool,
        id: &str,
        data: Option<&Zeroizing<String>>,
    ) -> Result<(), SwarmError> {
        let state = &self.journal.state;
        let all = if is_secret { &state.secrets } else { &state.configs };
        match data {
            Some(data) if all.contains_key(id) && !self.holds(is_secret, id, data)? => {
                let words =
                    "rpc error: code = InvalidArgument desc = only updates to Labels are allowed";
                Err(SwarmError::refused(ErrorKind::BadRequest, words))
            }
            _ => Ok(()),
        }
    }

    /// The content of a config.
    pub(super) fn config(&self, id: &str) -> Result<Zeroizing<Vec<u8>>, SwarmError> {
        let config = self.journal.state.configs.get(id);
        let missing = || SwarmError::refused(ErrorKind::NotFound, format!("config {id} not found"));
        let key = self.key.as_ref().ok_or_else(locked)?;
        Ok(key.open(&format!("config {id}"), &config.ok_or_else(missing)?.sealed)?)
    }

    /// The content of a secret.
    pub(super) fn secret(&self, id: &str) -> Result<Zeroizing<Vec<u8>>, SwarmError> {
        let secret = self.journal.state.secrets.get(id);
        let missing = || SwarmError::refused(ErrorKind::NotFound, format!("secret {id} not found"));
        let key = self.key.as_ref().ok_or_else(locked)?;
        Ok(key.open(&format!("secret {id}"), &secret.ok_or_else(missing)?.sealed)?)
    }
}

/// Whether a template driver is named.
pub(super) fn is_template(spec: &SecretSpec) -> bool {
    spec.templating.as_ref().is_some_and(|driver| !driver.name.is_empty())
}

pub(super) fn locked() -> SwarmError {
    SwarmError::refused(ErrorKind::Unavailable, command::LOCKED)
}

/// An error and what is behind it, in one line.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        let more = behind.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        source = behind.source();
    }
    words
}
