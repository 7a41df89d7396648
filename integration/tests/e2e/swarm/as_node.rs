//! Commands that are given on a rehearsal node: `--node` and `CORACLE_NODE`.

use coracle_integration::{TestEnv, port::free_port};

use super::{create, end, wait_replicas};

const OF_A_WORKER: &str = "Error response from daemon: This node is not a swarm manager. Worker nodes can't be used to \
                           view or modify cluster state. Please run this command on a manager node or promote the \
                           current node to a manager.\n";

const OF_A_WORKER_RM: &str = "Error response from daemon: This node is not a swarm manager. Worker nodes can't be used \
                              to view or modify cluster state. Please run this command on a manager node or promote \
                              the current node to a manager.\nexit status 1\n";

fn nodes() -> TestEnv {
    let env = TestEnv::new();
    env.sh("docker swarm init --nodes 3").success();
    env
}

#[test]
fn a_node_speaks_for_itself() {
    let env = nodes();
    for command in ["service ls", "node ls", "stack ls", "secret ls", "swarm join-token worker"] {
        env.sh(&format!("docker --node node2 {command}")).code(1).stderr_is(OF_A_WORKER);
    }
    env.sh("CORACLE_NODE=node2 docker info --format '{{.Name}} {{.Swarm.NodeAddr}} {{.Swarm.ControlAvailable}}'")
        .success()
        .stdout_is("node2 127.77.0.2 false\n");
    env.sh("docker node promote node2").success();
    env.sh("docker --node node2 node inspect self --format '{{.Description.Hostname}}'")
        .success()
        .stdout_is("node2\n");
    env.sh("docker --node nosuch ps")
        .code(1)
        .stderr_has("there is no node nosuch on this machine")
        .stderr_has("node2, node3");
    env.sh("docker --node node2 compose ps").code(1).stderr_has("compose ps on the node node2");
    env.sh("docker node demote node2").success();
    // It is the machine that switches, whoever was chosen.
    env.sh("docker --node node2 node kill node2").success();
    env.sh("docker --node node2 ps")
        .code(1)
        .stderr_has(
            "Cannot connect to the Docker daemon at 127.77.0.2. Is the docker daemon running?",
        )
        .stderr_has("node start node2");
    env.sh("docker --node node2 node start node2").success();
    env.sh("docker --node node2 ps -q").success().stdout_is("");
    end(env);
}

#[test]
fn a_node_has_its_own_containers_and_volumes() {
    let env = nodes();
    let mount = "type=volume,src=data,dst=/data";
    let more = ["--mode", "global", "--mount", mount, "--stop-grace-period", "0s", "alpine"];
    create(&env, "web", &[&more[..], &["sleep", "100000"]].concat());
    wait_replicas(&env, "web", "3/3");
    env.sh("docker run -d --name mine alpine sleep 100000").success();
    assert_eq!(env.sh("docker ps -q").success().lines().len(), 4);
    let machine =
        env.sh("docker node ls --format '{{.Hostname}}' -f role=manager").success().line();
    assert_eq!(env.sh(&format!("docker --node {machine} ps -q")).success().lines().len(), 2);
    let ids: Vec<String> = ["node2", "node3"]
        .map(|node| env.sh(&format!("docker --node {node} ps -q")).success().line())
        .into();
    assert_ne!(ids[0], ids[1]);
    let first = &ids[0];
    env.sh(&format!("docker --node node2 exec {first} true")).success();
    env.sh(&format!("docker --node node2 inspect -f '{{{{.State.Status}}}}' {first}"))
        .success()
        .stdout_is("running\n");
    for command in
        ["exec", "logs", "inspect", "stop", "kill", "rm", "port", "top", "stats --no-stream"]
    {
        let given = if command == "exec" { "true" } else { "" };
        let output = env.sh(&format!("docker --node node3 {command} {first} {given}"));
        output.stderr_has(&format!(
            "o such {}",
            if command == "inspect" { "object" } else { "container" }
        ));
    }
    env.sh("docker --node node2 rm mine").code(1).stderr_has("No such container: mine");
    env.sh("docker --node node2 stats --no-stream --format '{{.ID}}'")
        .success()
        .stdout_is(&format!("{first}\n"));
    for node in [machine.as_str(), "node2", "node3"] {
        env.sh(&format!("docker --node {node} volume ls --format '{{{{.Name}}}} {{{{.Labels}}}}'"))
            .success()
            .stdout_is("data \n");
    }
    assert_eq!(env.sh("docker ps -q").success().lines().len(), 4);
    env.sh("docker rm -f mine").success();
    env.sh("docker service rm web").success();
    env.sh("eventually '[ -z \"$(docker ps -aq)\" ]'").success();
    env.sh("docker volume rm data").success();
    for node in ["node2", "node3"] {
        env.sh(&format!("docker --node {node} volume rm data")).success().stdout_is("data\n");
    }
    end(env);
}

