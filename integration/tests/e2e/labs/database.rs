//! A database that moves from node to node leaves its data where it was.

use coracle_integration::TestEnv;

use super::{leave, runs, shows, type_in};

/// A command in the one task, wherever it is.
fn in_task(command: &str) -> String {
    format!("docker exec $(docker ps -q -f name=^db.1) redis-cli {command}")
}

fn node(env: &TestEnv) -> String {
    type_in(env, "docker service ps db -f desired-state=running --format '{{.Node}}'").line()
}

#[track_caller]
pub(super) fn a_task_that_moves_finds_an_empty_volume(env: &TestEnv) {
    type_in(env, "docker swarm init --nodes 3");
    type_in(
        env,
        "docker service create -d --name db --constraint node.role==worker --stop-grace-period 10s \
         --mount type=volume,src=data,dst=/data apps redis-server --dir /data --appendonly yes",
    );
    runs(env, "db", 1);
    shows(env, &in_task("set place first"), "OK\n");
    let first = node(env);
    type_in(env, &format!("docker node update --availability drain {first}"));
    // On the other worker, with a volume of the same name.
    shows(env, &in_task("get place"), "\n");
    runs(env, "db", 1);
    let second = node(env);
    assert_ne!(first, second);
    type_in(env, &in_task("set place second")).stdout_is("OK\n");
    for node in [&first, &second] {
        type_in(env, &format!("docker --node {node} volume ls -q")).stdout_is("data\n");
    }
    type_in(env, &format!("docker node update --availability active {first}"));
    type_in(env, &format!("docker node update --availability drain {second}"));
    shows(env, &in_task("get place"), "first\n");
    assert_eq!(node(env), first);
    type_in(env, "docker service rm db");
    shows(env, "docker ps -aq", "");
    for node in [&first, &second] {
        type_in(env, &format!("docker --node {node} volume rm data")).stdout_is("data\n");
    }
    leave(env);
}
