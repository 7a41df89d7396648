//! nginx with a config that names Docker's resolver, before three replicas that become six.

use coracle_integration::{TestEnv, port::free_port};

use super::ask::{answers, in_turn};
use super::{leave, runs, type_in};

const NAMES: [&str; 6] = ["app1", "app2", "app3", "app4", "app5", "app6"];

#[track_caller]
pub(super) fn replicas_answer_in_turn(env: &TestEnv) {
    let port = free_port();
    let deploy =
        format!("cd proxy && PROXY_PORT={port} docker stack deploy -c stack.yaml proxy 2>&1");
    type_in(env, "docker swarm init");
    type_in(env, &deploy)
        .stdout_has("Creating secret proxy_token\nCreating config proxy_")
        .stdout_has("Creating network proxy_cluster_net\n");
    runs(env, "proxy_proxy", 1);
    runs(env, "proxy_app", 3);
    let page = format!("127.0.0.1:{port}");
    // All of them listen.
    for name in &NAMES[..3] {
        answers(&page, "/", &format!("{name} sesame\n"));
    }
    in_turn(&page, &NAMES[..3], 3);
    let look = "docker exec $(docker ps -q -f name=^proxy_app.1) stat -c '%a %u %g' /run/secrets/site_token";
    type_in(env, look).stdout_is("440 33 33\n");

    type_in(env, "sed -i 's/replicas: 3/replicas: 6/' proxy/stack.yaml");
    type_in(env, &deploy).stdout_has("Updating service proxy_app (id: ");
    runs(env, "proxy_app", 6);
    for name in NAMES {
        answers(&page, "/", &format!("{name} sesame\n"));
    }
    in_turn(&page, &NAMES, 2);
    type_in(env, "docker stack rm proxy");
    leave(env);
}
