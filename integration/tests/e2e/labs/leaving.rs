//! Five replicas of nginx, asked at every node while nodes leave.

use coracle_integration::{TestEnv, port::free_port};

use super::ask::{Load, answers, ask};
use super::{leave, runs, shows, type_in};

/// Where the replicas are that are to run.
const WHERE: &str = "docker service ps web -f desired-state=running --format '{{.Node}} {{.CurrentState}}' \
                     | cut -d' ' -f1,2 | sort | uniq -c | sed 's/^ *//' | grep node";

#[track_caller]
pub(super) fn no_request_fails_while_nodes_leave(env: &TestEnv) {
    let port = free_port();
    type_in(env, "docker swarm init --nodes 4");
    // As a server does that is to lose nobody: it takes connections once it answers (a health check), and serves on
    // for a moment.
    env.write(
        "serve",
        "hostname > /var/www/html/index.html; trap 'sleep 5; nginx -s quit' TERM; nginx -g 'daemon off;' & \
         until wait; do :; done",
    );
    type_in(
        env,
        &format!(
            "docker service create -d --name web --replicas 5 -p {port}:80 --hostname nginx \
             --stop-grace-period 20s --health-cmd \"bash -c ': < /dev/tcp/127.0.0.1/80'\" \
             --health-interval 1s --health-retries 30 apps bash -c \"$(cat serve)\""
        ),
    );
    runs(env, "web", 5);
    let at = |last: &str| format!("127.{last}:{port}");
    let nodes = ["0.0.1", "77.0.2", "77.0.3", "77.0.4"].map(at);
    for node in &nodes {
        answers(node, "/", "nginx\n");
    }
    let load = Load::start(&[&nodes[..1], &nodes[3..]].concat());
    load.goes_on(5);
    type_in(env, "docker node update --availability drain node2");
    shows(env, &format!("{WHERE} | grep -c node2"), "0\n");
    runs(env, "web", 5);
    shows(env, "docker --node node2 ps -q", "");
    type_in(env, "docker --node node2 swarm leave").stdout_is("Node left the swarm.\n");
    shows(
        env,
        "docker node ls -f name=node2 --format '{{.Status}} {{.Availability}}'",
        "Down Drain\n",
    );
    type_in(env, "docker node rm node2").stdout_is("node2\n");
    // Nobody answers at its address any more; it does where there are nodes.
    ask(&nodes[1], "/").expect_err("no answer");
    // One that goes without a word, as for a reboot.
    type_in(env, "docker node stop node3");
    shows(env, "docker node ls -f name=node3 --format '{{.Status}}'", "Down\n");
    shows(env, &format!("{WHERE} | grep -c node3"), "0\n");
    load.goes_on(5);
    load.end();
    ask(&nodes[2], "/").expect_err("no answer");
    type_in(env, "docker node start node3");
    answers(&nodes[2], "/", "nginx\n");
    type_in(env, "docker service rm web");
    leave(env);
}
