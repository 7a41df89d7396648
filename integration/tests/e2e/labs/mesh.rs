//! The routing mesh: every node answers for all tasks; a port in host mode only where a task is.

use coracle_integration::{TestEnv, port::free_port};

use super::ask::{answers, ask, in_turn};
use super::{leave, runs, shows, type_in};

const SERVER: &str =
    "--mount type=bind,src=/etc/hostname,dst=/srv/index.html,ro alpine httpd -f -p 80 -h /srv";

#[test]
fn every_node_answers_for_all() {
    let env = TestEnv::new();
    let (port, host_port) = (free_port(), free_port());
    type_in(&env, "docker swarm init --nodes 3");
    type_in(
        &env,
        &format!("docker service create -d --name web --mode global -p {port}:80 {SERVER}"),
    );
    runs(&env, "web", 3);
    let machine = type_in(&env, "docker node ls -f role=manager --format '{{.Hostname}}'").line();
    let mut names = [machine.as_str(), "node2", "node3"];
    names.sort_unstable();
    for address in ["127.0.0.1", "127.77.0.2", "127.77.0.3"] {
        let page = format!("{address}:{port}");
        for name in names {
            answers(&page, "/", &format!("{name}\n"));
        }
        in_turn(&page, &names, 2);
    }
    type_in(
        &env,
        &format!(
            "docker service create -d --name own --replicas 3 --constraint node.role==worker \
             --publish published={host_port},target=80,mode=host {SERVER}"
        ),
    );
    for node in ["node2", "node3"] {
        answers(&format!("127.77.0.{}:{host_port}", &node[4..]), "/", &format!("{node}\n"));
    }
    ask(&format!("127.0.0.1:{host_port}"), "/").expect_err("nobody");
    shows(
        &env,
        "docker service ps own --no-trunc --format '{{.Error}}' | grep suitable",
        "\"no suitable node (host-mode port already in use on 2 nodes; scheduling constraints not satisfied on 1 node)\"\n",
    );
    type_in(&env, "docker service rm web own");
    leave(&env);
    env.assert_nothing_left();
}
