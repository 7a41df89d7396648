//! Images of services, and of targets of files: `compose build`, `up --build`, `compose watch`, `buildx bake`.

use coracle_integration::{TestEnv, wait};
use rustix::process::Signal;

const FILE: &str = "services:
  web:
    build:
      context: web
      args: {V: one}
      additional_contexts: {base: service:base}
      secrets: [token]
    command: sleep 1000
    init: true
    develop: {watch: [{action: rebuild, path: ./web/file}]}
  base:
    command: sleep 1000
    init: true
    build: {context: ., dockerfile_inline: \"FROM alpine\\nRUN echo base > /base\\n\"}
secrets: {token: {environment: TOKEN}}
";

const DOCKERFILE: &str = "FROM base
ARG V
RUN --mount=type=secret,id=token test \"$(cat /run/secrets/token)\" = s3cret && echo $V > /v
COPY file /file
";

fn project() -> TestEnv {
    let env = TestEnv::new();
    env.write("compose.yaml", FILE);
    env.write(".env", "TOKEN=s3cret\n");
    env.write("web/Dockerfile", DOCKERFILE);
    env.write("web/file", "1");
    env
}

fn down(env: TestEnv) {
    env.run(["compose", "-p", "t", "down", "-t", "0"]).success();
    env.assert_nothing_left();
}

fn content(env: &TestEnv, path: &str) -> String {
    env.run(["compose", "-p", "t", "exec", "-T", "web", "cat", path]).stdout()
}

#[test]
fn what_is_missing_is_built_and_what_changed_made_anew() {
    let env = project();
    env.run(["compose", "-p", "t", "create", "--no-build", "web"]).code(1);
    let up = env.run(["compose", "-p", "t", "up", "-d", "web"]).success();
    up.stderr_has(" Image t-web Building").stderr_has(" Image t-web Built");
    assert_eq!((content(&env, "/v"), content(&env, "/base")), ("one\n".into(), "base\n".into()));
    let labels = "{{index .Config.Labels \"com.docker.compose.project\"}} {{index .Config.Labels \"com.docker.compose.service\"}}";
    env.run(["inspect", "-f", labels, "t-web"]).success().stdout_is("t web\n");
    let first = env.run(["ps", "-q"]).success().stdout();
    // Nothing changed: neither is built, and the container stays.
    let again = env.run(["compose", "-p", "t", "up", "-d", "web"]).success();
    assert!(!again.stderr().contains("Building"), "{}", again.stderr());
    env.run(["compose", "-p", "t", "up", "-d", "--build", "web"]).success();
    env.run(["ps", "-q"]).success().stdout_is(&first);
    env.write("web/file", "2");
    env.run(["compose", "-p", "t", "up", "-d", "--build", "web"]).success().stderr_has("Recreated");
    assert_eq!(content(&env, "/file"), "2");
    let run = env.run(["compose", "-p", "t", "run", "--rm", "web", "cat", "/v"]);
    run.success().stdout_is("one\n");
    down(env);
}

#[test]
fn what_compose_build_says() {
    let env = project();
    let print = env.run(["compose", "-p", "t", "build", "--print", "web"]).success().stdout();
    let print: serde_json::Value = serde_json::from_str(&print).expect("JSON");
    assert_eq!(print["group"]["default"]["targets"], serde_json::json!(["base", "web"]));
    assert_eq!(print["target"]["web"]["contexts"]["base"], "target:base");
    assert_eq!(print["target"]["web"]["secret"][0], "id=token,type=env,env=TOKEN");
    let built = env.run(["compose", "-p", "t", "build", "--build-arg", "V=two"]).success();
    built
        .stderr_has("RUN --mount=type=secret")
        .stderr_has("naming to docker.io/library/t-web:latest");
    env.run(["run", "--rm", "t-web", "cat", "/v"]).success().stdout_is("two\n");
    let quiet = env.run(["compose", "-p", "t", "build", "-q"]).success();
    assert!(!quiet.stderr().contains("RUN"), "{}", quiet.stderr());
    env.write("web/Dockerfile", "FROM base\nRUN exit 7\n");
    let failed = env.run(["compose", "-p", "t", "build", "web"]).code(1);
    let failed = failed.stderr_has(
        "target web: failed to solve: process \"/bin/sh -c exit 7\" did not complete successfully: exit code: 7",
    );
    failed.stderr_has("   2 | >>> RUN exit 7");
    env.run(["compose", "-p", "t", "build", "--sbom", "true"])
        .code(1)
        .stderr_has("--sbom=true: not supported");
    env.write("plain.yaml", "services: {a: {image: alpine}}\n");
    env.run(["compose", "-f", "plain.yaml", "build"]).success().stderr_has("No services to build");
    env.assert_nothing_left();
}

#[test]
fn watch_builds_anew() {
    let env = project();
    let watch = env.coracle().args(["compose", "-p", "t", "watch", "web"]).start();
    wait::until("it runs", || content(&env, "/file") == "1");
    let folder = std::path::PathBuf::from(format!("/proc/{}/fdinfo", watch.pid().as_raw_nonzero()));
    let watches = |file: std::fs::DirEntry| {
        std::fs::read_to_string(file.path()).is_ok_and(|text| text.contains("inotify wd:"))
    };
    wait::until("it watches", || {
        std::fs::read_dir(&folder).into_iter().flatten().flatten().any(watches)
    });
    env.write("web/file", "2");
    wait::until("it has the new file", || content(&env, "/file") == "2");
    watch.signal(Signal::INT);
    watch.finish().code(130).stdout_has("service(s) [\"web\"] successfully built");
    down(env);
}

const BAKE: &str = r#"variable "TAG" {
  default = "latest"
}
group "default" {
  targets = ["app", "tool"]
}
target "base" {
  dockerfile-inline = "FROM alpine\nRUN echo base > /base\n"
}
target "app" {
  contexts = { base = "target:base" }
  dockerfile-inline = "FROM base\nARG V\nRUN echo app $V > /v\n"
  args = { V = upper("x") }
  tags = ["k/app:${TAG}"]
}
target "tool" {
  inherits = ["app"]
  args = { V = "tool" }
  tags = ["k/tool:${TAG}"]
}
"#;

