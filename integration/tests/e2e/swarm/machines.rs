//! Machines outside of a swarm, with the lines that courses type.

use coracle_integration::{TestEnv, port::free_port, wait};

use super::agent;

fn machines(names: &[&str]) -> TestEnv {
    let env = TestEnv::new();
    for name in names {
        env.sh(&format!("docker-machine create -d virtualbox {name}"))
            .success()
            .stderr_is(&format!("({name}) No virtual machine is made by virtualbox.\n"));
    }
    env
}

fn end(env: TestEnv, names: &str) {
    env.sh(&format!("docker-machine rm -y {names}")).success();
    env.sh("docker network rm docker_gwbridge").success();
    wait::until("the agent has ended", || agent(&env).is_none());
    env.sh("docker-machine ls -q").success().stdout_is("");
    env.assert_nothing_left();
}

#[test]
fn a_cluster_is_made_the_courses_way() {
    let env = machines(&["vm1", "vm2", "vm3"]);
    env.sh("docker-machine ls -q").success().stdout_is("vm1\nvm2\nvm3\n");
    env.sh("docker-machine ip vm1").success().stdout_is("127.77.0.2\n");
    env.sh("docker-machine ssh vm1 docker --version").success().stdout_has("Docker version ");
    let swarm = |name: &str| {
        env.sh(&format!("docker-machine ssh {name} 'docker info 2>/dev/null | grep Swarm'"))
            .success()
            .line()
    };
    assert_eq!(swarm("vm1"), " Swarm: inactive");
    env.sh(
        "docker-machine ssh vm1 \"docker swarm init --advertise-addr $(docker-machine ip vm1)\"",
    )
    .success()
    .stdout_has("is now a manager.")
    .stdout_has(" 127.77.0.2:2377\n");
    let token = env.sh("docker-machine ssh vm1 docker swarm join-token -q worker").success().line();
    for name in ["vm2", "vm3"] {
        let join = format!("docker swarm join --token {token} $(docker-machine ip vm1):2377");
        env.sh(&format!("docker-machine ssh {name} \"{join}\""))
            .success()
            .stdout_is("This node joined a swarm as a worker.\n");
    }
    for name in ["vm1", "vm2", "vm3"] {
        assert_eq!(swarm(name), " Swarm: active");
    }
    // This machine itself is in none.
    env.sh("docker info 2>/dev/null | grep Swarm").success().stdout_is(" Swarm: inactive\n");
    env.sh("docker node ls")
        .code(1)
        .stderr_has("This node is not a swarm manager. Use \"docker swarm init\"")
        .stderr_has("docker --node vm1");
    env.sh("docker swarm init").code(1).stderr_has("a second swarm: not supported");
    env.sh("docker-machine ls --format '{{.Name}} {{.State}} {{.Swarm}}'")
        .success()
        .stdout_is("vm1 Running manager\nvm2 Running worker\nvm3 Running worker\n");
    let nodes = "docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'";
    let all = "vm1 Ready Leader\nvm2 Ready \nvm3 Ready \n";
    env.sh(&format!("eval $(docker-machine env vm1); docker-machine active; {nodes}"))
        .success()
        .stdout_is(&format!("vm1\n{all}"));
    env.sh("eval $(docker-machine env vm1); eval $(docker-machine env -u); docker-machine active")
        .code(1)
        .stderr_has("No active host found");
    env.sh(&format!("docker-machine ssh vm1 \"{nodes}\"")).success().stdout_is(all);
    end(env, "vm3 vm2 vm1");
}

#[test]
fn a_worker_leaves_and_comes_back() {
    let env = machines(&["vm1", "vm2"]);
    env.sh("docker-machine ssh vm1 docker swarm init").success();
    env.sh("docker --node vm1 swarm join-token -q worker > token").success();
    let join = "docker --node vm2 swarm join --token $(cat token) 127.77.0.2:2377";
    env.sh(join).success();
    env.sh("docker --node vm1 service create -d -q --no-resolve-image --name all --mode global alpine sleep 9000")
        .success();
    env.sh("eventually '[ $(docker --node vm2 ps -q | wc -l) = 1 ]'").success();
    // What is run by hand there stays there, in the swarm or not.
    env.sh("docker --node vm2 run -d --name mine alpine sleep 9000").success();
    env.sh("docker-machine ssh vm2 docker swarm leave")
        .success()
        .stdout_is("Node left the swarm.\n");
    env.sh("docker --node vm2 ps -a --format '{{.Names}}'").success().stdout_is("mine\n");
    env.sh("docker-machine ls --format '{{.Name}} {{.State}} {{.Swarm}}'")
        .success()
        .stdout_is("vm1 Running manager\nvm2 Running \n");
    env.sh(join).success();
    env.sh("eventually '[ $(docker --node vm2 ps -q | wc -l) = 2 ]'").success();
    env.sh("docker-machine rm -f vm2").success();
    let left = env.sh("docker ps -a --format '{{.Names}}'").success().stdout();
    assert!(left.starts_with("all.") && !left.contains("mine"), "{left}");
    end(env, "vm1");
}

