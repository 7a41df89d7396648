//! `ps` and `inspect`.

use coracle_integration::{TestEnv, recorded};

recorded! {
    "ps.md":
    ps = "ps",
    inspect = "inspect",
}

#[test]
fn names_may_have_the_slash_that_docker_keeps() {
    let env = TestEnv::new();
    env.run(["create", "--name", "/web", "--network", "none", "alpine", "true"]).success();
    env.run(["create", "--name", "webber", "--network", "none", "alpine", "true"]).success();
    env.sh("docker ps -a --filter name=^web$ --format '{{.Names}}'").stdout_is("web\n");
    env.sh("docker inspect -f '{{.Name}}' web /web").success().stdout_is("/web\n/web\n");
    for (filter, found) in
        [("/web", 2), ("^/web$", 1), ("^/web", 2), ("/webber", 1), ("/eb", 0), ("^eb", 0)]
    {
        let line = format!("docker ps -aq --filter 'name={filter}' | wc -l");
        env.sh(&line).success().stdout_is(&format!("{found}\n"));
    }
    env.run(["run", "--rm", "--name", "/web", "alpine", "true"])
        .code(125)
        .stderr_has("The container name \"/web\" is already in use by container");
    for name in ["//web", "/", "/a b", "/x"] {
        env.run(["create", "--name", name, "alpine"]).code(125).stderr_has(&format!(
            "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        ));
    }
    env.run(["rename", "/web", "/net"]).success();
    env.run(["rm", "/net", "/webber"]).success().stdout_is("/net\n/webber\n");
    env.assert_nothing_left();
}

#[test]
fn containers_of_the_host_and_of_no_network_show_an_endpoint_there() {
    let env = TestEnv::new();
    for mode in ["host", "none"] {
        let show = |template: &str| {
            let template = format!("{{{{{template}}}}}");
            env.run(["inspect", "-f", &template, "c1"]).success().line()
        };
        let place = format!("with index .NetworkSettings.Networks {mode:?}");
        let of = |field: &str| show(&format!("{place}}}}}{{{{{field}}}}}{{{{end"));
        env.run(["create", "--name", "c1", "--network", mode, "--init", "alpine", "sleep", "1000"])
            .success();
        assert_eq!(show("json .NetworkSettings.Networks").matches("NetworkID").count(), 1);
        assert_eq!(of(".NetworkID"), "");
        assert_eq!(of(".EndpointID"), "");
        env.run(["start", "c1"]).success();
        let network = env.run(["network", "inspect", "-f", "{{.Id}}", mode]).success().line();
        assert_eq!(of(".NetworkID"), network);
        assert_eq!(of(".EndpointID").len(), 64);
        assert_eq!(of("json .IPAddress"), "\"\"");
        assert_eq!(of("json .DNSNames"), "null");
        assert_ne!(show(".NetworkSettings.SandboxKey"), "");
        env.sh(&format!("docker ps -q --filter network={mode} | wc -l")).stdout_is("1\n");
        env.run(["stop", "-t", "0", "c1"]).success();
        assert_eq!(of(".NetworkID"), network);
        assert_eq!(of(".EndpointID"), "");
        env.run(["rm", "c1"]).success();
    }
    env.assert_nothing_left();
}

#[test]
fn what_an_image_says_does_not_command_the_terminal() {
    let env = TestEnv::new();
    let escape = "\u{1b}[2J\u{1b}]0;title\u{7}";
    let label = format!("evil=a{escape}b\nc");
    env.run(["create", "--name", "c1", "--label", &label, "alpine", "echo", escape]).success();
    let format = "table {{.Names}}\t{{.Command}}\t{{.Labels}}\t{{.Label \"evil\"}}";
    let table = env.run(["ps", "-a", "--no-trunc", "--format", format]).success().stdout();
    assert!(!table.contains('\u{1b}') && !table.contains('\u{7}'), "{table:?}");
    assert!(table.contains(r#""echo \x1b[2J\x1b]0;title\a""#), "{table:?}");
    assert!(table.contains(r"evil=a\x1b[2J\x1b]0;title\ab\nc"), "{table:?}");
    assert_eq!(table.lines().count(), 2, "{table:?}");
    // A program reads it byte by byte; a terminal does not get it.
    let plain = ["ps", "-a", "--format", "{{.Label \"evil\"}}"];
    assert_eq!(env.run(plain).success().stdout(), format!("a{escape}b\nc\n"));
    let (code, shown) = env.terminal(plain).finish();
    assert_eq!((code, shown.contains('\u{1b}')), (0, false), "{shown:?}");
    env.run(["rm", "c1"]).success();
    env.assert_nothing_left();
}
