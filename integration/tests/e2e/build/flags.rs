//! Flags of `build`, and what is written down of a build.

use coracle_integration::TestEnv;

fn world() -> TestEnv {
    let env = TestEnv::new();
    env.sh("mkdir b1").success();
    env.write("b1/Dockerfile", "FROM alpine\nARG A=none\nENV V=1\nCOPY f.txt .\nRUN cat f.txt > out; echo $A > /a\nCMD [\"cat\", \"/a\"]\n");
    env.write("b1/f.txt", "f\n");
    env
}

#[test]
fn names_ids_and_files() {
    let env = world();
    let id = env.sh("docker build -q -t b1 -t b1:two -t 127.0.0.1:5000/x/b1 b1").success().line();
    assert_eq!(env.sh("docker image inspect b1:two --format '{{.Id}}'").line(), id);
    assert_eq!(env.sh("docker image inspect 127.0.0.1:5000/x/b1 --format '{{.Id}}'").line(), id);
    env.sh("docker build -q --iidfile iid --metadata-file md.json -t b1 b1").success();
    assert_eq!(env.sh("cat iid").stdout(), id);
    let facts = env.sh("cat md.json").json();
    assert_eq!(facts["containerimage.config.digest"], id.as_str());
    assert_eq!(facts["image.name"], "docker.io/library/b1:latest");
    assert_eq!(facts["containerimage.digest"], facts["containerimage.descriptor"]["digest"]);
    // All the names of the command; the progress that shows nothing.
    for command in ["image build", "builder build", "buildx build", "buildx b"] {
        assert_eq!(env.sh(&format!("docker {command} --progress=quiet b1")).line(), id);
    }
    env.sh("docker build --progress=none b1").success().stdout_is("").stderr_is("");
    // One that fails leaves no id of an earlier one.
    env.sh("docker build -q --iidfile iid --target nosuch b1; ls iid")
        .code(2)
        .stderr_has("No such file");
    env.sh("docker rmi -f $(docker images -q)").success();
    env.assert_nothing_left();
}

#[test]
fn variables_labels_and_the_network() {
    let env = world().with("A", "caller").with("DOCKER_BUILDKIT", "0");
    let said =
        env.sh("docker build -q --build-arg A --label l=x --annotation a=b -t v b1").success();
    said.stderr_has("DOCKER_BUILDKIT=0 is without effect");
    env.sh("docker run --rm v").success().stdout_is("caller\n");
    env.sh("docker image inspect v --format '{{.Config.Labels.l}}'").success().stdout_is("x\n");
    env.write("n/Dockerfile", "FROM alpine\nRUN cat /etc/hosts > /hosts; ls /sys/class/net > /net; df -k /dev/shm > /shm; ulimit -n > /n\n");
    env.sh("docker build -q --network none --add-host h:10.1.2.3 --shm-size 8m --ulimit nofile=99 -t n n").success();
    env.sh("docker run --rm n sh -c 'grep -c \"10.1.2.3.h\" /hosts; cat /net; grep -o \" 8192 \" /shm | head -1; cat /n'")
        .success()
        .stdout_is("1\nlo\n 8192 \n99\n");
    env.sh("docker rmi -f $(docker images -q)").success();
    env.assert_nothing_left();
}

