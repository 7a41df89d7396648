//! `compose up` and `down` killed at each write of state: the same command again comes to the same end.

use coracle_integration::{TestEnv, skip};

use super::crash_points::{at_each_write, end, world};

macro_rules! need_strace {
    () => {
        if skip::program("strace").is_none() {
            skip!("no strace");
        }
    };
}

const FILE: &str = "services:
  db: {image: alpine, init: true, command: sleep 1000, volumes: ['data:/data', /anonymous]}
  web: {image: alpine, init: true, command: sleep 1000, depends_on: [db]}
volumes: {data: {}}
";

fn is_up(env: &TestEnv) {
    env.run(["compose", "-p", "t", "up", "-d"]).success();
    env.run(["compose", "-p", "t", "ps", "-a", "--format", "{{.Name}} {{.State}}"])
        .success()
        .stdout_is("t-db-1 running\nt-web-1 running\n");
    env.run(["exec", "t-web-1", "true"]).success();
    env.run(["compose", "-p", "t", "plan"]).success();
}

fn is_down(env: &TestEnv) {
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();
    env.run(["compose", "-p", "t", "ps", "-a", "-q"]).success().stdout_is("");
    env.run(["network", "ls", "-q", "--filter", "name=t_default"]).success().stdout_is("");
}

#[test]
fn up() {
    need_strace!();
    let env = world();
    env.write("compose.yaml", FILE);
    let check = || is_up(&env);
    at_each_write(&env, &["compose", "-p", "t", "up", "-d"], || is_down(&env), check);
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0"]).success();
    end(env);
}

#[test]
fn up_that_makes_containers_anew() {
    need_strace!();
    let env = world();
    env.write("compose.yaml", FILE);
    is_up(&env);
    env.run(["exec", "t-db-1", "sh", "-c", "echo kept > /anonymous/file"]).success();
    let args = ["compose", "-p", "t", "up", "-d", "-t", "0", "--force-recreate", "db"];
    at_each_write(
        &env,
        &args,
        || (),
        || {
            is_up(&env);
            env.run(["exec", "t-db-1", "cat", "/anonymous/file"]).success().stdout_is("kept\n");
        },
    );
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0"]).success();
    end(env);
}

#[test]
fn down() {
    need_strace!();
    let env = world();
    env.write("compose.yaml", FILE);
    let check = || is_down(&env);
    at_each_write(&env, &["compose", "-p", "t", "down", "-t", "0"], || is_up(&env), check);
    env.run(["compose", "-p", "t", "down", "-v", "-t", "0"]).success();
    end(env);
}
