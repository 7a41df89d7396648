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
