//! Bind mounts, volumes and tmpfs.

use coracle_integration::{TestEnv, recorded};

recorded! {
    "volumes.md":
    bind_mounts = "Bind mounts",
    mount_flag = "--mount",
    tmpfs = "tmpfs",
    named_volumes_and_copy_up = "Named volumes and copy-up",
    anonymous_volumes = "Anonymous volumes",
    volume_create_inspect_ls = "volume create, inspect, ls",
    volumes_in_use_and_prune = "Volumes in use and prune",
}

#[test]
fn a_working_directory_may_be_in_a_volume() {
    let env = TestEnv::new();
    let run = "docker run --rm --network none -v vol:/v";
    env.sh(&format!("{run} -u 1000 -w /v/a/b alpine sh -c 'pwd; stat -c %u .'"))
        .success()
        .stdout_is("/v/a/b\n0\n");
    env.sh("docker run -d --network none --name c1 -v vol:/v alpine sleep 1000").success();
    env.sh("docker exec -w /v/a/b c1 pwd").success().stdout_is("/v/a/b\n");
    env.sh("docker exec -w /v/c c1 pwd").code(127).stdout_has("no such file or directory");
    env.sh("docker run --rm --network none -v vol:/v:ro -w /v/c alpine pwd")
        .code(125)
        .stderr_has("cannot make the working directory: Read-only file system");
    env.sh("docker rm -f c1 && docker volume rm vol").success();
    env.assert_nothing_left();
}

#[test]
fn a_part_of_a_volume_is_what_it_is_at_each_start() {
    let env = TestEnv::new();
    let with_volume = "docker run --rm --network none -v vol:/v alpine sh -c";
    env.sh(&format!("{with_volume} 'mkdir -p /v/sub/deep; echo one > /v/sub/deep/file'")).success();
    let (dir, file) = ("volume-subpath=sub/deep", "volume-subpath=sub/deep/file");
    env.sh(&format!(
        "docker run -d --network none --name c1 --mount type=volume,src=vol,dst=/m,{dir} \
         --mount type=volume,src=vol,dst=/one,{file},readonly alpine sleep 1000"
    ))
    .success();
    let look = "docker exec c1 sh -c 'cat /m/file /one; echo no >> /one' 2> /dev/null";
    env.sh(look).code(1).stdout_is("one\none\n");
    env.sh("docker exec c1 sh -c 'echo two > /m/new; ls /m'").success().stdout_is("file\nnew\n");
    env.sh(&format!(
        "{with_volume} 'mv /v/sub/deep /v/old; mkdir /v/sub/deep; echo two > /v/sub/deep/file'"
    ))
    .success();
    // What is mounted stays what it was; the next start looks again.
    env.sh(look).code(1).stdout_is("one\none\n");
    env.sh("docker restart -t 0 c1").success();
    env.sh(look).code(1).stdout_is("two\ntwo\n");
    env.sh("docker cp c1:/m/file - | tar -x -O").success().stdout_is("two\n");
    env.sh("docker rm -f c1 && docker volume rm vol").success();
    env.assert_nothing_left();
}

/// An image of two layers: the upper one removes a file of alpine's, and has a folder.
fn make_files_image(env: &TestEnv) {
    env.sh("docker run --network none --name made alpine sh -c \
         'rm /etc/alpine-release; mkdir /d; echo one > /d/file; ln -s /etc /d/out'")
        .success();
    env.sh("docker commit made files:1 && docker rm made").success();
}

