//! `events`, past and filtered.

use coracle_integration::{TestEnv, recorded, wait};

recorded! {
    "events.md":
    events_of_a_container = "Events of a container",
    events_of_images = "Events of images",
}

#[test]
fn top_and_probes_have_events_and_a_bad_format_is_refused_at_once() {
    let env = TestEnv::new();
    env.run([
        "run",
        "-d",
        "--name",
        "h1",
        "--network",
        "none",
        "--init",
        "--health-cmd",
        "exit 0",
        "--health-interval",
        "1h",
        "--health-start-interval",
        "100ms",
        "--health-start-period",
        "1h",
        "alpine",
        "sleep",
        "1000",
    ])
    .success();
    wait::until("it is healthy", || {
        env.run(["inspect", "-f", "{{.State.Health.Status}}", "h1"]).stdout() == "healthy\n"
    });
    env.run(["top", "h1"]).success();
    env.run(["exec", "h1", "echo", "on"]).success();
    let events = ["events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}"];
    let actions = env.run(events).success().lines();
    let place = |wanted: &str| {
        let found = actions.iter().position(|action| action == wanted);
        found.unwrap_or_else(|| panic!("{wanted:?} is not among {actions:?}"))
    };
    let probe = "/bin/sh -c exit 0";
    assert!(place(&format!("exec_create: {probe}")) < place(&format!("exec_start: {probe}")));
    assert!(place(&format!("exec_start: {probe}")) < place("health_status: healthy"));
    assert!(place("top") < place("exec_create: echo on"));
    let filter = ["--filter", "event=exec_create: echo on", "--filter", "container=h1"];
    env.run(events.iter().chain(&filter)).success().stdout_is("exec_create: echo on\n");
    for (format, why) in [
        (
            "{{.Bogus}}",
            "template: :1:2: executing \"\" at <.Bogus>: can't evaluate field Bogus in type *events.Message",
        ),
        ("{{", "template: :1: unclosed action"),
    ] {
        // It would go on for ever otherwise.
        env.run(["events", "--format", format])
            .code(64)
            .stdout_is("")
            .stderr_is(&format!("Error parsing format: {why}\n"));
    }
    let absent =
        ["events", "--since", "1h", "--until", "0s", "--format", "{{.Actor.Attributes.nosuch}}"];
    env.run(absent).success().stdout_has("<no value>\n");
    env.run(["rm", "-f", "h1"]).success();
    env.assert_nothing_left();
}
