//! A database on every node, three replicas of an application, and a proxy at the address of each node.

use coracle_integration::{TestEnv, port::free_port};

use super::ask::{answers, ask};
use super::{leave, runs, shows, type_in};

const NODES: [&str; 3] = ["$(hostname)", "node2", "node3"];

/// A command in the database of a node.
fn at(node: &str, command: &str) -> String {
    format!(
        "docker --node {node} exec $(docker --node {node} ps -q -f name=^galera_db) redis-cli {command}"
    )
}

#[track_caller]
pub(super) fn drained_and_reactivated(env: &TestEnv) {
    let port = free_port();
    type_in(env, "docker swarm init --nodes 3");
    type_in(
        env,
        &format!("cd galera && GALERA_PORT={port} docker stack deploy -c stack.yaml galera"),
    );
    for service in ["galera_app", "galera_db", "galera_proxy"] {
        runs(env, service, 3);
    }
    shows(
        env,
        "docker stack services galera --format '{{.Name}} {{.Mode}} {{.Replicas}}' | sort",
        "galera_app replicated 3/3\ngalera_db global 3/3\ngalera_proxy global 3/3\n",
    );
    // The migration is a container of its own in the attachable network, and finds all databases.
    let migrate = "for db in $(getent ahostsv4 tasks.db | cut -d' ' -f1 | sort -u); do redis-cli -h $db set schema one; done";
    type_in(
        env,
        &format!(
            "docker run --rm --network galera_db_net apps sh -c \"{}\"",
            migrate.replace('$', "\\$")
        ),
    )
    .stdout_is("OK\nOK\nOK\n");
    let addresses: Vec<_> = (1..=3).map(|node| format!("127.77.0.{node}:{port}")).collect();
    // The machine itself has the address of loopback.
    let addresses = [&format!("127.0.0.1:{port}"), &addresses[1], &addresses[2]];
    for address in addresses {
        answers(address, "/", "schema one\n");
    }
    for node in NODES {
        type_in(env, &at(node, &format!("set node {node}"))).stdout_is("OK\n");
    }

    type_in(env, "docker node update --availability drain node2").stdout_is("node2\n");
    runs(env, "galera_db", 2);
    runs(env, "galera_app", 3);
    shows(env, "docker --node node2 ps -q", "");
    assert!(ask(addresses[1], "/").is_err(), "the proxy of a drained node answers");
    for address in [addresses[0], addresses[2]] {
        answers(address, "/", "schema one\n");
    }
    type_in(env, "docker node update --availability active node2");
    runs(env, "galera_db", 3);
    shows(env, &at("node2", "get node"), "node2\n");
    answers(addresses[1], "/", "schema one\n");

    // What is on the nodes stays there, and is removed node by node.
    type_in(env, "docker stack rm galera");
    for node in NODES {
        type_in(env, &format!("docker --node {node} volume ls -q")).stdout_is("galera_dbdata\n");
        type_in(env, &format!("docker --node {node} volume rm galera_dbdata"));
    }
    leave(env);
}
