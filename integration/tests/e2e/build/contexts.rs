//! Contexts of `build`, and where its Dockerfile is.

use coracle_integration::web::WebServer;
use coracle_integration::{TestEnv, skip};

fn world() -> TestEnv {
    let env = TestEnv::new();
    env.sh("mkdir -p c/sub empty").success();
    env.write(
        "c/Dockerfile",
        "FROM alpine\nCOPY . /c/\nCMD [\"find\", \"/c\", \"-type\", \"f\"]\n",
    );
    env.write("c/other", "FROM alpine\nCOPY f /\nLABEL which=other\n");
    env.write("c/f", "f\n");
    env.write("c/sub/g", "g\n");
    env.write("c/.dockerignore", "Dockerfile\nother\n.dockerignore\n");
    env
}

#[test]
fn a_folder_an_archive_and_a_dockerfile_alone() {
    let env = world();
    let id = |line: &str| env.sh(line).success().line();
    let folder = id("docker build -q -t t c");
    env.sh("docker run --rm t | sort").success().stdout_is("/c/f\n/c/sub/g\n");
    // An ignore file counts in folders alone.
    let archive = id("tar -C c -c . | docker build -q -t a -");
    env.sh("docker run --rm a | sort")
        .success()
        .stdout_is("/c/.dockerignore\n/c/Dockerfile\n/c/f\n/c/other\n/c/sub/g\n");
    for pack in ["cz", "cj", "cJ"] {
        assert_eq!(id(&format!("tar -C c -{pack} . | docker build -q -")), archive, "{pack}");
    }
    assert_eq!(id("docker build -q -f - c < c/Dockerfile"), folder);
    assert_eq!(id("cd c/sub && docker build -q -f ../Dockerfile .."), folder);
    let other = id("docker build -q -f c/other c");
    assert_eq!(id("tar -C c -c . | docker build -q -f other -"), other);
    assert_ne!(other, folder);
    // Alone, there is nothing to copy.
    let alone = id("printf 'FROM alpine\\nCOPY . /c\\nCOPY x* /c\\n' | docker build -q -t t -");
    env.sh("docker run --rm t find /c -type f").success().stdout_is("");
    assert_ne!(alone, folder);
    env.sh("printf 'FROM alpine\\nCOPY x /\\n' | docker build -q -")
        .code(1)
        .stderr_has("\"/x\": not found");
    // What was unpacked is gone.
    env.sh("ls \"$XDG_DATA_HOME\"/coracle/builder/contexts | wc -l").success().stdout_is("0\n");
    env.sh("docker rmi -f $(docker images -q)").success();
    env.assert_nothing_left();
}

#[test]
fn further_contexts_from_elsewhere() {
    let env = world();
    env.write("m/Dockerfile", "FROM bb\nCOPY --from=data . /d/\nRUN find /d -type f | sort > /o\n");
    let built = |context: &str| {
        let context = format!("data={context}");
        env.run(["build", "-q", "-t", "t", "--build-context", &context, "m"]).success();
        env.run(["run", "--rm", "--network", "none", "t", "cat", "/o"]).success().stdout()
    };
    // A folder has its own ignore file; what comes as a whole has none that counts.
    assert_eq!(built("c"), "/d/f\n/d/sub/g\n");
    let all = "/d/.dockerignore\n/d/Dockerfile\n/d/f\n/d/other\n/d/sub/g\n";
    env.sh("tar -C c -cf c.tar .").success();
    let web = WebServer::start(&env.work());
    assert_eq!(built(&format!("http://{}/c.tar", web.address())), all);
    if skip::program("git").is_some() {
        env.sh("cd c && git init -q && git add -A && \
             git -c user.name=a -c user.email=a@h commit -qm one && git update-server-info")
            .success();
        assert_eq!(built(&format!("http://{}/c/.git", web.address())), all);
    }
    env.assert_nothing_left();
}

#[test]
fn further_contexts_and_images() {
    let env = world();
    env.write(
        "m/Dockerfile",
        "FROM base\nCOPY --from=data /sub/g /g\nCOPY --from=alpine /f /h\nRUN cat /g /h > /both\nCMD [\"cat\", \"/both\"]\n",
    );
    env.sh(
        "docker build -q -t t --build-context base=docker-image://alpine --build-context data=c \
         --build-context alpine=c m",
    )
    .success();
    env.sh("docker run --rm t").success().stdout_is("g\nf\n");
    // An image that this program is itself.
    env.sh("printf 'FROM coracle.local/hello\\nLABEL a=b\\n' | docker build -q -t hello -; docker run --rm hello | head -1")
        .success()
        .stdout_has("ello");
    env.sh("docker rmi -f $(docker images -q)").success();
    env.assert_nothing_left();
}

