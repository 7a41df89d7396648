//! Nodes that rehearse on one machine: made, changed, lost, found.

use coracle_integration::{TestEnv, wait};

/// Names, states and what managers are, by name.
const NODES: &str = "docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}' -f name=node";

#[test]
fn nodes_are_made_at_a_stroke_and_one_by_one() {
    let env = TestEnv::new();
    env.sh("docker swarm init --managers 2 --workers 1")
        .success()
        .stdout_has("\nNodes on this machine, for rehearsal: node2, node3\n");
    env.sh(NODES).success().stdout_is("node2 Ready Active Reachable\nnode3 Ready Active \n");
    env.sh("docker node add --label disk=ssd --availability drain node4").success();
    env.sh("docker node add node4").code(1).stderr_has("node4");
    env.sh("docker node ls -f node.label=disk --format '{{.Hostname}} {{.Availability}}'")
        .success()
        .stdout_is("node4 Drain\n");
    env.sh("docker node inspect node4 --format '{{.Status.Addr}}'")
        .success()
        .stdout_is("127.77.0.4\n");
    env.sh("docker info --format '{{.Swarm.Nodes}} {{.Swarm.Managers}} {{json .Swarm.Warnings}}'")
        .success()
        .stdout_is("4 2 [\"rehearsal, no consensus\"]\n");
    env.sh("docker info").success().stdout_has("rehearsal, no consensus");
    env.sh("docker swarm leave").code(1).stderr_has(
        "Removing this node leaves 1 managers out of 2. Without a Raft quorum your swarm will be inaccessible.",
    );
    env.sh("docker swarm leave --force").success();
    env.assert_nothing_left();
}

#[test]
fn roles_change_as_recorded() {
    let env = TestEnv::new();
    env.sh("docker swarm init --nodes 3").success();
    env.sh("docker node promote node2 node3").success().stdout_is(
        "Node node2 promoted to a manager in the swarm.\nNode node3 promoted to a manager in the swarm.\n",
    );
    env.sh("docker node demote node3").success().stdout_is("Manager node3 demoted in the swarm.\n");
    wait::until("roles are taken on", || {
        env.sh(NODES).success().stdout() == "node2 Ready Active Reachable\nnode3 Ready Active \n"
    });
    env.sh("docker node rm node3").code(1).stderr_has("is not down and can't be removed");
    env.sh("docker node rm --force node3").success().stdout_is("node3\n");
    env.sh("docker node inspect node2 node3 --format '{{.Description.Hostname}}'")
        .code(1)
        .stdout_is("node2\n")
        .stderr_is("Error response from daemon: node node3 not found\n");
    env.sh("docker events --since 1m --until 0s -f type=node -f event=remove --format '{{.Actor.Attributes.name}}'")
        .success()
        .stdout_is("node3\n");
    env.sh("docker swarm leave --force").success();
    env.assert_nothing_left();
}

#[test]
fn too_few_managers_have_no_leader() {
    let env = TestEnv::new();
    env.sh("docker swarm init --managers 3").success();
    env.sh("docker node kill node2").success().stdout_is("node2\n");
    env.sh("docker service ls").success();
    env.sh("docker node kill node3").success();
    let words = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers \
                 are online. Make sure more than half of the managers are online.";
    for command in
        ["service ls", "node ls", "secret ls", "swarm join-token worker", "node demote node2"]
    {
        env.sh(&format!("docker {command}"))
            .code(1)
            .stderr_is(&format!("Error response from daemon: {words}\n"));
    }
    env.sh("docker info --format '{{.Swarm.Error}}'").success().stdout_is(&format!("{words}\n"));
    env.sh("docker node kill $(hostname)").code(1);
    env.sh("docker node start node3").success();
    env.sh("docker service ls").success();
    env.sh("docker swarm leave --force").success();
    env.assert_nothing_left();
}
