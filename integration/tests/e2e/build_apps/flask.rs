//! Flask by `pip install -r` from an index whose certificate only a secret of the build vouches for.

use std::fs;

use coracle_integration::{TestEnv, port::free_port, registry::certificate_for};

use super::{authorities, build, fetched, world};
use crate::compose_apps::{http, need_apps, serves};

const INDEX: &str =
    "server { listen 443 ssl; ssl_certificate /tls/server.crt; ssl_certificate_key /tls/server.key;
    root /index; autoindex on; }\n";

/// The packages of the application behind TLS on the host's loopback, as a company has such an index.
fn index(env: &TestEnv, port: u16) {
    let tls = env.work().join("tls");
    fs::create_dir(&tls).expect("a folder of ours");
    certificate_for(&tls, "DNS:index.test");
    env.write("index.conf", INDEX);
    env.sh(&format!(
        "docker run -d --name index -p 127.0.0.1:{port}:443 -v ./index.conf:/etc/nginx/sites-enabled/default:ro \
         -v ./tls:/tls:ro -v ./wheels:/index/simple:ro apps \
         sh -c 'mkdir -p /var/log/nginx; exec nginx -g \"daemon off;\"'"
    ))
    .success();
    env.wait_answer("index", &["sh", "-c", "test -s /run/nginx.pid && echo up"], "up\n");
}

pub(super) fn builds_and_runs() {
    let env = world(&[("apps", &need_apps!().root)], &["flask"]);
    let fetch = ["--target", "wheels", "--secret", &authorities(), "--output", "wheels"];
    let fetch = || build(&env, "flask", &fetch).run();
    if fetched("index of Python packages", fetch).is_none() {
        return;
    }
    let port = free_port();
    index(&env, port);
    let url = format!("PIP_INDEX_URL=https://index.test:{port}/simple/");
    let from_index = ["--add-host", "index.test:host-gateway", "--build-arg", &url];
    let with = |flags: &[&str]| build(&env, "flask", &[&from_index, flags].concat()).run();

    // Nobody vouches for it, then the wrong ones do.
    with(&[]).code(1).stderr_has("CERTIFICATE_VERIFY_FAILED");
    with(&["--secret", &authorities()]).code(1).stderr_has("CERTIFICATE_VERIFY_FAILED");
    let secret = ["--secret", "id=ca,src=tls/ca.crt"];
    with(&secret).success().stderr_has("Successfully installed");

    let site = free_port();
    let start = |name: &str| {
        env.sh(&format!(
            "docker run -d --name {name} -p 127.0.0.1:{site}:5000 -v notes:/notes flask"
        ))
        .success();
    };
    start("web");
    serves(site, "/", "Hello from Flask\n");
    assert_eq!(http(site, "POST", "/notes?text=one"), "one\n");
    env.run(["restart", "-t", "1", "web"]).success();
    serves(site, "/notes", "one\n");

    // Neither its file nor its content is anywhere.
    let missing = "sha256sum /etc/ssl/certs/ca-certificates.crt; find / -xdev -name '*.crt' -newer /etc/hostname";
    let base = env.run(["run", "--rm", "--network", "none", "apps", "sh", "-c", missing]);
    let made = env.run(["run", "--rm", "--network", "none", "flask", "sh", "-c", missing]);
    assert_eq!(made.stdout(), base.stdout());
    let authority = fs::read_to_string(env.work().join("tls/ca.crt")).expect("it was made");
    let line = authority.lines().nth(1).expect("its first line of content");
    // Folders of other ids are read as well: the notes are www-data's alone.
    env.sh("docker unshare grep -rlxF -e one $ROOT/data/volumes | grep -c /notes/")
        .success()
        .stdout_is("1\n");
    // `ns` is a namespace that is mounted on a file.
    let everywhere = "$ROOT/data $ROOT/tmp $ROOT/run";
    env.sh(&format!("docker unshare grep -rlaF --exclude=ns -e {line} {everywhere}"))
        .code(1)
        .stdout_is("")
        .stderr_is("");

    // A change of the application asks nobody for packages.
    env.run(["rm", "-f", "index", "web"]).success();
    env.sh("sed -i 's/Hello from/Hello again from/' flask/app.py").success();
    let again = with(&[]).success();
    assert_eq!(again.stderr().matches(" CACHED").count(), 5, "{again}");
    start("again");
    serves(site, "/", "Hello again from Flask\n");
    serves(site, "/notes", "one\n");
    env.run(["rm", "-f", "again"]).success();
    env.run(["volume", "rm", "notes"]).success();
    env.assert_nothing_left();
}
