//! Attacks from an image, from inside a container, and through `cp`: none leaves its root.

use std::fs;

use coracle_integration::{
    TestEnv,
    fixture::{Image, Layer, alpine_like, save},
};
use serde_json::json;
use tar::EntryType;

/// Loads an image whose upper layer is `evil` on top of the usual root.
fn load_with(env: &TestEnv, evil: Layer) -> coracle_integration::Output {
    let mut image = alpine_like();
    image.names = vec!["evil:latest".into()];
    image.layers.push(evil.finish());
    let path = env.write("evil.tar", save(&[image]));
    env.run(["load", "-i", &path.display().to_string()])
}

/// The file that every attack tries to write or read.
fn victim(env: &TestEnv) -> std::path::PathBuf {
    env.write("victim", "untouched")
}

#[track_caller]
fn assert_untouched(env: &TestEnv) {
    assert_eq!(fs::read_to_string(env.work().join("victim")).expect("still there"), "untouched");
    let left: Vec<_> = fs::read_dir(env.root())
        .expect("our folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().contains("pwned")),
        "written outside: {left:?}"
    );
}

#[test]
fn layer_entries_with_dots_stay_inside_or_are_refused() {
    let env = TestEnv::new();
    victim(&env);
    for name in [
        "../pwned",
        "../../../../../../../../tmp/coracle-pwned",
        "/../pwned",
        "a/../../pwned",
        "./../pwned",
    ] {
        let mut layer = Layer::new();
        layer.file(name, 0o644, "x");
        let output = load_with(&env, layer);
        if output.status() != 0 {
            assert!(output.stderr().contains("pwned"), "the entry is not named:\n{output}");
        }
        assert_untouched(&env);
        assert!(!std::path::Path::new("/tmp/coracle-pwned").exists());
    }
}

#[test]
fn layer_entries_through_a_symlink_stay_inside() {
    let env = TestEnv::new();
    let victim = victim(&env);
    let outside = env.work().display().to_string();
    let mut layer = Layer::new();
    layer
        .symlink("way", &outside)
        .file("way/victim", 0o644, "x")
        .symlink("etc/up", "../../../../..");
    layer.file("etc/up/pwned", 0o644, "x");
    // Refused or unpacked inside: both are right. Outside is not.
    let output = load_with(&env, layer);
    assert!([0, 1].contains(&output.status()), "{output}");
    assert_untouched(&env);

    let mut layer = Layer::new();
    layer.hardlink("stolen", &victim.display().to_string());
    let output = load_with(&env, layer);
    if output.status() == 0 {
        let read = env.run(["run", "--rm", "--network", "none", "evil", "cat", "/stolen"]);
        assert_ne!(read.stdout(), "untouched", "a hard link reached a file of the host");
    } else {
        assert!(output.stderr().contains("stolen"), "the entry is not named:\n{output}");
    }
    assert_untouched(&env);
}

#[test]
fn whiteouts_cannot_remove_outside() {
    let env = TestEnv::new();
    victim(&env);
    for name in ["../work/.wh.victim", ".wh...", ".wh..", "etc/.wh..wh..wh..opq"] {
        let mut layer = Layer::new();
        layer.file(name, 0o644, "");
        let output = load_with(&env, layer);
        assert!([0, 1].contains(&output.status()), "{name}: {output}");
        assert_untouched(&env);
    }
    let mut layer = Layer::new();
    layer.symlink("way", &env.work().display().to_string()).file("way/.wh.victim", 0o644, "");
    let output = load_with(&env, layer);
    assert!([0, 1].contains(&output.status()), "{output}");
    assert_untouched(&env);
}

#[test]
fn a_layer_that_lies_about_its_digest_is_refused() {
    let env = TestEnv::bare();
    let image = Image {
        names: vec!["lie:1".into()],
        config: json!({"Cmd": ["x"]}),
        layers: vec![Layer::new().finish()],
    };
    let mut bytes = save(&[image]);
    // The layer is 1024 bytes of zeros under a digest; one bit of it is turned.
    let header = bytes.windows(12).position(|window| window == b"blobs/sha256").expect("a blob");
    bytes[header + 512] ^= 1;
    let path = env.write("lie.tar", bytes);
    let output = env.run(["load", "-i", &path.display().to_string()]).code(1);
    assert!(!output.stderr().is_empty());
    env.run(["images", "-q"]).success().stdout_is("");
}

#[test]
fn devices_in_a_layer_are_not_made() {
    let env = TestEnv::new();
    let mut layer = Layer::new();
    layer.entry(EntryType::Block, "disk", 0o666, "", b"").file("after", 0o644, "x");
    load_with(&env, layer).success();
    env.run([
        "run",
        "--rm",
        "--network",
        "none",
        "evil",
        "sh",
        "-c",
        "test -b /disk || echo none; cat /after",
    ])
    .success()
    .stdout_is("none\nx");
}

