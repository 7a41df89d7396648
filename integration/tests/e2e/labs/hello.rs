//! Replicas with names by their number, found from a container that is attached to their network.

use coracle_integration::{TestEnv, port::free_port};

use super::ask::{answers, in_turn};
use super::{leave, runs, shows, type_in};

#[test]
fn replicas_are_numbered_and_found_by_name() {
    let env = TestEnv::new();
    let port = free_port();
    type_in(&env, "docker swarm init");
    type_in(&env, "docker network create --driver overlay --attachable hello_net");
    type_in(
        &env,
        &format!(
            "docker service create --detach --name hello --replicas 2 -p {port}:80 --network hello_net \
             --hostname \"hello-{{{{.Task.Slot}}}}\" --stop-grace-period 0s \
             alpine sh -c 'hostname > /srv/index.html; exec httpd -f -p 80 -h /srv'"
        ),
    );
    runs(&env, "hello", 2);
    let address = format!("127.0.0.1:{port}");
    for name in ["hello-1", "hello-2"] {
        answers(&address, "/", &format!("{name}\n"));
    }
    in_turn(&address, &["hello-1", "hello-2"], 3);

    type_in(&env, "docker run -d --name client --network hello_net alpine sleep 100000");
    let lookup = |name: &str| {
        let line = format!(
            "docker exec client nslookup -type=a {name} | sed -n '/^Name:/,$ s/^Address: //p' | sort"
        );
        type_in(&env, &line).lines()
    };
    // One address for the service, of which the addresses of its tasks are none.
    let vip = type_in(
        &env,
        "docker service inspect hello --format '{{range .Endpoint.VirtualIPs}}{{println .Addr}}{{end}}' \
         | grep -v '^$' | tail -n 1 | cut -d/ -f1",
    )
    .line();
    assert_eq!(lookup("hello"), std::slice::from_ref(&vip));
    let tasks = lookup("tasks.hello");
    assert!(tasks.len() == 2 && !tasks.contains(&vip), "{tasks:?} of {vip}");
    for task in &tasks {
        let line = format!("docker exec client wget -q -O - http://{task}/ | cut -d- -f1");
        shows(&env, &line, "hello\n");
    }
    // From within they answer in turn too.
    let both = "for i in 1 2 3 4; do docker exec client wget -q -O - http://hello/; done | sort | uniq -c | sed 's/^ *//'";
    shows(&env, both, "2 hello-1\n2 hello-2\n");
    shows(
        &env,
        "docker service inspect hello --format '{{json .Endpoint.VirtualIPs}}' | grep -o Addr | wc -l",
        "2\n",
    );
    type_in(&env, "docker service inspect --pretty hello")
        .stdout_has("\nService Mode:\tReplicated\n");
    type_in(&env, "docker service update -d --replicas 3 hello").stdout_is("hello\n");
    runs(&env, "hello", 3);
    type_in(&env, "docker rm -f client && docker service rm hello");
    leave(&env);
    env.assert_nothing_left();
}
