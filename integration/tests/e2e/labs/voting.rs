//! The voting application as a stack: five services, two networks, a volume.

use coracle_integration::{TestEnv, port::free_port, wait};

use super::ask::{answers, ask};
use super::{PATIENCE, leave, runs, shows, type_in};

#[track_caller]
pub(super) fn votes_arrive(env: &TestEnv) {
    let (vote, result) = (free_port(), free_port());
    let deploy = format!(
        "cd voting && VOTE_PORT={vote} RESULT_PORT={result} docker stack deploy -c stack.yaml vote"
    );
    type_in(env, "docker swarm init");
    type_in(env, &deploy)
        .stdout_has("Creating network vote_backend\n")
        .stdout_has("Creating network vote_frontend\n")
        .stdout_has("Creating service vote_worker\n");
    for (service, tasks) in [
        ("vote_db", 1),
        ("vote_redis", 1),
        ("vote_result", 1),
        ("vote_vote", 2),
        ("vote_worker", 1),
    ] {
        runs(env, service, tasks);
    }
    shows(env, "docker stack ls --format '{{.Name}} {{.Services}}'", "vote 5\n");
    shows(env, "docker volume ls -q", "vote_db-data\n");

    let page = format!("127.0.0.1:{vote}");
    for name in ["/cats", "/dogs", "/cats"] {
        let voted = wait::poll(PATIENCE, || ask(&page, name).ok());
        assert_eq!(voted.as_deref(), Some("voted\n"));
    }
    let results = format!("127.0.0.1:{result}");
    answers(&results, "/", "cats: 2\ndogs: 1\n");

    // The fronts do not reach the database, and the worker reaches both ends.
    let resolve = |service: &str, name: &str| {
        let id = type_in(env, &format!("docker ps -q -f name=^vote_{service}.1")).line();
        env.sh(&format!("docker exec {id} getent hosts {name}")).status()
    };
    assert_eq!([resolve("vote", "redis"), resolve("vote", "db")], [0, 2]);
    assert_eq!([resolve("worker", "redis"), resolve("worker", "db")], [0, 0]);

    // Deployed again, it is as the file says.
    type_in(env, "docker service scale -d vote_vote=3");
    type_in(env, &deploy).stdout_has("Updating service vote_vote (id: ");
    runs(env, "vote_vote", 2);
    answers(&results, "/", "cats: 2\ndogs: 1\n");
    type_in(env, "docker stack rm vote");
    shows(env, "docker network ls -q -f name=vote", "");
    type_in(env, "docker volume rm vote_db-data");
    leave(env);
}
