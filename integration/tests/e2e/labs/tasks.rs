//! Three replicas behind a port: one that is removed by hand comes back, and the history tells.

use coracle_integration::{TestEnv, port::free_port};

use super::ask::{answers, in_turn};
use super::{leave, runs, shows, type_in};

const NAMES: [&str; 3] = ["web-1", "web-2", "web-3"];

#[test]
fn a_task_removed_by_hand_comes_back() {
    let env = TestEnv::new();
    let port = free_port();
    type_in(&env, "docker swarm init");
    type_in(
        &env,
        &format!(
            "docker service create -d --name web --replicas 3 -p {port}:80 --hostname 'web-{{{{.Task.Slot}}}}' \
             --restart-delay 0s --stop-grace-period 1s alpine sh -c 'hostname > /srv/index.html; exec httpd -f -p 80 -h /srv'"
        ),
    );
    runs(&env, "web", 3);
    let address = format!("127.0.0.1:{port}");
    let all_answer = || {
        for name in NAMES {
            answers(&address, "/", &format!("{name}\n"));
        }
        in_turn(&address, &NAMES, 2);
    };
    all_answer();
    let name = type_in(&env, "docker container ls --format '{{.Names}}' -f name=^web.2").line();
    assert!(name.starts_with("web.2."), "{name}");
    type_in(&env, &format!("docker container rm -f {name}")).stdout_is(&format!("{name}\n"));
    let history = "docker service ps web | awk '/web.2/ { print $2, $3 }'";
    runs(&env, "web", 3);
    shows(&env, history, "web.2 alpine:latest\n\\_ web.2\n");
    type_in(&env, "docker service ps web --no-trunc -f name=web.2 -f desired-state=shutdown")
        .stdout_has("Failed ")
        .stdout_has("\"task: non-zero exit (137)\"");
    assert_ne!(
        type_in(&env, "docker container ls --format '{{.Names}}' -f name=^web.2").line(),
        name
    );
    all_answer();
    type_in(&env, "docker service scale -d web=1");
    shows(&env, "docker service ps -q web -f desired-state=running | wc -l", "1\n");
    type_in(&env, "docker service rm web").stdout_is("web\n");
    leave(&env);
    env.assert_nothing_left();
}