#[test]
fn the_files_of_an_image_are_mounted_read_only() {
    let env = TestEnv::new();
    make_files_image(&env);
    let run = "docker run --rm --network none --mount type=image";
    // The upper layer shows, what it removed does not, and nothing can be written, asked or not.
    env.sh(&format!(
        "{run},source=files:1,target=/x,readonly=false alpine sh -c \
         'cat /x/d/file; ls /x/bin/sh; ls /x/etc/alpine-release; echo no > /x/d/file; rm /x/bin/sh'"
    ))
    .code(1)
    .stdout_is("one\n/x/bin/sh\n")
    .stderr_has("ls: /x/etc/alpine-release: No such file or directory")
    .stderr_has("can't create /x/d/file: Read-only file system")
    .stderr_has("rm: can't remove '/x/bin/sh': Read-only file system");
    // Two of one image, one of a single layer; a part that is a file.
    env.sh(&format!(
        "{run},src=alpine,dst=/a --mount type=image,src=alpine,dst=/b,image-subpath=bin,ro \
         --mount type=image,src=files:1,dst=/f,image-subpath=d/file \
         alpine sh -c 'ls /a/bin/sh /b/sh; cat /f; touch /a/x /b/x'"
    ))
    .code(1)
    .stdout_is("/a/bin/sh\n/b/sh\none\n")
    .stderr_has("touch: /a/x: Read-only file system")
    .stderr_has("touch: /b/x: Read-only file system");
    // Where the root is a copy, so is the image, and it is as unwritable.
    env.sh(&format!(
        "docker --storage copy {} alpine sh -c 'cat /x/d/file; ls /x/etc/alpine-release; touch /x/y'",
        run.trim_start_matches("docker ").to_owned() + ",src=files:1,dst=/x"
    ))
    .code(1)
    .stdout_is("one\n")
    .stderr_has("touch: /x/y: Read-only file system");
    env.run(["rmi", "files:1"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_mounted_image_is_in_use_and_the_same_after_a_restart() {
    let env = TestEnv::new();
    make_files_image(&env);
    env.sh("docker run -d --network none --name c1 \
         --mount type=image,src=files:1,dst=/x,image-subpath=d alpine sleep 1000")
        .success();
    env.sh("docker inspect c1 -f '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}} {{.Propagation}}{{end}} {{(index .HostConfig.Mounts 0).ImageOptions.Subpath}}'")
        .success()
        .stdout_is("image files:1 /x false rprivate d\n");
    env.run(["exec", "c1", "cat", "/x/file"]).success().stdout_is("one\n");
    env.sh("docker cp c1:/x/file - | tar -x -O").success().stdout_is("one\n");
    env.run(["rmi", "files:1"])
        .code(1)
        .stderr_has("unable to delete files:1 (must be forced) - container ")
        .stderr_has(" is using its referenced image ");
    env.sh("docker restart -t 0 c1").success();
    env.run(["exec", "c1", "cat", "/x/file"]).success().stdout_is("one\n");
    env.sh("docker stop -t 0 c1").success();
    env.run(["image", "prune", "-af"]).success();
    // A copy from a container that does not run mounts the image itself.
    env.sh("docker cp c1:/x/file - | tar -x -O").success().stdout_is("one\n");
    env.sh("docker run --rm --network none --volumes-from c1 alpine cat /x/file")
        .success()
        .stdout_is("one\n");
    // By force its names go; its layers stay as long as they are needed.
    env.sh("docker rmi -f files:1 && docker start c1").success();
    env.run(["exec", "c1", "cat", "/x/file"]).success().stdout_is("one\n");
    env.run(["diff", "c1"]).success().stdout_is("A /x\n");
    env.sh("docker rm -f c1").success();
    env.assert_nothing_left();
}

#[test]
fn what_cannot_be_mounted_of_an_image_is_told() {
    let env = TestEnv::new();
    make_files_image(&env);
    let run = |mount: &str| {
        env.sh(&format!("docker run --rm --network none --mount type=image,{mount} alpine true"))
    };
    let missing = "docker: Error response from daemon: No such image: absent:latest";
    run("src=absent,dst=/x").code(125).stderr_has(missing);
    run("dst=/x")
        .code(125)
        .stderr_has("invalid mount config for type \"image\": field Source must not be empty");
    run("src=files:1")
        .code(125)
        .stderr_has("invalid mount config for type \"image\": field Target must not be empty");
    run("src=files:1,dst=/x,image-subpath=../etc").code(125).stderr_has(
        "invalid mount config for type \"image\": subpath must be a relative path within the volume",
    );
    run("src=files:1,dst=/x,image-subpath=absent").code(127).stderr_has("cannot access path ");
    // A link of the image does not lead to the host.
    run("src=files:1,dst=/x,image-subpath=d/out").code(125).stderr_has("cannot access path ");
    run("src=files:1,dst=/x,tmpfs-size=1m")
        .code(125)
        .stderr_has("cannot mix 'tmpfs-*' options with mount type 'image'");
    env.run(["ps", "-aq"]).success().stdout_is("");
    env.run(["rmi", "files:1"]).success();
    env.assert_nothing_left();
}

#[test]
fn the_same_volume_option_twice_is_one_and_others_at_one_place_conflict() {
    let env = TestEnv::new();
    env.write("a/f", "x");
    let work = env.work();
    let bind = format!("{}/a:/m", work.display());
    env.run([
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        &bind,
        "-v",
        &bind,
        "alpine",
        "cat",
        "/m/f",
    ])
    .success()
    .stdout_is("x");
    env.sh("docker run --rm --network none -v ./a:/m -v ./a:/m -v nn:/n -v nn:/n -v /o -v /o alpine cat /m/f")
        .success()
        .stdout_is("x");
    let mount = format!("type=bind,src={}/a,dst=/m", work.display());
    for (flags, place) in [
        (format!("-v {bind} -v {bind}:ro"), "/m"),
        (format!("-v {bind} -v ./a:/m"), "/m"),
        (format!("-v {bind} --mount {mount}"), "/m"),
        (format!("--mount {mount}/ -v {bind}"), "/m/"),
        (format!("--mount {mount} --mount {mount}"), "/m"),
        (format!("-v nn:/m -v {bind}/"), "/m"),
        (format!("--tmpfs /m -v {bind}"), "/m"),
    ] {
        env.sh(&format!("docker run --rm --network none {flags} alpine true"))
            .code(125)
            .stderr_has(&format!(
                "docker: Error response from daemon: Duplicate mount point: {place}\n"
            ));
    }
    // A place alone gives way to what is mounted there.
    env.sh(&format!("docker run --rm --network none -v /m --mount {mount} alpine cat /m/f"))
        .success()
        .stdout_is("x");
    env.run(["volume", "rm", "nn"]).success();
    env.assert_nothing_left();
}

#[test]
fn an_anonymous_volume_goes_with_its_last_user() {
    let env = TestEnv::new();
    let volumes = || env.sh("docker volume ls -q").success().lines().len();
    env.sh("docker run --name aa --network none -v /m -v kept:/k alpine touch /m/x").success();
    env.sh("docker run --name bb --network none --volumes-from aa alpine ls /m")
        .success()
        .stdout_is("x\n");
    env.run(["run", "--rm", "--network", "none", "--volumes-from", "bb:ro", "alpine", "true"])
        .success();
    env.run(["rm", "-v", "aa"]).success();
    assert_eq!(volumes(), 2, "the other has both");
    env.sh("docker run --rm --network none --volumes-from bb alpine ls /m")
        .success()
        .stdout_is("x\n");
    env.run(["rm", "-v", "bb"]).success();
    env.sh("docker volume ls -q").success().stdout_is("kept\n");
    env.run(["volume", "rm", "kept"]).success();
    env.assert_nothing_left();
}
