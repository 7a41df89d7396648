//! A rolling update whose tasks never become healthy is rolled back, and nobody who asks notices.

use coracle_integration::{TestEnv, port::free_port};

use super::ask::{Load, answers};
use super::{leave, runs, shows, type_in};

#[test]
fn an_update_that_is_not_healthy_is_rolled_back() {
    let env = TestEnv::new();
    let port = free_port();
    // Two versions of an image, the second of which is broken.
    for version in ["v1", "v2"] {
        let (retries, health) = match version {
            "v1" => (30, "wget -q -O /dev/null 127.0.0.1"),
            _ => (2, "echo no page; false"),
        };
        let server = format!("echo {version} > /srv/index.html; exec httpd -f -p 80 -h /srv");
        type_in(
            &env,
            &format!(
                "id=$(docker create alpine) && docker commit -c 'HEALTHCHECK --interval=300ms --retries={retries} CMD {health}' \
                 -c 'CMD {server}' $id web:{version} && docker rm $id"
            ),
        );
    }
    type_in(&env, "docker swarm init");
    type_in(
        &env,
        &format!(
            "docker service create -d --no-resolve-image --name web --replicas 2 -p {port}:80 --stop-grace-period 3s \
             --update-failure-action rollback --update-monitor 1s --rollback-monitor 200ms web:v1"
        ),
    );
    runs(&env, "web", 2);
    let address = format!("127.0.0.1:{port}");
    answers(&address, "/", "v1\n");
    let load = Load::start(std::slice::from_ref(&address));
    load.goes_on(2);
    env.sh("docker service update --no-resolve-image --image web:v2 web")
        .success()
        .stdout_has("rollback: update rolled back due to failure or early termination of task ");
    shows(
        &env,
        "docker service inspect web --format '{{.UpdateStatus.State}}'",
        "rollback_completed\n",
    );
    runs(&env, "web", 2);
    load.goes_on(2);
    assert_eq!(load.end(), ["v1\n"]);
    type_in(
        &env,
        "docker service inspect web --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}'",
    )
    .stdout_is("web:v1\n");
    type_in(&env, "docker service ps web --no-trunc").stdout_has("unhealthy container");
    type_in(&env, "docker service rm web");
    leave(&env);
    env.assert_nothing_left();
}