#[test]
fn the_cache_is_passed_over_where_that_is_asked() {
    let env = world();
    env.write("s/Dockerfile", "FROM alpine AS one\nRUN echo 1\nFROM one AS two\nRUN echo 2\n");
    let cached = |flags: &str| {
        let said = env.sh(&format!("docker build --progress=plain {flags} s")).success().stderr();
        said.lines().filter(|line| line.ends_with("CACHED")).count()
    };
    assert_eq!(cached(""), 0);
    assert_eq!(cached(""), 2);
    assert_eq!(cached("--no-cache-filter two"), 1);
    assert_eq!(cached("--no-cache"), 0);
    assert_eq!(cached("--no-cache-filter nosuch"), 2);
    env.sh("docker rmi -f $(docker images -q)").success();
    env.assert_nothing_left();
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_wrong_is_told_before_anything_is_built() {
    let env = world();
    for (flags, words) in [
        (
            "-t BAD",
            "ERROR: failed to build: invalid tag \"BAD\": repository name must be lowercase",
        ),
        ("-t a:b:c", "ERROR: failed to build: invalid tag \"a:b:c\": invalid reference format"),
        ("--build-arg =1", "ERROR: invalid key-value pair \"=1\": empty key"),
        ("--label =x", "ERROR: invalid key-value pair \"=x\": empty key"),
        ("--add-host bad", "ERROR: failed to build: invalid host bad"),
        (
            "--network bogus",
            "ERROR: failed to build: network mode \"bogus\" not supported by buildkit",
        ),
        (
            "--secret id=x",
            "ERROR: failed to build: failed to stat x: stat x: no such file or directory",
        ),
        ("--secret src=nosuch", "ERROR: failed to build: secret missing ID"),
        ("--ssh default", "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set"),
        (
            "--ssh k=nosuch",
            "failed to convert agent config for ID: \"k\": stat nosuch: no such file",
        ),
        ("--allow bogus", "ERROR: failed to build: unknown entitlement bogus"),
        ("--build-context x", "ERROR: invalid context value: x, expected key=value"),
        ("--build-context x=nosuch", "failed to get build context x: stat nosuch: no such file"),
        (
            "--platform bogus/a/b/c",
            "\"bogus/a/b/c\": cannot parse platform specifier: invalid argument",
        ),
        ("--progress=bogus", "ERROR: invalid progress mode bogus"),
        ("-q --progress=plain", "ERROR: progress=plain and quiet cannot be used together"),
        ("--progress=tty", "ERROR: failed to get console: provided file is not a console"),
        ("-o type=local", "ERROR: failed to build: dest is required for local exporter"),
        (
            "-o type=bogus",
            "ERROR: failed to build: failed to solve: exporter \"bogus\" could not be found",
        ),
        ("-o o --iidfile i", "ERROR: local and tar exporters are incompatible with image ID file"),
        ("--push", "ERROR: failed to build: tag is needed when pushing to registry"),
        ("--cache-to type=local", "ERROR: failed to build: local cache exporter requires dest"),
        ("--cache-to type=bogus,a=b", "failed to solve: unknown cache exporter: \"bogus\""),
        (
            "--target nosuch",
            "ERROR: failed to build: failed to solve: target stage \"nosuch\" could not be found",
        ),
        // What Docker has and we have not.
        ("--platform linux/amd64,linux/arm64", "several platforms: not supported"),
        ("--sbom=true", "--sbom=true: not supported"),
        ("--provenance=mode=max", "--provenance=mode=max: not supported"),
        ("--builder other", "--builder other: not supported"),
        ("--cgroup-parent x", "--cgroup-parent: not supported"),
        ("--resource memory=64m", "--resource: not supported"),
        ("--allow security.insecure", "--allow security.insecure: not supported"),
        ("--policy filename=x", "--policy filename=x: not supported"),
    ] {
        let said = env.sh(&format!("docker build {flags} b1 < /dev/null"));
        assert_eq!(said.status(), 1, "{flags}");
        said.stdout_is("").stderr_has(words);
    }
    for (flags, words) in [
        ("--bogus", "unknown flag: --bogus"),
        (
            "--ulimit nofile=9:8",
            "ulimit soft limit must be less than or equal to hard limit: 9 > 8",
        ),
        ("--shm-size 1x", "invalid argument \"1x\" for \"--shm-size\" flag"),
    ] {
        env.sh(&format!("docker build {flags} b1")).code(125).stderr_has(words);
    }
    env.sh("docker images -q").success().stdout_has("");
    // Nothing of it is wanted, or Docker does nothing either.
    env.sh("docker build -q --provenance=false --sbom=false --attest type=sbom,disabled=true --builder default --load \
            --rm=false --force-rm --memory 64m --cpu-shares 5 --compress --security-opt x --squash b1")
        .success()
        .stderr_is(
            "WARNING: security-opt flag is deprecated. \"RUN --security=insecure\" should be used with BuildKit.\n\
             WARNING: experimental flag squash is removed with BuildKit. You should squash inside build using a \
             multi-stage Dockerfile for efficiency.\n",
        );
    env.write("b1/Dockerfile.rego", "package docker\n");
    env.sh("docker build -q b1")
        .code(1)
        .stderr_has("b1/Dockerfile.rego: not supported: policies are not applied");
    env.sh("docker build -q --policy disabled=true b1").success();
    env.sh("docker rmi -f $(docker images -q)").success();
    env.assert_nothing_left();
}

#[test]
fn an_interrupted_build_leaves_nothing() {
    let env = world();
    env.write("w/Dockerfile", "FROM alpine\nRUN echo started; sleep 1000\n");
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        // A shell without jobs starts what is behind it with SIGINT ignored.
        let said = env.sh(&format!(
            "set -m; rm -f said; docker build --progress=plain w > said 2>&1 & \
             until grep -q 'started$' said 2>/dev/null; do kill -0 $! || break; done; \
             docker ps -aq; kill -{signal} $!; wait $!; echo $?; cat said >&2"
        ));
        said.success().stdout_is(&format!("{code}\n")).stderr_has(
            "CANCELED\nERROR: failed to build: failed to solve: Canceled: context canceled\n",
        );
    }
    env.assert_nothing_left();
}
