//! What becomes of a build: files, archives, images in registries; and that it is the same everywhere.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use coracle_integration::{
    Output, TestEnv,
    registry::{Door, Registry},
    skip,
    skip::program,
};

const DOCKERFILE: &str = "FROM alpine
ENV V=1
RUN echo one > /one && chown 5:6 /one && chmod 640 /one && ln /one /two && rm /etc/motd
COPY f.txt /dir/
LABEL a=b
CMD [\"cat\", \"/dir/f.txt\"]
";

fn context(env: &TestEnv) {
    env.write("ctx/Dockerfile", DOCKERFILE);
    env.write("ctx/f.txt", "content\n");
    env.write(
        "files/Dockerfile",
        "FROM alpine AS made\nRUN mkdir /o && echo x > /o/x && ln -s x /o/l \\
        && chmod 755 /o/x && chown 5:6 /o/x\nFROM scratch\nCOPY --from=made /o /\n",
    );
}

fn build(env: &TestEnv, args: &[&str]) -> Output {
    let words = ["build", "--progress", "plain", "--network", "none"];
    env.run(words.iter().chain(args))
}

fn id(env: &TestEnv, image: &str) -> String {
    env.run(["image", "inspect", "--format", "{{.Id}}", image]).success().line()
}

fn works(env: &TestEnv, image: &str) {
    env.run(["run", "--rm", "--network", "none", image]).success().stdout_is("content\n");
    let look = "stat -c '%a %u:%g %h' /one; [ -e /etc/motd ] || echo gone";
    env.run(["run", "--rm", "--network", "none", image, "sh", "-c", look])
        .success()
        .stdout_is("640 5:6 2\ngone\n");
}

#[test]
fn an_image_is_saved_loaded_and_checked_as_it_was_built() {
    let env = TestEnv::new();
    context(&env);
    build(&env, &["-t", "made:1", "ctx"]).success();
    works(&env, "made:1");
    let made = id(&env, "made:1");
    env.run(["save", "-o", "made.tar", "made:1"]).success();
    env.run(["system", "check"]).success();
    let other = TestEnv::bare();
    let archive = env.work().join("made.tar");
    other.run(["load", "-q", "-i", &archive.display().to_string()]).success();
    assert_eq!(id(&other, "made:1"), made);
    works(&other, "made:1");
    env.run(["load", "-q", "-i", "made.tar"]).success();
    assert_eq!(id(&env, "made:1"), made);
    // A file that is not what it was is found out by whoever packs it.
    let layer =
        env.sh("docker image inspect -f '{{index .RootFS.Layers 1}}' made:1").success().line();
    let layer = layer.trim_start_matches("sha256:");
    let hurt = env.data().join("layers").join(layer).join("diff/one");
    if fs::write(&hurt, "hurt\n").is_ok() {
        env.run(["system", "check"]).code(1).stdout_has("its folder packs to");
    }
    other.assert_nothing_left();
}

#[test]
fn a_pushed_image_is_pulled_as_it_was_built() {
    if program("docker-registry").is_none() {
        skip!("docker-registry is not installed");
    }
    let env = TestEnv::new();
    context(&env);
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("team/made:1");
    build(&env, &["--push", "-t", &name, "ctx"]).success().stderr_has("pushing manifest for");
    let made = id(&env, &name);
    // All of it is there already.
    let again = env.run(["push", &name]).success().stdout_has("Layer already exists");
    assert!(!again.stdout().contains("Pushed"), "{again}");
    build(&env, &["--push", "-t", &name, "ctx"]).success();
    let again = env.run(["push", &name]).success();
    assert!(!again.stdout().contains("Pushed"), "{again}");
    let other = TestEnv::bare();
    other.run(["pull", "-q", &name]).success();
    assert_eq!(id(&other, &name), made);
    works(&other, &name);
    build(&env, &["--output", "type=image,push=true", "ctx"])
        .code(1)
        .stderr_has("tag is needed when pushing to registry");
    other.assert_nothing_left();
}

#[test]
fn files_go_to_a_folder_and_belong_to_the_caller() {
    let env = TestEnv::new();
    context(&env);
    env.write("out/kept", "kept");
    env.write("out/x", "old");
    build(&env, &["-o", "out", "files"]).success().stderr_has("exporting to client directory");
    let meta = fs::metadata(env.work().join("out/x")).expect("a file");
    assert_eq!((meta.permissions().mode() & 0o777, meta.len()), (0o755, 2));
    assert_eq!(meta.uid(), fs::metadata(env.work()).expect("our folder").uid());
    let link = fs::read_link(env.work().join("out/l")).expect("a link");
    assert_eq!(link.to_str(), Some("x"));
    assert!(env.work().join("out/kept").exists());
    env.sh("docker build --progress plain --network none -o - files 2> /dev/null | tar tvf - | sort -k6")
        .success()
        .stdout_has("5/6");
    build(&env, &["--output", "type=tar,dest=o.tar", "files"]).success();
    env.sh("tar tf o.tar | sort").success().stdout_is("l\nx\n");
    build(&env, &["--output", "type=tar,dest=nosuch/o.tar", "files"])
        .code(1)
        .stderr_has("failed to open open ")
        .stderr_has("/nosuch/o.tar: no such file or directory");
    let nothing = build(&env, &["--output", "type=cacheonly", "files"]).success();
    assert!(!nothing.stderr().contains("exporting"), "{nothing}");
    assert_eq!(env.sh("docker images -q | sort -u | wc -l").success().line(), "2");
    env.assert_nothing_left();
}

#[test]
fn archives_of_images_are_loaded() {
    let env = TestEnv::new();
    context(&env);
    build(&env, &["-t", "made:1", "ctx"]).success();
    let made = id(&env, "made:1");
    build(&env, &["--output", "type=docker,dest=d.tar", "-t", "made:d", "ctx"]).success();
    build(&env, &["--output", "type=oci,dest=o.tar", "-t", "made:o", "ctx"]).success();
    build(&env, &["--output", "type=oci,dest=layout,tar=false", "-t", "made:l", "ctx"]).success();
    let other = TestEnv::bare();
    for (place, name) in [("d.tar", "made:d"), ("o.tar", "made:o"), ("layout", "made:l")] {
        let place = env.work().join(place);
        other
            .sh(&format!(
                "tar cf - -C {0} . 2> /dev/null | docker load -q || docker load -q -i {0}",
                place.display()
            ))
            .success();
        assert_eq!(id(&other, name), made, "{name}");
        works(&other, name);
    }
    other.assert_nothing_left();
}

#[test]
fn two_machines_make_the_same_with_one_time() {
    let digests: Vec<String> = (0..2)
        .map(|_| {
            let env = TestEnv::new();
            context(&env);
            let time = ["--build-arg", "SOURCE_DATE_EPOCH=1000000000"];
            let output = ["--output", "type=oci,dest=o.tar,rewrite-timestamp=true", "ctx"];
            build(&env, &[&time[..], &output[..]].concat()).success();
            build(&env, &[&time[..], &["-o", "out", "files"]].concat()).success();
            let file = fs::symlink_metadata(env.work().join("out/x")).expect("a file");
            assert_eq!(file.mtime(), 1_000_000_000);
            let digest = env.sh("sha256sum < o.tar").success().line();
            env.assert_nothing_left();
            digest
        })
        .collect();
    assert_eq!(digests[0], digests[1]);
}

/// The signal for a file that grows too large ends it in the middle of writing.
#[test]
fn a_full_disk_leaves_nothing_half_done() {
    let env = TestEnv::new();
    context(&env);
    let words = "build --progress plain --network none --output type=oci,dest=o.tar ctx";
    env.sh(&format!("(ulimit -f 64; docker {words}) 2>&1; [ $? -ne 0 ] || echo built"))
        .success()
        .stdout_has("exporting to oci image format")
        .stdout_has("ERROR: failed to build");
    env.sh(&format!("docker {words}")).success();
    env.sh("tar tf o.tar").success().stdout_has("oci-layout");
    env.run(["system", "check"]).success();
    env.assert_nothing_left();
}
