//! `service plan`, `stack plan`, and a deploy that does what a plan says, or nothing.

use coracle_integration::TestEnv;

use super::{create, end, swarm, wait_replicas};

const DEPLOY: [&str; 6] = ["stack", "deploy", "-d", "--resolve-image", "never", "-c"];
const PLAN: [&str; 5] = ["stack", "plan", "--resolve-image", "never", "-c"];

fn write_stack(env: &TestEnv, value: &str, replicas: u32) {
    env.write(
        "stack.yml",
        format!(
            "services:\n  web:\n    image: alpine\n    command: sleep 100000\n    stop_grace_period: 0s\n    \
             environment: {{A: '{value}'}}\n    configs: [site]\n    secrets: [pw]\n    volumes: ['data:/data']\n    \
             deploy: {{replicas: {replicas}, update_config: {{monitor: 100ms}}}}\n\
             configs: {{site: {{file: ./site}}}}\nsecrets: {{pw: {{file: ./pw}}}}\nvolumes: {{data: {{}}}}\n"
        ),
    );
}

fn stack(env: &TestEnv, verb: &[&str], more: &[&str]) -> coracle_integration::Output {
    env.run([verb, &["stack.yml"], more, &["shop"]].concat())
}

#[test]
fn a_deploy_does_what_its_plan_says_or_nothing() {
    let env = swarm();
    env.write("site", "one");
    env.write("pw", "geheim");
    write_stack(&env, "1", 2);
    let first = stack(&env, &PLAN, &[]).code(2);
    for line in [
        "create    network shop_default\n",
        "create    secret shop_pw\n",
        "create    config shop_site\n          content: ",
        "create    volume shop_data: with the first task that uses it\n",
        "create    service shop_web\n",
        "          env.A: 1\n",
        "          network.shop_default: joined as web\n",
        "          secret.pw: shop_pw\n",
    ] {
        assert!(first.stdout().contains(line), "{line:?} is not in {}", first.stdout());
    }
    env.run(["service", "ls", "-q"]).success().stdout_is("");
    stack(&env, &DEPLOY, &[]).success();
    wait_replicas(&env, "shop_web", "2/2");
    stack(&env, &PLAN, &[]).success().stdout_has("Nothing to do.\n");

    write_stack(&env, "2", 3);
    stack(&env, &PLAN, &["--out", "plan.json"])
        .code(2)
        .stdout_has(
            "update    service shop_web\n          env.A: 1 → 2\n          replicas: 2 → 3\n          rolls \
             shop_web.1, shop_web.2: 1 at a time, stop-first, each watched for 100ms, paused when one fails\n",
        )
        .stderr_has("stack deploy -c stack.yml --plan plan.json shop` does exactly this");
    // What is otherwise now is no longer what the plan says.
    env.run(["service", "scale", "-d", "shop_web=4"]).success();
    let deploy = ["stack", "deploy", "-d", "--plan", "plan.json", "-c"];
    stack(&env, &deploy, &[])
        .code(1)
        .stderr_has("the plan plan.json does not fit any more, and nothing was done")
        .stderr_has("only in the plan:\n            replicas: 2 → 3\nonly now:\n            replicas: 4 → 3");
    let values =
        ["service", "inspect", "-f", "{{.Spec.TaskTemplate.ContainerSpec.Env}}", "shop_web"];
    env.run(values).success().stdout_is("[A=1]\n");
    env.run(["service", "scale", "-d", "shop_web=2"]).success();
    stack(&env, &deploy, &[]).success();
    env.run(values).success().stdout_is("[A=2]\n");
    wait_replicas(&env, "shop_web", "3/3");
    let json = stack(&env, &PLAN, &["--format", "json"]).success().json();
    assert_eq!((&json["stack"], &json["steps"][0]["action"]), (&"shop".into(), &"keep".into()));

    env.write("stack.yml", "services: {other: {image: alpine}}\n");
    stack(&env, &PLAN, &["--prune"]).code(2).stdout_has("remove    service shop_web\n");
    env.run(["stack", "rm", "shop"]).success();
    env.run(["volume", "rm", "shop_data"]).success();
    end(env);
}

/// A file that changed is refused in Docker's words; once it was rotated in, the stack is as its file says.
#[test]
fn a_stack_means_what_was_rotated_in() {
    let env = swarm();
    env.write("site", "one");
    env.write("pw", "geheim");
    write_stack(&env, "1", 1);
    stack(&env, &DEPLOY, &[]).success();
    wait_replicas(&env, "shop_web", "1/1");
    env.write("site", "two");
    stack(&env, &PLAN, &[])
        .code(1)
        .stdout_has("refuse    config shop_site: another content: `config rotate shop_site FILE`");
    let words = "failed to update config shop_site: Error response from daemon: rpc error: code = \
                 InvalidArgument desc = only updates to Labels are allowed";
    let refused = stack(&env, &DEPLOY, &[]).code(1).stderr_has("config rotate shop_site FILE`");
    assert_eq!(refused.stderr().lines().next(), Some(words));

    env.run(["config", "rotate", "-q", "shop_site", "site"]).success();
    stack(&env, &PLAN, &[]).success().stdout_has("keep      config shop_site.v2\n");
    stack(&env, &DEPLOY, &[]).success();
    env.run(["config", "ls", "--format", "{{.Name}}"]).success().stdout_is("shop_site.v2\n");
    // Another content is made anew under its old name, as it always was.
    env.write("site", "three");
    stack(&env, &PLAN, &[]).code(2).stdout_has("create    config shop_site\n");
    env.run(["stack", "rm", "shop"]).success();
    env.run(["config", "ls", "-q"]).success().stdout_is("");
    env.run(["volume", "rm", "shop_data"]).success();
    end(env);
}

#[test]
fn an_update_is_planned_with_its_flags() {
    let env = swarm();
    create(
        &env,
        "web",
        &["--replicas", "3", "--stop-grace-period", "0s", "alpine", "sleep", "100000"],
    );
    wait_replicas(&env, "web", "3/3");
    env.run(["service", "plan", "web", "--replicas", "3"])
        .success()
        .stdout_is("keep      service web\nNothing to do.\n");
    let flags = ["--env-add", "A=1", "--update-parallelism", "2", "--update-order", "start-first"];
    env.run([&["service", "plan", "web"], &flags[..]].concat()).code(2).stdout_has(
        "rolls web.1, web.2, web.3: 2 at a time, start-first, each watched for 5s, paused when one fails\n",
    );
    env.run(["service", "plan", "web", "--force"]).code(2).stdout_has("force: 0 → 1\n");
    env.run(["service", "plan", "web", "--replicas", "1"])
        .code(2)
        .stdout_has("replicas: 3 → 1\n")
        .stdout_has(": no task is replaced\n");
    env.run(["service", "plan", "web", "--rollback"])
        .code(1)
        .stderr_has("does not have a previous spec");
    env.run(["service", "plan", "web", "--format", "yaml"])
        .code(1)
        .stderr_has("it is text or json");
    env.run(["service", "inspect", "-f", "{{.Spec.TaskTemplate.ContainerSpec.Env}}", "web"])
        .success()
        .stdout_is("[]\n");
    env.run(["service", "rm", "web"]).success();
    end(env);
}
