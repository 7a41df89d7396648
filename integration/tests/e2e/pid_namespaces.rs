//! A store that is used from two pid namespaces, as a home is that several containers share: a pid
//! of one says nothing in the other.

use coracle_integration::TestEnv;

/// Runs a shell line in a pid namespace of its own, which ends with it.
const THERE: &str =
    "unshare --map-root-user --map-auto --pid --fork --mount-proc --kill-child bash -c";

const ELSEWHERE: &str = "hint: do it where the container was started; `stop`, `kill` and `rm -f` \
                         reach it from here\n";

#[test]
fn what_runs_in_another_pid_namespace_is_seen_and_reached() {
    let env = TestEnv::new();
    env.sh("docker run -d --name c1 --network none --restart always alpine sleep 1000").success();
    let there = |line: &str| env.sh(&format!("{THERE} 'export LC_ALL=C; {line}'"));
    let state = "docker ps -a --format \"{{.Names}} {{.State}}\"";
    there(&format!("{state}; timeout 20 docker start c1; {state}"))
        .success()
        .stdout_is("c1 running\nc1\nc1 running\n");
    there("timeout 20 docker pause c1 && timeout 20 docker unpause c1 && timeout 20 docker rm c1")
        .code(1)
        .stderr_has("stop the container before removing");
    there("timeout 20 docker rename c1 c2 && timeout 20 docker rename c2 c1").success();
    there("docker exec c1 true").code(1).stderr_is(&format!(
        "Error response from daemon: cannot run a program in a container: container c1 runs in \
         another pid namespace\n{ELSEWHERE}"
    ));
    there("docker top c1").code(1).stderr_is(&format!(
        "Error response from daemon: cannot list processes: container c1 runs in another pid \
         namespace\n{ELSEWHERE}"
    ));
    there("docker run --rm --network container:c1 alpine true")
        .code(125)
        .stderr_has("cannot join the net namespace of a container: container c1 runs in another");
    there("docker stats --no-stream --format \"{{.Name}} {{.CPUPerc}}\" c1").stdout_is("c1 --\n");
    there(&format!("timeout 20 docker stop -t 0 c1; {state}"))
        .success()
        .stdout_is("c1\nc1 exited\n");
    env.sh(&format!("{state}; docker start c1; docker exec c1 true"))
        .success()
        .stdout_is("c1 exited\nc1\n");
    there(&format!("timeout 20 docker kill c1; {state}")).success().stdout_is("c1\nc1 exited\n");
    env.sh("docker start c1").success();
    there(&format!("timeout 20 docker rm -f c1; {state}")).success().stdout_is("c1\n");
    env.assert_nothing_left();
}

/// While one namespace lives, the other uses what runs in it; then it is gone with all it ran.
#[test]
fn what_another_pid_namespace_started_is_not_taken_for_lost() {
    let env = TestEnv::new();
    env.sh(&format!(
        "mkfifo end; {THERE} 'docker run -d --name c1 --network none alpine sleep 1000; docker run -d \
         --name c2 --network none alpine sleep 1000; docker run -d --name c3 --network none alpine \
         sleep 1000; touch ready; read < end' > /dev/null & there=$!
         eventually 'test -e ready'
         docker ps --format '{{{{.Names}}}}' | sort | xargs
         timeout 20 docker start c1 && timeout 20 docker rm -f c1
         id=$(docker inspect --format '{{{{.Id}}}}' c2)
         truncate -s 0 $CORACLE_DATA_ROOT/containers/$id/state.json
         timeout 30 docker rm -f $id | wc -w
         echo > end; wait $there
         docker ps -a --format '{{{{.Names}}}} {{{{.State}}}}'"
    ))
    .stdout_is("c1 c2 c3\nc1\nc1\n1\nc3 exited\n");
    env.run(["rm", "c3"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_proc_of_another_pid_namespace_is_told() {
    let env = TestEnv::new();
    env.sh("unshare --map-root-user --map-auto --pid --fork docker run --rm alpine true")
        .code(125)
        .stderr_has("hint: /proc shows another pid namespace: mount it anew, as `unshare --mount-proc` does");
    env.assert_nothing_left();
}