#[test]
fn a_machine_has_its_own_containers_without_a_swarm() {
    let env = machines(&["vm1", "vm2"]);
    let port = free_port();
    env.sh(&format!(
        "docker-machine ssh vm1 docker run -d --name web -p {port}:80 --mount type=volume,src=data,dst=/data alpine \
         httpd -f -p 80 -h /etc"
    ))
    .success();
    env.sh(&format!("eventually 'curl -sf http://$(docker-machine ip vm1):{port}/hostname'"))
        .success();
    env.sh(&format!("curl -sf http://$(docker-machine ip vm2):{port}/hostname")).code(7);
    env.sh("docker-machine ssh vm2 docker ps -aq").success().stdout_is("");
    env.sh("docker --node vm1 volume ls -q").success().stdout_is("data\n");
    env.sh("docker-machine stop vm1").success().stdout_is("Machine \"vm1\" was stopped.\n");
    env.sh("docker-machine status vm1").success().stdout_is("Stopped\n");
    env.sh("docker-machine ip vm1").code(1).stderr_has("Host is not running");
    env.sh("docker-machine ssh vm1 true").code(1).stderr_has("Host is not running");
    env.sh("docker ps -q").success().stdout_is("");
    env.sh("docker-machine start vm1").success().stdout_is("Machine \"vm1\" was started.\n");
    env.sh("docker-machine inspect -f '{{.Driver.IPAddress}} {{.State}}' vm1")
        .success()
        .stdout_is("127.77.0.2 Running\n");
    env.sh("docker --node vm1 start web").success();
    env.sh("echo n | docker-machine rm vm1").success().stdout_has("Are you sure? (y/n): ");
    env.sh("docker --node vm1 ps -q").success().stdout_has("\n");
    env.sh("echo y | docker-machine rm vm1 vm2").success().stdout_has("Successfully removed vm1\n");
    env.sh("docker ps -aq; docker volume ls -q").success().stdout_is("");
    wait::until("the agent has ended", || agent(&env).is_none());
    env.assert_nothing_left();
}

#[test]
fn what_needs_a_virtual_machine_is_refused_in_words() {
    let env = machines(&["vm1"]);
    for (line, said) in [
        ("create --virtualbox-memory 2048 vm2", "--virtualbox-memory: not supported: "),
        ("scp a vm1:a", "machine scp: not supported: "),
        ("regenerate-certs vm1", "machine regenerate-certs: not supported: "),
        ("create vm1", "Docker machine \"vm1\" already exists"),
        ("create vm_2", "Invalid hostname specified"),
        ("ip vm2", "Docker machine \"vm2\" does not exist. Use \"docker machine ls\""),
        ("rm -y vm2", "Docker machine \"vm2\" does not exist."),
        ("env --shell cmd vm1", "--shell cmd: not supported: "),
    ] {
        env.sh(&format!("docker-machine {line}")).code(1).stderr_has(said);
    }
    env.sh("docker-machine ssh vm1 'exit 7'").code(7);
    env.sh("docker-machine --version").success().stdout_has("Docker version");
    let token =
        "SWMTKN-1-2vuyw895rbtstulywweg39bvfrf0kh4c94t9oq0l95qnp6fhqn-aqirh29n3rf7izvs99733ighm";
    env.sh(&format!("docker swarm join --token {token} 192.168.0.33:2377"))
        .code(1)
        .stderr_has("swarm join 192.168.0.33:2377: not supported")
        .stderr_has("docker machine create NAME");
    env.sh(&format!("docker --node vm1 swarm join --token {token} 192.168.0.33:2377"))
        .code(1)
        .stderr_has("swarm join 192.168.0.33:2377: not supported");
    env.sh("docker-machine rm -y vm1").success();
    wait::until("the agent has ended", || agent(&env).is_none());
    env.assert_nothing_left();
}

/// Its number, and so its address and its volumes, may have been another's.
#[test]
fn a_new_machine_has_nothing_of_one_that_is_gone() {
    let env = TestEnv::new();
    env.sh("docker swarm init --nodes 2 && docker --node node2 volume create old").success();
    env.sh("docker node rm --force node2 && docker node add fresh").success();
    env.sh("docker --node fresh volume ls -q").success().stdout_is("");
    env.sh("docker volume ls -q").success().stdout_is("node-2.old\n");
    env.sh("docker volume rm node-2.old && docker swarm leave --force").success();
    env.sh("docker network rm docker_gwbridge").success();
    wait::until("the agent has ended", || agent(&env).is_none());
    env.assert_nothing_left();
}
