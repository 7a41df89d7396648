//! Rolling updates under load: no connection is lost.

use coracle_integration::{TestEnv, port::free_port, settings::settings, skip, wait};

use super::{create, end, swarm, wait_replicas};

/// New connections at 200 a second to the virtual address and to the published port, while two replicas with a health
/// check are replaced; the server serves on for its grace.
fn nothing_is_lost(order: &str) {
    let Some(traffic) = &settings().traffic else {
        skip!("no program that makes traffic beside the binary")
    };
    let env = swarm();
    let port = free_port();
    let publish = format!("{port}:7");
    let mount = format!("type=bind,src={},dst=/traffic,readonly", traffic.display());
    env.run(["network", "create", "-d", "overlay", "--attachable", "ov"]).success();
    let server = [
        "--replicas",
        "2",
        "--network",
        "ov",
        "-p",
        &publish,
        "--mount",
        &mount,
        "--health-cmd",
        "/traffic connect 127.0.0.1:7 1",
        "--health-interval",
        "300ms",
        "--stop-grace-period",
        "1s",
        "--update-order",
        order,
        "--update-monitor",
        "200ms",
        "alpine",
        "/traffic",
        "serve",
        "7",
    ];
    create(&env, "web", &server);
    wait_replicas(&env, "web", "2/2");
    let tool = format!("{}:/traffic:ro", traffic.display());
    let client = ["run", "-d", "--name", "c1", "--network", "ov", "-v", &tool, "alpine"];
    env.run([&client[..], &["sleep", "100000"]].concat()).success();
    let vip = env
        .run([
            "service",
            "inspect",
            "web",
            "--format",
            "{{range .Endpoint.VirtualIPs}}{{.Addr}} {{end}}",
        ])
        .success()
        .stdout();
    let vip =
        vip.split_whitespace().last().and_then(|it| it.split('/').next()).expect("an address");
    let inner = format!("{vip}:7");
    let outer = format!("127.0.0.1:{port}");
    let before = updated(&env);
    let inside = env.coracle().args(["exec", "c1", "/traffic", "hold", &inner, "0", "200", "12"]);
    let outside = env.program(traffic).args(["hold", &outer, "0", "200", "12"]);
    let (inside, outside) = (inside.start(), outside.start());
    env.run(["service", "update", "-d", "--force", "web"]).success();
    wait::until("the update is complete", || updated(&env) != before && is_complete(&env));
    for load in [outside, inside] {
        let output = load.finish().success().stdout();
        assert!(output.starts_with("0 "), "lost connections: {output}");
    }
    env.run(["service", "rm", "web"]).success();
    env.run(["rm", "-f", "c1"]).success();
    end(env);
}

fn updated(env: &TestEnv) -> String {
    let format = "{{if .UpdateStatus}}{{.UpdateStatus.StartedAt}}{{end}}";
    env.run(["service", "inspect", "web", "--format", format]).success().stdout()
}

fn is_complete(env: &TestEnv) -> bool {
    let format = "{{.UpdateStatus.State}}";
    env.run(["service", "inspect", "web", "--format", format]).success().stdout().trim()
        == "completed"
}

#[test]
fn nothing_is_lost_on_networks_stop_first() {
    nothing_is_lost("stop-first");
}

#[test]
fn nothing_is_lost_on_networks_start_first() {
    nothing_is_lost("start-first");
}
