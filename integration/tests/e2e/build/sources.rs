//! What a build takes from elsewhere: files of web servers, and repositories.

use std::fs;

use coracle_integration::web::WebServer;
use coracle_integration::{TestEnv, skip};

/// What git makes of a folder, the same each time.
const GIT: &str =
    "git -c user.name=a -c user.email=a@h -c init.defaultBranch=main -c protocol.file.allow=always";
const DATE: &str = "2020-01-02T03:04:05Z";

/// A repository in the work folder, to be served as files: `main`, and a tag `v1` on its first commit.
fn repository(env: &TestEnv, name: &str) {
    env.sh(&format!(
        "export GIT_AUTHOR_DATE={DATE} GIT_COMMITTER_DATE={DATE} HOME=/dev/null
         mkdir -p {name}/sub && cd {name} && {GIT} init -q && echo one > f.txt && echo sub > sub/g.txt &&
         printf 'FROM bb\\nCOPY f.txt /f\\nRUN cat /f > /o\\n' > Dockerfile &&
         printf 'FROM bb\\nCOPY . /all\\n' > sub/Dockerfile &&
         {GIT} add -A && {GIT} commit -qm one && {GIT} tag v1 && echo two > f.txt && {GIT} commit -qam two &&
         {GIT} update-server-info"
    ))
    .success();
}

fn has_git() -> bool {
    coracle_integration::skip::program("git").is_some()
}

fn cat(env: &TestEnv, image: &str, path: &str) -> String {
    env.run(["run", "--rm", image, "cat", path]).success().stdout()
}

#[test]
fn a_file_of_a_web_server_counts_by_its_content_and_time() {
    let env = TestEnv::new();
    env.write("www/f.txt", "from web\n");
    env.sh("touch -d 2020-01-01T00:00:00Z www/f.txt").success();
    let web = WebServer::start(&env.work().join("www"));
    let url = format!("http://{}/f.txt", web.address());
    let text = format!("FROM bb\nADD {url} /d/\nRUN stat -c '%a %u %Y %n' /d/* > /o\n");
    env.write("b/Dockerfile", text);
    for _ in 0..2 {
        env.sh("docker build -q -t web b").success();
    }
    assert_eq!(cat(&env, "web", "/o"), "600 0 1577836800 /d/f.txt\n");
    let request = "GET /f.txt HTTP/1.1";
    assert_eq!(web.requests(), [format!("{request} [200]"), format!("{request} [200]")]);

    // Another file under the same name.
    env.write("www/f.txt", "changed\n");
    env.sh("docker build -q -t web b").success();
    assert_eq!(cat(&env, "web", "/d/f.txt"), "changed\n");

    env.write("b/Dockerfile", format!("FROM bb\nADD {url}x /x\n"));
    env.sh("docker build b").code(1).stderr_has(
        "ERROR: failed to build: failed to solve: failed to load cache key: invalid response status 404\n",
    );
    let wrong = "0".repeat(64);
    env.write("b/Dockerfile", format!("FROM bb\nADD --checksum=sha256:{wrong} {url} /x\n"));
    env.sh("docker build b").code(1).stderr_has(&format!("digest mismatch for {url}: sha256:"));
    env.assert_nothing_left();
}