#[test]
fn three_targets_of_a_file() {
    let env = TestEnv::new();
    env.write("docker-bake.hcl", BAKE);
    env.write("Dockerfile", "FROM alpine\n");
    let line = "TAG=1 docker buildx bake --progress plain --metadata-file md.json";
    let built = env.sh(line).success();
    // Whose step it is, where there are several.
    built
        .stderr_has("reading docker-bake.hcl")
        .stderr_has("naming to docker.io/k/tool:1")
        .stderr_has("[base internal] load metadata for docker.io/library/alpine:latest\n")
        .stderr_has("[base 2/2] RUN echo base > /base\n")
        .stderr_has("[app] exporting to image\n")
        .stderr_has("[tool] exporting to image\n");
    env.run(["run", "--rm", "k/app:1", "cat", "/v", "/base"]).success().stdout_is("app X\nbase\n");
    env.run(["run", "--rm", "k/tool:1", "cat", "/v"]).success().stdout_is("app tool\n");
    env.sh("grep -c containerimage.digest md.json").success().stdout_is("2\n");
    let images = env.run(["images", "--format", "{{.Repository}}"]).success().stdout();
    assert!(!images.contains("base") && !images.contains("<none>"), "{images}");
    let alone = env.sh("docker buildx bake --progress plain base").success();
    alone.stderr_has("[internal] load metadata").stderr_has(" [2/2] RUN echo base > /base\n");
    env.write("extended.yaml", "services: {a: {build: {context: ., x-bake: {tags: [k/a]}}}}\n");
    let json = "docker buildx bake --print tool --set tool.args.V=y 2> /dev/null | tr -d ' \\n'";
    env.sh(json).success().stdout_has("\"args\":{\"V\":\"y\"}");
    for (line, why) in [
        ("nosuch", "ERROR: failed to find target nosuch"),
        ("-f nosuch.hcl", "ERROR: open nosuch.hcl: no such file or directory"),
        ("--set 'app.dockerfile-inline=FROM nosuch://' app", "target app: failed to solve"),
        ("--set app.network=host app", "additional privileges requested"),
        ("https://h/r.git", "not supported: bake files are files of this machine"),
        ("-f extended.yaml", "services.a.build.x-bake: not supported: use a bake file"),
    ] {
        env.sh(&format!("docker buildx bake --progress quiet {line}")).code(1).stderr_has(why);
    }
    env.assert_nothing_left();
}