#[test]
fn further_contexts_have_ignore_files() {
    let env = TestEnv::new();
    env.sh("mkdir -p m d/sub && touch d/seen d/unseen1 d/sub/kept d/sub/gone d/f.dockerignore")
        .success();
    env.write("d/.dockerignore", "unseen*\nsub\n!sub/kept\n");
    env.write(
        "m/Dockerfile",
        "FROM alpine\nCOPY --from=data . /d\nRUN find /d -type f | sort > /o\n",
    );
    let build = "docker build --progress=plain -t t --build-context data=d m";
    let said = env.sh(build).success();
    said.stderr_has("[context data] load .dockerignore\n#3 transferring data: 22B done\n")
        .stderr_has("[context data] load from client\n")
        .stderr_has(" transferring data: ");
    env.run(["run", "--rm", "t", "cat", "/o"])
        .success()
        .stdout_is("/d/.dockerignore\n/d/f.dockerignore\n/d/seen\n/d/sub/kept\n");
    // What is left out does not count, and the ignore file does.
    env.sh(&format!("echo other > d/unseen1; {build} 2>&1 | grep -c CACHED"))
        .success()
        .stdout_is("2\n");
    env.sh(&format!("rm d/.dockerignore; {build} 2>&1 | grep CACHED")).code(1);
    env.run(["run", "--rm", "t", "cat", "/o"])
        .success()
        .stdout_is("/d/f.dockerignore\n/d/seen\n/d/sub/gone\n/d/sub/kept\n/d/unseen1\n");
    env.sh("docker rmi -f $(docker images -q)").success();
    env.assert_nothing_left();
}

#[test]
fn contexts_and_dockerfiles_that_are_not_there() {
    let env = world();
    let begun = |name: &str, words: &str| {
        format!(
            "#0 building with \"default\" instance using coracle driver\n\n\
             #1 [internal] load build definition from {name}\n#1 transferring dockerfile: 2B done\n#1 DONE 0.0s\n\
             ERROR: failed to build: failed to solve: failed to read dockerfile: {words}\n"
        )
    };
    let absent = "open Dockerfile: no such file or directory";
    let plain =
        |args: &str| env.sh(&format!("docker build --progress=plain {args} < /dev/null")).code(1);
    plain("empty").stdout_is("").stderr_is(&begun("Dockerfile", absent));
    plain("-f nosuch c").stderr_is(&begun("nosuch", "open nosuch: no such file or directory"));
    plain("-f Dockerfile c").stderr_is(&begun("Dockerfile", absent));
    plain("nosuch").stderr_is(
        "ERROR: failed to build: unable to prepare context: path \"nosuch\" not found\n",
    );
    plain("c/Dockerfile").stderr_is(
        "ERROR: failed to build: unable to prepare context: path \"c/Dockerfile\" not found\n",
    );
    plain("-").stderr_has("ERROR: failed to build: failed to solve: failed to read dockerfile: no local sources enabled");
    plain("-f - -").stderr_is(
        "ERROR: failed to build: invalid argument: can't use stdin for both build context and dockerfile\n",
    );
    env.sh("docker build -f c/other - < c/Dockerfile").code(1).stderr_is(
        "ERROR: failed to build: ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles\n",
    );
    env.sh("docker build").code(1).stderr_has("'docker build' requires 1 argument");
    env.sh("ln -s ../c/other empty/Dockerfile; docker build empty").code(1).stderr_has(absent);
    env.assert_nothing_left();
}

#[test]
fn an_address_that_nobody_answers_at() {
    let env = world();
    for (address, what) in [
        ("git://127.0.0.1:1/r.git", "failed to read dockerfile: "),
        ("http://127.0.0.1:1/x", "failed to read downloaded context: "),
    ] {
        let words = format!("ERROR: failed to build: failed to solve: {what}");
        env.sh(&format!("docker build {address}")).code(1).stdout_is("").stderr_has(&words);
    }
    env.assert_nothing_left();
}
