//! The name server as the owner of its sockets sees it.
//!
//! # How it works
//!
//! Bytes of a question come in with the address of who asks; what the table knows is answered at
//! once, the rest is forwarded, for members with a way out. Unknown askers are refused.
//!
//! As recorded from Docker: addresses live 600 seconds; a name that is there is never asked
//! for elsewhere for its addresses or mail servers, though it may have none; other questions
//! about it go to the outside, and so does each name that is not there. One thing differs: HTTPS
//! and SVCB questions, which programs put beside those for addresses, are kept here too, or the
//! outside would deny the name.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::answer::{Record, encode_name};
use super::forward::{Action, Ask, Forwarder};
use super::message::Rejected;
use super::names::{self, Endpoint, Found, Member, Names};
use super::resolv_conf::Resolvers;
use super::services::Services;
use super::terms::{
    CLASS_IN, Query, Rcode, TYPE_A, TYPE_AAAA, TYPE_HTTPS, TYPE_MX, TYPE_PTR, TYPE_SVCB, Transport,
};

/// A name server without sockets; `T` tells its owner where an answer goes.
pub struct Server<T> {
    names: Names,
    forwarder: Forwarder<T>,
    resolvers: Resolvers,
}

/// What to do with a question.
enum Decision {
    Answer(Rcode, Vec<Record>),
    Forward(Resolvers),
}

impl<T: Copy> Server<T> {
    /// `random` must give numbers that nobody can foretell: they keep forged answers out.
    pub fn new(resolvers: Resolvers, random: impl FnMut() -> u16 + Send + 'static) -> Self {
        let forwarder = Forwarder::new(Box::new(random));
        Self { names: Names::default(), forwarder, resolvers }
    }

    /// The host asks other servers from now on.
    pub fn set_resolvers(&mut self, resolvers: Resolvers) {
        self.resolvers = resolvers;
    }

    /// What holds for the member `id` on all its networks. Not needed if there is nothing to say.
    pub fn set_member(&mut self, id: &str, member: Member) {
        self.names.set_member(id, member);
    }

    /// A member is gone, whose endpoints were removed. One that came back before its first end was noticed has others,
    /// and stays.
    pub fn forget_member(&mut self, id: &str) {
        self.names.forget_member(id);
    }

    /// Adds an endpoint; one with the same id is replaced.
    pub fn add(&mut self, endpoint: Endpoint) {
        self.names.add(endpoint);
    }

    /// Takes away an endpoint with all it brought, and nothing else.
    pub fn remove(&mut self, endpoint: &str) {
        for address in self.names.remove(endpoint) {
            self.forwarder.forget(address);
        }
    }

    /// Gives an endpoint other names.
    pub fn rename(&mut self, endpoint: &str, names: Vec<String>) {
        self.names.rename(endpoint, names);
    }

    /// These are the services from now on.
    pub fn set_services(&mut self, services: Services) {
        self.names.set_services(services);
    }

    /// A question from `asker`. Over TCP, `bytes` are a message without its length.
    pub fn on_query(
        &mut self,
        now: Instant,
        asker: IpAddr,
        transport: Transport,
        bytes: &[u8],
        client: T,
        actions: &mut Vec<Action<T>>,
    ) {
        let query = match Query::parse(bytes) {
            Ok(query) => query,
            Err(Rejected::Ignore) => return,
            Err(Rejected::Answer(bytes)) => return actions.push(Action::Reply { client, bytes }),
        };
        let asker = asker.to_canonical();
        match self.decide(asker, &query) {
            Decision::Answer(rcode, records) => {
                let bytes = query.answer(rcode, &records, transport);
                actions.push(Action::Reply { client, bytes });
            }
            Decision::Forward(resolvers) => {
                let ask = Ask { client, asker, transport, query, bytes };
                self.forwarder.ask(now, &resolvers, ask, actions);
            }
        }
    }

    /// A message from another server.
    pub fn on_upstream(
        &mut self,
        now: Instant,
        upstream: SocketAddr,
        bytes: &[u8],
        actions: &mut Vec<Action<T>>,
    ) {
        self.forwarder.on_upstream(now, upstream, bytes, actions);
    }

    /// A datagram to `upstream` was refused or could not be sent.
    pub fn on_udp_refused(
        &mut self,
        now: Instant,
        upstream: SocketAddr,
        actions: &mut Vec<Action<T>>,
    ) {
        self.forwarder.on_udp_refused(now, upstream, actions);
    }

    /// The connection for [`Action::SendTcp`] with this `id` broke before its answer came.
    pub fn on_tcp_failed(&mut self, now: Instant, id: u16, actions: &mut Vec<Action<T>>) {
        self.forwarder.on_tcp_failed(now, id, actions);
    }

    /// To be called at [`Self::deadline`]; calling early does no harm.
    pub fn on_timeout(&mut self, now: Instant, actions: &mut Vec<Action<T>>) {
        self.forwarder.on_timeout(now, actions);
    }

    /// When [`Self::on_timeout`] has something to do; `None`: never, as things are.
    pub fn deadline(&self) -> Option<Instant> {
        self.forwarder.deadline()
    }

    fn decide(&mut self, asker: IpAddr, query: &Query) -> Decision {
        let Some(member) = self.names.member_at(asker).map(str::to_owned) else {
            return Decision::Answer(Rcode::Refused, Vec::new());
        };
        let name = query.question.text().filter(|_| query.question.class == CLASS_IN);
        if let Some(name) = name {
            if let Some((rcode, records)) = self.known(&member, &name, query.question.kind) {
                return Decision::Answer(rcode, records);
            }
            // Docker says "no such record" here, so that the resolver tries its search list.
            let keeps = self.names.member(&member).is_some_and(|member| member.keeps_bare_names);
            let address = matches!(query.question.kind, TYPE_A | TYPE_AAAA);
            if keeps && address && !name.contains('.') {
                return Decision::Answer(Rcode::NoError, Vec::new());
            }
        }
        if !self.names.reaches_out(&member) {
            return Decision::Answer(Rcode::ServerFailure, Vec::new());
        }
        let own = self.names.member(&member).and_then(|member| member.resolvers.clone());
        Decision::Forward(own.unwrap_or_else(|| self.resolvers.clone()))
    }

    /// What the table says; `None` if that is not for it to say.
    fn known(&mut self, member: &str, name: &str, kind: u16) -> Option<(Rcode, Vec<Record>)> {
        let found = match kind {
            TYPE_A | TYPE_AAAA => self.names.resolve(member, name, kind),
            TYPE_MX | TYPE_HTTPS | TYPE_SVCB => self.names.knows(member, name),
            TYPE_PTR => {
                let address = names::reverse_address(name)?;
                let name = self.names.name_of(member, address)?;
                return Some((Rcode::NoError, vec![Record::Ptr(encode_name(&name)?)]));
            }
            _ => return None,
        };
        match found {
            Found::Addresses(addresses) => {
                Some((Rcode::NoError, addresses.into_iter().map(Record::from).collect()))
            }
            Found::NothingOfThisKind => Some((Rcode::NoError, Vec::new())),
            Found::NobodyReady => Some((Rcode::NameError, Vec::new())),
            Found::Unknown => None,
        }
    }
}
