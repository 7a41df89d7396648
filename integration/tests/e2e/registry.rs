//! push, pull, login against a real registry: plain, with passwords, with TLS, with tokens.

use coracle_integration::{
    TestEnv, case,
    port::free_port,
    registry::{Door, Registry, certificate, outer_address},
    skip,
    skip::program,
    token::{PASSWORD, USER},
    wait,
};

const RECORDED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/registry.md"));

fn run_recorded(door: Door, section: &str) {
    let env = TestEnv::new();
    let registry = Registry::start(&env, door);
    case::run_section(&env, &RECORDED.replace("127.0.0.1:5000", registry.address()), section);
}

macro_rules! need_registry {
    () => {
        if program("docker-registry").is_none() {
            skip!("docker-registry is not installed");
        }
    };
}

#[test]
fn push_and_pull() {
    need_registry!();
    run_recorded(Door::Plain, "push and pull");
}

#[test]
fn what_is_not_there() {
    need_registry!();
    run_recorded(Door::Plain, "What is not there");
}

#[test]
fn run_pulls_what_is_missing() {
    need_registry!();
    run_recorded(Door::Plain, "run pulls what is missing");
}

#[test]
fn login_and_logout() {
    need_registry!();
    run_recorded(Door::Password, "login and logout");
}

/// Pushes `alpine`, removes it, pulls it back: the digest and the content are the same.
fn round_trip(env: &TestEnv, registry: &Registry) {
    let name = registry.name("team/alpine:1");
    env.run(["tag", "alpine", &name]).success();
    let pushed = env.run(["push", &name]).success().lines();
    let digest =
        pushed.last().and_then(|line| line.split_whitespace().nth(2)).expect("a digest").to_owned();
    env.run(["rmi", "alpine", "fixture", &name]).success();
    let pulled = env.run(["pull", &name]).success();
    assert!(
        pulled.stdout().contains(&format!("Digest: {digest}\n")),
        "{digest} pushed, but\n{pulled}"
    );
    env.run(["run", "--rm", "--network", "none", &name, "echo", "back"])
        .success()
        .stdout_is("back\n");
}

#[test]
fn push_and_pull_give_the_same_digest() {
    need_registry!();
    let env = TestEnv::new();
    round_trip(&env, &Registry::start(&env, Door::Plain));
}

#[test]
fn tls_with_the_authority_in_certs_d() {
    need_registry!();
    if outer_address().is_none() {
        skip!("no address besides loopback");
    }
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Tls);
    let refused = env.run(["pull", &registry.name("x:1")]).code(1);
    assert!(
        refused.stderr().contains("certificate"),
        "the certificate is not what is refused:\n{refused}"
    );

    let dir = env.root().join("home/.config/coracle/certs.d").join(registry.address());
    std::fs::create_dir_all(&dir).expect("a folder of ours");
    std::fs::copy(registry.dir().join("ca.crt"), dir.join("ca.crt")).expect("a file of ours");
    round_trip(&env, &registry);
}

#[test]
fn tls_with_the_authority_in_ssl_cert_file() {
    need_registry!();
    if outer_address().is_none() {
        skip!("no address besides loopback");
    }
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Tls);
    let name = registry.name("a:1");
    env.run(["tag", "alpine", &name]).success();
    let ca = registry.dir().join("ca.crt");
    env.coracle().env("SSL_CERT_FILE", &ca).args(["push", "-q", &name]).run().success();
    env.coracle().env("SSL_CERT_FILE", &ca).args(["pull", "-q", &name]).run().success();
}

