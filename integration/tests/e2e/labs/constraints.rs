//! Labels of nodes and constraints; a global service reaches a node that is new.

use coracle_integration::TestEnv;

use super::{leave, runs, shows, type_in};

const CREATE: &str = "docker service create -d --no-resolve-image --stop-grace-period 0s";

fn nodes_of(service: &str) -> String {
    format!(
        "docker service ps {service} -f desired-state=running --format '{{{{.Node}}}} {{{{.CurrentState}}}}' \
         | cut -d' ' -f1,2 | sort | uniq -c | sed 's/^ *//'"
    )
}

#[test]
fn labels_say_where_tasks_run() {
    let env = TestEnv::new();
    type_in(&env, "docker swarm init --nodes 3");
    type_in(&env, "docker node update --label-add com.example.disk=ssd node3").stdout_is("node3\n");
    for (service, constraint) in [
        ("fast", "node.labels.com.example.disk == ssd"),
        ("named", "node.hostname==node3"),
        ("known", "node.id==$(docker node inspect node3 --format '{{.ID}}')"),
        ("other", "node.labels.com.example.disk!=ssd"),
        ("engine", "engine.labels.com.example.disk==ssd"),
    ] {
        let mode = if service == "other" { "--mode global" } else { "--replicas 2" };
        type_in(
            &env,
            &format!(
                "{CREATE} --name {service} {mode} --constraint \"{constraint}\" alpine sleep 100000"
            ),
        );
    }
    for service in ["fast", "named", "known"] {
        shows(&env, &nodes_of(service), "2 node3 Running\n");
    }
    runs(&env, "other", 2);
    let machine = type_in(&env, "docker node ls -f role=manager --format '{{.Hostname}}'").line();
    let mut lines = [format!("1 {machine} Running\n"), "1 node2 Running\n".to_owned()];
    lines.sort();
    shows(&env, &nodes_of("other"), &lines.concat());
    // Labels of engines are not those of nodes.
    shows(
        &env,
        "docker service ps engine --no-trunc --format '{{.Error}}' | sort -u",
        "\"no suitable node (scheduling constraints not satisfied on 3 nodes)\"\n",
    );
    // A label that goes takes the tasks along, and where it comes they run.
    type_in(&env, "docker node update --label-rm com.example.disk node3");
    type_in(&env, "docker node update --label-add com.example.disk=ssd node2");
    shows(&env, &nodes_of("fast"), "2 node2 Running\n");
    type_in(&env, "docker service rm fast named known other engine");
    leave(&env);
    env.assert_nothing_left();
}

#[test]
fn a_new_node_gets_its_global_task() {
    let env = TestEnv::new();
    type_in(&env, "docker swarm init --nodes 2");
    type_in(&env, &format!("{CREATE} --name agent --mode global alpine sleep 100000"));
    runs(&env, "agent", 2);
    let tasks = "docker service ps agent --format '{{.Name}}' | sort";
    let named = "docker node ls -q | sed 's/^/agent./' | sort";
    assert_eq!(type_in(&env, tasks).stdout(), type_in(&env, named).stdout());
    type_in(&env, "docker node add node9");
    runs(&env, "agent", 3);
    assert_eq!(type_in(&env, tasks).stdout(), type_in(&env, named).stdout());
    shows(&env, "docker node ps node9 --format '{{.DesiredState}}'", "Running\n");
    type_in(&env, "docker service rm agent");
    leave(&env);
    env.assert_nothing_left();
}