#[test]
fn a_node_leaves_and_comes_back() {
    let env = nodes();
    env.sh("docker --node node3 swarm leave").success().stdout_is("Node left the swarm.\n");
    env.sh("docker --node node3 info --format '{{.Swarm.LocalNodeState}}'")
        .success()
        .stdout_is("inactive\n");
    env.sh("docker --node node3 service ls")
        .code(1)
        .stderr_has("This node is not a swarm manager. Use ");
    env.sh("docker --node node3 swarm leave")
        .code(1)
        .stderr_has("This node is not part of a swarm");
    let token = env.sh("docker swarm join-token -q worker").success().line();
    let manager = env.sh("docker info -f '{{.Swarm.NodeAddr}}'").success().line();
    let join = |node: &str, port: u16| {
        env.sh(&format!("docker --node {node} swarm join --token {token} {manager}:{port}"))
    };
    join("node3", 1).code(1).stderr_has("connection refused");
    join("node2", 2377).code(1).stderr_has("This node is already part of a swarm.");
    join("node3", 2377).success().stdout_is("This node joined a swarm as a worker.\n");
    env.sh("docker --node node3 info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeAddr}}'")
        .success()
        .stdout_is("active 127.77.0.3\n");
    env.sh("docker node ls -f name=node3 --format '{{.Status}}'").success().stdout_has("Ready\n");
    end(env);
}

#[test]
fn a_container_is_run_on_a_node() {
    let env = nodes();
    let port = free_port();
    env.sh(&format!(
        "docker --node node2 run -d --name web -p {port}:80 --mount type=volume,src=data,dst=/data alpine httpd -f -p 80 -h /etc"
    ))
    .success();
    env.sh(&format!("eventually 'curl -sf http://127.77.0.2:{port}/hostname'")).success();
    env.sh(&format!("curl -sf http://127.77.0.3:{port}/hostname")).code(7);
    env.sh(&format!("curl -sf http://127.0.0.1:{port}/hostname")).code(7);
    env.sh("docker --node node2 port web")
        .success()
        .stdout_is(&format!("80/tcp -> 127.77.0.2:{port}\n"));
    env.sh("docker --node node2 volume ls -q").success().stdout_is("data\n");
    env.sh("docker --node node3 ps -aq").success().stdout_is("");
    for (flags, said) in [
        ("-P", "--publish-all on the node node2"),
        ("--restart always", "--restart on the node node2"),
        ("--volumes-from web", "use of another container on the node node2"),
        ("-p 127.0.0.1:81:80", "a port at 127.0.0.1 on the node node2"),
    ] {
        env.sh(&format!("docker --node node2 create {flags} alpine true"))
            .code(125)
            .stderr_has(said);
    }
    // It ends with its node.
    env.sh("docker node kill node2").success();
    env.sh("docker ps -q").success().stdout_is("");
    env.sh("docker node start node2").success();
    env.sh("docker --node node2 start web").success();
    env.sh("docker --node node2 rm -f web").success();
    env.sh("docker --node node2 volume rm data").success();
    end(env);
}

#[test]
fn a_node_has_its_own_names() {
    let env = nodes();
    let run = "run -d --name web --stop-timeout 0 -v data:/data alpine sh -c";
    for node in ["node2", "node3"] {
        env.sh(&format!(
            "docker --node {node} {run} 'echo {node} > /data/of; echo {node}; sleep 100000'"
        ))
        .success();
    }
    env.sh(&format!("docker --node node2 {run} true"))
        .code(125)
        .stderr_has("The container name \"/web\" is already in use by container");
    for node in ["node2", "node3"] {
        let on = |command: &str| env.sh(&format!("docker --node {node} {command}"));
        on("ps --format '{{.Names}}'").success().stdout_is("web\n");
        env.sh(&format!("eventually '[ \"$(docker --node {node} logs web)\" = {node} ]'"))
            .success();
        on("exec web cat /data/of").success().stdout_is(&format!("{node}\n"));
        on("inspect web --format '{{.Name}} {{.HostConfig.Binds}} {{(index .Mounts 0).Name}}'")
            .success()
            .stdout_is("/web [data:/data] data\n");
        on("ps -f volume=data --format '{{.Mounts}}'").success().stdout_is("data\n");
        on("volume inspect data --format '{{.Name}} {{.Labels}}'")
            .success()
            .stdout_is("data map[]\n");
        on("volume rm data").code(1).stderr_has("remove data: volume is in use - [");
    }
    env.sh("docker stop web").code(1).stderr_has("several nodes have a container web");
    env.sh("docker run -d --name web --stop-timeout 0 alpine sleep 100000").success();
    env.sh("docker exec web ls /data").code(1);
    env.sh("docker --node node3 rename web other").success();
    env.sh("docker --node node2 restart web").success().stdout_is("web\n");
    env.sh("docker --node node3 stop other").success();
    env.sh("docker --node node3 container prune -f").success().stdout_has("Deleted Containers:");
    env.sh("docker --node node3 volume prune -af").success().stdout_has("Deleted Volumes:\ndata\n");
    env.sh("docker --node node3 volume ls -q").success().stdout_is("");
    env.sh("docker --node node2 volume ls -q").success().stdout_is("data\n");
    env.sh("docker --node node3 volume create mine").success().stdout_is("mine\n");
    let told = |node: &str, kind: &str| {
        let format = "{{.Action}} {{.Actor.ID}}";
        env.sh(&format!(
            "docker --node {node} events --since 1h --until 0s -f type={kind} --format '{format}'"
        ))
        .success()
        .stdout()
    };
    assert!(told("node3", "volume").contains("create mine\n"));
    assert!(!told("node2", "volume").contains("mine"));
    let id = env.sh("docker --node node2 ps -q --no-trunc").success().line();
    assert!(told("node2", "container").contains(&format!("start {id}\n")));
    assert!(!told("node3", "container").contains(&id));
    env.sh("docker --node node2 rm -f web").success();
    env.sh("docker rm -f web").success();
    for (node, volume) in [("node2", "data"), ("node3", "mine")] {
        env.sh(&format!("docker --node {node} volume rm {volume}")).success();
    }
    end(env);
}