#[test]
fn add_brings_the_files_of_a_commit() {
    if !has_git() {
        skip!("no git");
    }
    let env = TestEnv::new();
    repository(&env, "g");
    let web = WebServer::start(&env.work());
    let url = format!("http://{}/g/.git", web.address());
    env.write(
        "b/Dockerfile",
        format!(
            "FROM bb\nADD {url}#v1 /first\nADD {url}#main:sub /sub\nADD --keep-git-dir=true {url} /kept\n\
             RUN cat /first/f.txt /sub/g.txt /kept/f.txt > /o; \
             ls -a /first /kept | sort -u >> /o; stat -c '%a %u:%g' /first /first/f.txt >> /o\n"
        ),
    );
    env.sh("docker build -q -t git b").success();
    assert_eq!(
        cat(&env, "git", "/o"),
        "one\nsub\ntwo\n\n.\n..\n.git\n/first:\n/kept:\nDockerfile\nf.txt\nsub\n755 0:0\n644 0:0\n"
    );
    let config = cat(&env, "git", "/kept/.git/config");
    assert!(config.contains(&format!("url = {url}")), "{config}");
    assert!(!config.contains(&env.root().display().to_string()), "{config}");
    env.sh("docker build b 2>&1 | grep -c CACHED").success().stdout_is("4\n");
    // Which commit it is decides: its files are fetched for a step that has to be carried out, and not before.
    let fetched = "ls \"$ROOT\"/data/builder/sources 2> /dev/null | grep -c ^git || true";
    env.sh("rm -rf \"$ROOT\"/data/builder/sources").success();
    env.sh("docker build b 2>&1 | grep -c CACHED").success().stdout_is("4\n");
    env.sh(fetched).success().stdout_is("0\n");
    env.sh("docker build -q --no-cache b").success();
    env.sh(fetched).success().stdout_is("3\n");

    for (address, words) in [
        (format!("{url}#nosuch"), "repository does not contain ref nosuch, output: \\\"\\\""),
        (format!("{url}?checksum=0000"), "expected checksum to match 0000, got "),
        (format!("{url}#--upload-pack=touch"), "invalid git ref \\\"--upload-pack=touch\\\""),
        ("git@-oProxyCommand=x:y".to_owned(), "not found"),
        ("ssh://-oProxyCommand=x/y".to_owned(), "invalid git remote"),
        ("git@127.0.0.1:x".to_owned(), "unset ssh forward key default"),
    ] {
        env.write("b/Dockerfile", format!("FROM bb\nADD {address} /x\n"));
        let output = env.sh("docker build b").code(1);
        let words = words.replace("\\\"", "\"");
        assert!(output.stderr().contains(&words), "{address}: {output}");
    }
    assert!(!env.work().join("touch").exists());
    env.assert_nothing_left();
}

#[test]
fn a_repository_is_a_context() {
    if !has_git() {
        skip!("no git");
    }
    let env = TestEnv::new();
    repository(&env, "g");
    let web = WebServer::start(&env.work());
    let url = format!("http://{}/g/.git", web.address());
    env.sh(&format!("docker build -q -t main {url}")).success();
    assert_eq!(cat(&env, "main", "/o"), "two\n");
    env.sh(&format!("docker build -q -t tagged {url}#v1:sub")).success();
    assert_eq!(cat(&env, "tagged", "/all/g.txt"), "sub\n");
    env.sh(&format!("docker build {url}#v1 2>&1 | grep '\\[internal\\] load git source'"))
        .success()
        .stdout_has(&format!("[internal] load git source {url}#v1\n"));
    env.sh(&format!("docker build {url}#nosuch")).code(1).stderr_has(
        "ERROR: failed to build: failed to solve: failed to read dockerfile: failed to load cache key: \
         repository does not contain ref nosuch, output: \"\"\n",
    );
    env.sh(&format!("docker build '{url}?x=1'")).code(1).stderr_has("unexpected query \"x\"");
    env.sh(&format!("docker build '{url}#-x'")).code(1).stderr_has("invalid git ref \"-x\"");
    env.assert_nothing_left();
}

#[test]
fn a_web_server_has_contexts_and_dockerfiles() {
    let env = TestEnv::new();
    env.write("c/Dockerfile", "FROM bb\nCOPY f /f\n");
    env.write("c/f", "in an archive\n");
    env.sh(
        "mkdir www && tar -czf www/c.tar.gz -C c . && printf 'FROM bb\\nCMD alone\\n' > www/plain",
    )
    .success();
    let web = WebServer::start(&env.work().join("www"));
    let at = |path: &str| format!("http://{}/{path}", web.address());
    env.sh(&format!("docker build -q -t archive {}", at("c.tar.gz"))).success();
    assert_eq!(cat(&env, "archive", "/f"), "in an archive\n");
    env.sh(&format!("docker build -q -t alone {}", at("plain"))).success();
    env.sh("docker inspect -f '{{json .Config.Cmd}}' alone")
        .success()
        .stdout_is("[\"/bin/sh\",\"-c\",\"alone\"]\n");
    env.sh(&format!("docker build {}", at("nosuch"))).code(1).stderr_has(
        "ERROR: failed to build: failed to solve: failed to read downloaded context: failed to load cache \
         key: invalid response status 404\n",
    );
    env.assert_nothing_left();
}

#[test]
fn a_build_says_that_git_is_missing() {
    let env = TestEnv::new();
    env.write("b/Dockerfile", "FROM bb\nADD http://127.0.0.1:1/x.git /x\n");
    let command = env.coracle().env("PATH", env.root().join("bin"));
    let output = command.args(["build", "b"]).run().code(1);
    assert!(output.stderr().contains("git is not installed"), "{output}");
    assert!(fs::read_dir(env.data().join("builder/sources")).map_or(0, Iterator::count) == 0);
    env.assert_nothing_left();
}
