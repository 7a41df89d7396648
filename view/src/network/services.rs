//! What `network inspect --verbose` tells of services: their addresses in a network, and those of their containers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use coracle_runtime::Home;
use coracle_runtime::model::Container;
use coracle_runtime::networks::{Member, Network};
use coracle_swarm::agent::NODE_LABEL;
use coracle_swarm::model::{PublishMode, Service};
use coracle_swarm::state::State;
use serde_json::{Value, json};

use crate::ViewError;

/// Says which service a container is of.
const SERVICE_LABEL: &str = "com.docker.swarm.service.id";

/// The services in a network of the swarm, on all nodes; containers that no service started are those of the service
/// without a name. `None` when nobody is in there.
///
/// # Errors
/// When the engine cannot be opened.
pub fn services(home: &Home, state: &State, network: &Network) -> Result<Option<Value>, ViewError> {
    let engine = home.engine()?;
    let members = engine.network_members(network).into_iter();
    let known = members.filter_map(|(id, member)| Some((engine.records.load(&id).ok()?, member)));
    let found = of(state, network, known.collect());
    Ok((network.swarm && !found.is_empty()).then(|| json!(found)))
}

fn of(
    state: &State,
    network: &Network,
    mut members: Vec<(Container, Member)>,
) -> BTreeMap<String, Value> {
    let address = |member: &Member| member.ipv4_address.split('/').next().map(str::to_owned);
    members.sort_by_key(|(_, member)| address(member).and_then(|it| it.parse::<IpAddr>().ok()));
    let mut tasks: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (container, member) in members {
        let labels = &container.config.labels;
        let machine = state.nodes.values().find(|node| node.own.number == 0);
        let node = labels.get(NODE_LABEL).and_then(|id| state.nodes.get(id)).or(machine);
        let task = json!({
            "Name": member.name,
            "EndpointID": member.endpoint_id,
            "EndpointIP": address(&member).unwrap_or_default(),
            "Info": { "Host IP": node.map_or("", |node| node.status.addr.as_str()) },
        });
        let service = labels.get(SERVICE_LABEL).cloned().unwrap_or_default();
        tasks.entry(service).or_default().push(task);
    }
    let one = |(id, tasks): (String, Vec<Value>)| {
        let service = state.services.get(&id);
        let name = service.map_or_else(String::new, |service| service.spec.name.clone());
        let entry = json!({
            "VIP": service.and_then(|it| virtual_ip(it, network)).unwrap_or("<nil>"),
            "Ports": service.map(|it| ports(it, network)).unwrap_or_default(),
            // The kernel's balancer has a number for each; ours needs none.
            "LocalLBIndex": 0,
            "Tasks": tasks,
        });
        (name, entry)
    };
    tasks.into_iter().map(one).collect()
}

fn virtual_ip<'a>(service: &'a Service, network: &Network) -> Option<&'a str> {
    let mut all = service.endpoint.virtual_ips.iter();
    all.find(|ip| ip.network_id == network.id)?.addr.split('/').next()
}

/// Ports of the ingress mode are those of that network.
fn ports(service: &Service, network: &Network) -> Vec<String> {
    let published = service
        .endpoint
        .ports
        .iter()
        .filter(|port| network.ingress && port.mode() == PublishMode::Ingress);
    let text = |target: u16, published: u16| format!("Target: {target}, Publish: {published}");
    published.map(|port| text(port.target_port, port.published_port)).collect()
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::{Node, VirtualIp};

    use super::*;

    #[test]
    fn who_is_in_a_network_is_told_as_recorded() {
        let mut state = State::default();
        for (number, id) in [(0, "n1"), (2, "n2")] {
            let mut node = Node { id: id.to_owned(), ..Node::default() };
            node.own.number = number;
            node.status.addr = format!("10.77.0.2{number}");
            state.nodes.insert(id.to_owned(), node);
        }
        let mut service = Service { id: "s1".to_owned(), ..Service::default() };
        service.spec.name = "web".to_owned();
        let (network_id, addr) = ("net".to_owned(), "10.0.1.9/24".to_owned());
        service.endpoint.virtual_ips.push(VirtualIp { network_id, addr });
        state.services.insert(service.id.clone(), service);
        let member = |name: &str, ip: &str, labels: &[(&str, &str)]| {
            let mut container = Container::default();
            let own = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            container.config.labels = own.collect();
            let (name, endpoint_id) = (name.to_owned(), "e".to_owned());
            let ipv4_address = format!("{ip}/24");
            (container, Member { name, endpoint_id, ipv4_address, ..Member::default() })
        };
        let network = Network { id: "net".to_owned(), swarm: true, ..Network::default() };
        let members = vec![
            member("app1", "10.0.1.10", &[(NODE_LABEL, "n2")]),
            member("db", "10.0.1.2", &[]),
            member("web.1.x", "10.0.1.3", &[(NODE_LABEL, "n2"), (SERVICE_LABEL, "s1")]),
        ];
        assert_eq!(
            json!(of(&state, &network, members)).to_string(),
            r#"{"":{"VIP":"<nil>","Ports":[],"LocalLBIndex":0,"Tasks":[{"Name":"db","EndpointID":"e","EndpointIP":"10.0.1.2","Info":{"Host IP":"10.77.0.20"}},{"Name":"app1","EndpointID":"e","EndpointIP":"10.0.1.10","Info":{"Host IP":"10.77.0.22"}}]},"web":{"VIP":"10.0.1.9","Ports":[],"LocalLBIndex":0,"Tasks":[{"Name":"web.1.x","EndpointID":"e","EndpointIP":"10.0.1.3","Info":{"Host IP":"10.77.0.22"}}]}}"#
        );
    }
}