#[test]
fn ids_at_the_edge_are_refused_or_mapped_never_the_hosts() {
    let env = TestEnv::new();
    for user in ["4294967295", "4294967296", "4294967294", "99999999999", "0:4294967296", "-1"] {
        let output = env
            .run(["run", "--rm", "--network", "none", "-u", user, "alpine", "id", "-u"])
            .code(125);
        assert!(
            output.stderr().contains("uids and gids must be in range 0-2147483647"),
            "user {user} is refused for another reason:\n{output}"
        );
    }
    let mut layer = Layer::new();
    layer.owner(4_294_967_296, 4_294_967_296).file("owned", 0o600, "x");
    let output = load_with(&env, layer);
    if output.status() == 0 {
        let owner = env
            .run(["run", "--rm", "--network", "none", "evil", "stat", "-c", "%u", "/owned"])
            .success();
        assert_ne!(owner.stdout(), "0\n", "an id of 2^32 became root");
    } else {
        assert!(output.stderr().contains("owned"), "the entry is not named:\n{output}");
    }
}

#[test]
fn a_working_directory_in_proc_self_fd_gives_no_way_out() {
    let env = TestEnv::new();
    victim(&env);
    for number in 3..16 {
        let dir = format!("/proc/self/fd/{number}");
        let output = env.run([
            "run",
            "--rm",
            "--network",
            "none",
            "-w",
            &dir,
            "alpine",
            "sh",
            "-c",
            "ls ../../../../../.. ; pwd -P",
        ]);
        let seen = output.stdout();
        assert!(
            !seen.contains("work") && !seen.contains("vmlinuz"),
            "-w {dir} shows the host:\n{output}"
        );
    }
    env.run(["run", "-d", "--network", "none", "--name", "c1", "alpine", "sleep", "1000"])
        .success();
    for number in 3..16 {
        let dir = format!("/proc/self/fd/{number}");
        let output = env.run(["exec", "-w", &dir, "c1", "ls", "../../../../.."]);
        assert!(!output.stdout().contains("work"), "exec -w {dir} shows the host:\n{output}");
    }
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn our_binary_cannot_be_overwritten_from_inside() {
    let env = TestEnv::new();
    let binary = &coracle_integration::settings::settings().binary;
    let before = fs::read(binary).expect("our binary");
    // The classic: a container whose entry point is /proc/self/exe, and a process that writes to /proc/1/exe.
    let script = "for p in /proc/[0-9]*; do (echo pwned > $p/exe) 2>/dev/null; (exec 9>>$p/exe) 2>/dev/null && echo OPEN $p; done; true";
    let output = env
        .run(["run", "--rm", "--network", "none", "--init", "alpine", "sh", "-c", script])
        .success();
    assert!(!output.stdout().contains("OPEN"), "{output}");
    env.run([
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "c1",
        "alpine",
        "sh",
        "-c",
        "while :; do for p in /proc/[0-9]*; do (echo pwned > $p/exe) 2>/dev/null; done; done",
    ])
    .success();
    for _ in 0..10 {
        env.run(["exec", "c1", "/proc/self/exe"]).status();
        env.run(["exec", "c1", "true"]).success();
    }
    env.run(["rm", "-f", "c1"]).success();
    assert_eq!(before, fs::read(binary).expect("our binary"), "the binary was changed");
    env.assert_nothing_left();
}

#[test]
fn a_mount_target_that_is_a_symlink_stays_inside() {
    let env = TestEnv::new();
    victim(&env);
    let source = env.write("src/file", "from the volume");
    let source = source.parent().expect("a folder").display().to_string();
    let mut layer = Layer::new();
    layer.symlink("out", &env.work().display().to_string()).symlink("up", "../../../../../../..");
    load_with(&env, layer).success();
    for target in ["/out", "/out/deeper", "/up/pwned", "/proc/self/cwd"] {
        let volume = format!("{source}:{target}");
        let output = env.run(["run", "--rm", "--network", "none", "-v", &volume, "evil", "true"]);
        assert!([0, 125, 126, 127].contains(&output.status()), "{target}: {output}");
        assert_untouched(&env);
        assert!(!env.work().join("deeper").exists(), "{target} was made on the host");
    }
}

#[test]
fn a_masked_path_that_is_a_symlink_does_not_unmask() {
    let env = TestEnv::new();
    let mut layer = Layer::new();
    layer.symlink("proc", "/tmp").symlink("sys", "/tmp");
    let output = load_with(&env, layer);
    if output.status() == 0 {
        let run = env.run([
            "run",
            "--rm",
            "--network",
            "none",
            "evil",
            "sh",
            "-c",
            "cat /proc/keys | wc -c",
        ]);
        assert!(
            run.status() != 0 || run.stdout().trim() == "0",
            "a symlink for /proc lifts the masks:\n{run}"
        );
    }
}

#[test]
fn cp_does_not_follow_links_out_of_the_container() {
    let env = TestEnv::new();
    victim(&env);
    let outside = env.work().display().to_string();
    let script =
        format!("ln -s {outside} /tmp/way; ln -s {outside}/victim /tmp/file; exec sleep 1000");
    env.run(["run", "-d", "--network", "none", "--name", "c1", "alpine", "sh", "-c", &script])
        .success();
    env.write("new", "pwned");
    env.sh("eventually 'docker exec c1 test -L /tmp/file'").success();
    for target in ["c1:/tmp/way/victim", "c1:/tmp/file", "c1:/tmp/way/"] {
        let output = env.run(["cp", "new", target]);
        assert!([0, 1].contains(&output.status()), "{output}");
        assert_untouched(&env);
    }
    let output = env.run(["cp", "-L", "c1:/tmp/file", "stolen"]);
    let stolen = fs::read_to_string(env.work().join("stolen")).unwrap_or_default();
    assert_ne!(stolen, "untouched", "cp -L read a file of the host:\n{output}");
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn cp_out_of_a_racing_container_writes_below_its_target() {
    let env = TestEnv::new();
    victim(&env);
    let outside = env.work().display().to_string();
    let script = format!(
        "mkdir -p /d/s; echo x > /d/s/victim; while :; do rm -rf /d/s; ln -s {outside} /d/s; rm /d/s; mkdir /d/s; echo x > /d/s/victim; done"
    );
    env.run(["run", "-d", "--network", "none", "--name", "c1", "alpine", "sh", "-c", &script])
        .success();
    for turn in 0..10 {
        let target = format!("out{turn}");
        env.run(["cp", "c1:/d", &target]).status();
        env.write("new", "pwned");
        env.run(["cp", "new", "c1:/d/s/victim"]).status();
        assert_untouched(&env);
    }
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn places_where_we_write_may_be_links_and_nothing_leaves_the_root() {
    let env = TestEnv::new();
    let victim = victim(&env).display().to_string();
    let outside = env.work().display().to_string();
    let absent = env.work().join("pwned").display().to_string();
    for leads_to in [&victim, &absent, &"../../../../../../..".to_owned(), &outside] {
        let mut layer = Layer::new();
        for name in [
            ".dockerenv",
            "etc/hosts",
            "etc/hostname",
            "etc/resolv.conf",
            "etc/mtab",
            "sbin",
            "data",
            "dev",
        ] {
            layer.symlink(name, leads_to);
        }
        load_with(&env, layer).success();
        for flags in
            ["", "--init", "-w /data/new/er", "-v vol:/data", "-v vol:/data/deep --tmpfs /data/tmp"]
        {
            let run = format!(
                "docker run --rm --network none {flags} evil sh -c 'cat /etc/hosts /etc/hostname; echo pwned >> /etc/hosts'"
            );
            let output = env.sh(&run);
            assert!([0, 1, 125, 126, 127].contains(&output.status()), "{output}");
            assert!(
                !output.stdout().contains("untouched"),
                "a file of the host is read:\n{output}"
            );
            assert_untouched(&env);
            let made: Vec<_> = ["pwned", "new", "deep", "tmp", "docker-init"]
                .into_iter()
                .filter(|name| env.work().join(name).exists())
                .collect();
            assert!(made.is_empty(), "{made:?} made on the host by\n{output}");
        }
        // What a new volume was filled with came from inside.
        env.sh(
            "docker run --rm --network none -v vol:/v alpine sh -c 'cat /v/victim /v/deep/victim'",
        )
        .code(1)
        .stdout_is("");
        env.sh("docker volume rm vol").success();
    }
    env.assert_nothing_left();
}

#[test]
fn accounts_of_the_host_are_not_looked_up_and_a_pipe_does_not_hang() {
    let env = TestEnv::new();
    let passwd = env.write("passwd", "spy:x:77:77::/:/bin/sh\n").display().to_string();
    let mut layer = Layer::new();
    layer.symlink("etc/passwd", &passwd).symlink("etc/group", &passwd);
    load_with(&env, layer).success();
    env.sh("docker run --rm --network none -u spy evil id").code(125).stderr_has("spy");
    let mut layer = Layer::new();
    layer.entry(EntryType::Fifo, "etc/passwd", 0o644, "", b"").entry(
        EntryType::Fifo,
        "etc/group",
        0o644,
        "",
        b"",
    );
    layer.entry(EntryType::Fifo, ".dockerenv", 0o644, "", b"").entry(
        EntryType::Fifo,
        "etc/hosts",
        0o644,
        "",
        b"",
    );
    load_with(&env, layer).success();
    env.sh("docker run --rm --network none -u spy evil id").code(125).stderr_has("spy");
    env.sh("docker run --rm --network none -u 5:6 evil sh -c 'echo ran'")
        .success()
        .stdout_is("ran\n");
    env.assert_nothing_left();
}
