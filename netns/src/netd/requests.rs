//! What clients ask for, done.

use std::os::fd::OwnedFd;

use super::clients::{Heard, Joined};
use super::members::Endpoint;
use super::ports::{Owner, Target};
use super::run::Netd;
use crate::netlink::Netlink;
use crate::protocol::{Connect, Connected, Join, Member, Port, Reply, Request, Status};

impl Netd {
    /// A client said something, or is gone.
    pub(crate) fn on_client(&mut self, index: usize) {
        let Some(client) = self.clients.get(index) else { return };
        let reply = match client.hear() {
            Heard::Nothing => return,
            Heard::Gone => return self.forget(index),
            Heard::Nonsense(message) => Err(message),
            Heard::Request(request, descriptors) => self.answer(index, *request, descriptors),
        };
        let reply = reply.unwrap_or_else(|message| Reply::Failed { message });
        if let Some(client) = self.clients.get(index) {
            client.tell(&reply);
        }
    }

    fn answer(
        &mut self,
        index: usize,
        request: Request,
        descriptors: Vec<OwnedFd>,
    ) -> Result<Reply, String> {
        match request {
            Request::Join(join) => self.join(index, join, descriptors),
            Request::Connect(connect) => self.connect(index, &connect),
            Request::Disconnect { network } => self.disconnect(index, &network),
            Request::Names { network, names } => self.rename(index, &network, names),
            Request::Publish { ports } => self.publish(index, &ports),
            Request::Leave => {
                self.leave(index);
                Ok(Reply::Done)
            }
            Request::Door => self.take_door(descriptors),
            Request::Balance => self.balance(descriptors),
            Request::Status => Ok(Reply::Status(self.status())),
        }
    }

    /// Another door and lock in place of those that nobody can find any more.
    fn take_door(&mut self, descriptors: Vec<OwnedFd>) -> Result<Reply, String> {
        let [door, lock] = <[OwnedFd; 2]>::try_from(descriptors)
            .map_err(|_| "a listening socket and a lock must come with it")?;
        self.change_door(door, lock.into())
            .map_err(|error| format!("cannot watch the new door: {error}"))?;
        Ok(Reply::Done)
    }

    fn join(
        &mut self,
        index: usize,
        join: Join,
        descriptors: Vec<OwnedFd>,
    ) -> Result<Reply, String> {
        let [namespace, netlink] = <[OwnedFd; 2]>::try_from(descriptors)
            .map_err(|_| "a network namespace and a netlink socket must come with it")?;
        let client = self.clients.get_mut(index).ok_or("gone")?;
        if client.joined.is_some() {
            return Err("joined already".to_owned());
        }
        let netlink = Netlink::new(netlink);
        client.joined = Some(Joined { join, namespace, netlink });
        Ok(Reply::Done)
    }

    fn connect(&mut self, index: usize, connect: &Connect) -> Result<Reply, String> {
        let network = &connect.network;
        if self.members.of(index).any(|endpoint| endpoint.network == network.id) {
            return Err(format!("endpoint already exists in network {}", network.name));
        }
        let got = self.attach(index, connect)?;
        let endpoint = Endpoint {
            client: index,
            network: network.id.clone(),
            got: got.clone(),
            priority: connect.gateway_priority,
        };
        self.members.add(network, endpoint);
        if let Some(joined) = self.clients.get(index).and_then(|client| client.joined.as_ref()) {
            self.names.add(network, &joined.join, connect, &got);
        }
        self.ports.follow(&mut self.kit, &self.members.gateways());
        self.rebalance();
        self.lead_out(index)?;
        Ok(Reply::Connected(got))
    }

    fn disconnect(&mut self, index: usize, network: &str) -> Result<Reply, String> {
        let (endpoint, last) = self
            .members
            .remove(index, network)
            .ok_or_else(|| format!("not connected to network {network}"))?;
        self.names.remove(&endpoint.got.endpoint);
        self.part(&endpoint);
        self.detach(index, &endpoint, last.as_ref());
        self.ports.follow(&mut self.kit, &self.members.gateways());
        self.rebalance();
        self.lead_out(index)?;
        Ok(Reply::Done)
    }

    fn rename(&mut self, index: usize, network: &str, names: Vec<String>) -> Result<Reply, String> {
        let mut theirs = self.members.of(index);
        let endpoint = theirs
            .find(|endpoint| endpoint.network == network)
            .ok_or_else(|| format!("not connected to network {network}"))?;
        self.names.rename(&endpoint.got.endpoint, names);
        Ok(Reply::Done)
    }

    fn publish(&mut self, index: usize, ports: &[Port]) -> Result<Reply, String> {
        let endpoint = self.members.gateway(index).ok_or("no network with a way in")?;
        let inner = super::members::addresses(&endpoint.got).next().ok_or("no address")?;
        let names = self.members.networks.get(&endpoint.network).is_some_and(|it| it.names);
        let owner = Owner { client: index, inner, is_default: !names };
        let ports = self.ports.publish(&self.kit, owner, ports)?;
        self.ports.follow(&mut self.kit, &self.members.gateways());
        Ok(Reply::Published { ports })
    }

    fn status(&self) -> Status {
        let member = |(index, client): (usize, &super::clients::Client)| {
            let id = client.joined.as_ref()?.join.id.clone();
            let endpoints: Vec<(String, Connected)> = self
                .members
                .of(index)
                .map(|endpoint| (endpoint.network.clone(), endpoint.got.clone()))
                .collect();
            Some(Member { id, endpoints, ports: self.ports.of(index) })
        };
        let path = if self.kit.marks { "nf_tables" } else { "packets" };
        Status { path: path.to_owned(), members: self.clients.iter().filter_map(member).collect() }
    }

    /// A client is gone: so is all it had.
    fn forget(&mut self, index: usize) {
        self.leave(index);
        self.clients.remove(index);
    }

    /// Takes back all that a client has. Its devices go with its namespace, which we let go of:
    /// to remove them would hold everybody else's packets up. Until then they are cut off, as
    /// somebody else may be in that namespace, and the addresses be others'. An idle bridge stays for the next
    /// member, or until another network needs its place.
    fn leave(&mut self, index: usize) {
        self.close(Target::Container(index));
        let networks: Vec<String> =
            self.members.of(index).map(|endpoint| endpoint.network.clone()).collect();
        for network in networks {
            if let Some((endpoint, _)) = self.members.remove(index, &network) {
                // One that is gone already cannot be cut off.
                self.hub.cut_off(&endpoint.got.endpoint).ok();
                self.names.remove(&endpoint.got.endpoint);
                self.part(&endpoint);
            }
        }
        self.ports.follow(&mut self.kit, &self.members.gateways());
        self.rebalance();
        let joined = self.clients.get_mut(index).and_then(|client| client.joined.take());
        if let Some(joined) = joined {
            self.names.forget_member(&joined.join.id);
        }
    }
}