#[test]
fn a_node_has_the_networks_it_needs() {
    let env = nodes();
    env.sh("docker network create bridged").success();
    env.sh("docker network create -d overlay --attachable over").success();
    let names = |node: &str| {
        env.sh(&format!("docker --node {node} network ls --format '{{{{.Name}}}}'"))
            .success()
            .stdout()
    };
    let every = "bridge\ndocker_gwbridge\nhost\ningress\nnone\n";
    assert_eq!(names("node2"), every);
    let on = |command: &str| env.sh(&format!("docker --node node2 {command}"));
    on("network create more").code(1).stderr_has("on the node node2: not supported");
    on("network rm over").code(1).stderr_has("network over not found");
    on("network rm docker_gwbridge").code(1).stderr_has("on the node node2: not supported");
    on("network inspect bridged").code(1).stderr_has("network bridged not found");
    on("run --rm --network bridged alpine true").code(125).stderr_has("network bridged not found");
    on("run -d --name one --stop-timeout 0 alpine sleep 100000").success();
    on("network connect over one").success();
    assert!(names("node2").contains("over\n"));
    assert_eq!(names("node3"), every);
    on("network rm over").code(1).stderr_is(OF_A_WORKER_RM);
    on("network disconnect over one").success();
    assert_eq!(names("node2"), every);
    env.sh("docker --node node3 network connect over one")
        .code(1)
        .stderr_has("No such container: one");
    env.sh("docker node promote node2").success();
    assert!(names("node2").contains("over\n"));
    on("network create -d overlay second").success();
    on("network rm over second").success().stdout_is("over\nsecond\n");
    env.sh("docker node demote node2").success();
    on("rm -f one").success();
    env.sh("docker network rm bridged").success();
    end(env);
}

#[test]
fn a_task_that_moves_finds_the_volume_of_its_new_node() {
    let env = nodes();
    env.sh("docker node update --availability drain node3").success();
    let machine =
        env.sh("docker node ls -f role=manager --format '{{.Hostname}}'").success().line();
    env.sh(&format!("docker node update --availability drain {machine}")).success();
    let command = ["sh", "-c", "cat /data/of || echo made > /data/of; sleep 100000"];
    let more = ["--mount", "type=volume,src=data,dst=/data", "--stop-grace-period", "0s", "alpine"];
    create(&env, "web", &[&more[..], &command].concat());
    wait_replicas(&env, "web", "1/1");
    let move_to = |to: &str, from: &str| {
        env.sh(&format!("docker node update --availability active {to}")).success();
        env.sh(&format!("docker node update --availability drain {from}")).success();
        let on = format!("docker --node {to} exec $(docker --node {to} ps -q) cat /data/of");
        env.sh(&format!("eventually '[ \"$({on})\" = made ]'")).success();
    };
    move_to("node3", "node2");
    // It is empty there, as on another machine; what was written is still where it was.
    env.sh("docker --node node3 logs $(docker --node node3 ps -q)").success().stdout_is("");
    move_to("node2", "node3");
    env.sh("docker --node node2 logs $(docker --node node2 ps -q)").success().stdout_is("made\n");
    env.sh("docker service rm web").success();
    env.sh("eventually '[ -z \"$(docker ps -aq)\" ]'").success();
    for node in ["node2", "node3"] {
        env.sh(&format!("docker --node {node} volume rm data")).success();
    }
    end(env);
}