#[test]
fn a_password_does_not_follow_a_redirect_to_plain_http() {
    need_registry!();
    let Some(host) = outer_address() else { skip!("no address besides loopback") };
    let env = TestEnv::bare();
    let plain = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let elsewhere = plain.local_addr().expect("a bound socket");
    let dir = env.root().join("tls");
    std::fs::create_dir_all(dir.join("v2/x/manifests")).expect("a folder of ours");
    certificate(&dir, host);
    let answer =
        format!("HTTP/1.0 307 Moved\r\nLocation: http://{elsewhere}/v2/x/manifests/1\r\n\r\n");
    std::fs::write(dir.join("v2/x/manifests/1"), answer).expect("a file of ours");
    let address = format!("{host}:{}", free_port());
    // Serves files that are whole answers; for the folder `v2/` it says 200.
    let mut server = std::process::Command::new("openssl")
        .args(["s_server", "-quiet", "-HTTP", "-cert", "server.crt", "-key", "server.key"])
        .args(["-accept", &address])
        .current_dir(&dir)
        .env_clear()
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("openssl is installed");
    wait::until("the server answers", || std::net::TcpStream::connect(&address).is_ok());
    let config = env.root().join("home/.docker");
    std::fs::create_dir_all(&config).expect("a folder of ours");
    // "ada:engine".
    let auth = format!(r#"{{"auths": {{"{address}": {{"auth": "YWRhOmVuZ2luZQ=="}}}}}}"#);
    std::fs::write(config.join("config.json"), auth).expect("a file of ours");
    let pull = env.coracle().env("SSL_CERT_FILE", dir.join("ca.crt"));
    let refused = pull.args(["pull", &format!("{address}/x:1")]).run();
    server.kill().and_then(|()| server.wait()).expect("our own child");
    refused
        .code(1)
        .stderr_has(&format!("refusing a redirect from TLS to plain HTTP at http://{elsewhere}"));
    plain.set_nonblocking(true).expect("our socket");
    assert!(plain.accept().is_err(), "nobody was asked there");
    env.assert_nothing_left();
}

#[test]
fn bearer_tokens() {
    need_registry!();
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Token);
    env.run(["tag", "alpine", &registry.name("a:1")]).success();
    let refused = env.run(["push", &registry.name("a:1")]).code(1);
    assert!(!refused.stderr().is_empty(), "an anonymous push is refused with a reason");

    env.coracle()
        .args(["login", "-u", USER, "--password-stdin", registry.address()])
        .stdin(PASSWORD)
        .run()
        .success();
    round_trip(&env, &registry);
}

/// Without a network: which registry, which image, why, and what can be done.
#[test]
fn an_image_that_cannot_be_fetched_says_what_can_be_done() {
    let env = TestEnv::new();
    for command in ["pull", "run --rm --network none"] {
        let told = env.sh(&format!("docker {command} 127.0.0.1:1/team/app:2"));
        assert!([1, 125].contains(&told.status()), "{told}");
        told.stderr_has("dial tcp 127.0.0.1:1: connect: connection refused").stderr_has(
            "hint: the registry 127.0.0.1:1 of the image 127.0.0.1:1/team/app:2 cannot be reached from here: \
             `--pull never` runs an image that is here, `coracle load` takes one from a file",
        );
    }
    env.assert_nothing_left();
}

/// As Docker shows it: the layers, then what all of them together are.
#[test]
fn a_terminal_shows_the_digest_below_the_layers_and_how_far_a_push_is() {
    need_registry!();
    let env = TestEnv::new();
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("team/shown:1");
    env.run(["tag", "alpine", &name]).success();
    let (status, pushed) = env.terminal(["push", &name]).finish();
    assert!(status == 0 && pushed.contains("Compressing"), "{pushed:?}");
    env.run(["rmi", "alpine", "fixture", &name]).success();
    let (status, pulled) = env.terminal(["pull", &name]).finish();
    let last = |word: &str| pulled.rfind(word).unwrap_or_else(|| panic!("no {word} in {pulled:?}"));
    assert_eq!(status, 0, "{pulled:?}");
    assert!(last("Pull complete") < last("Digest: sha256:"), "{pulled:?}");
    assert!(last("Digest: sha256:") < last("Status: Downloaded newer image"), "{pulled:?}");
    env.assert_nothing_left();
}
