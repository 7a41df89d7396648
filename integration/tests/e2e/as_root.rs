//! Root runs containers too, in the same way. `scripts/test` runs these when it is started as root.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use coracle_integration::{
    TestEnv, fixture,
    registry::{Door, Registry},
};

#[test]
fn root_runs_stops_and_removes_containers() {
    let env = TestEnv::new();
    env.run(["run", "--rm", "--network", "none", "alpine", "echo", "hello"])
        .success()
        .stdout_is("hello\n");
    env.run([
        "run",
        "-d",
        "--network",
        "none",
        "--name",
        "web",
        "-v",
        "data:/data",
        "alpine",
        "sleep",
        "1000",
    ])
    .success();
    env.run(["exec", "web", "sh", "-c", "echo x > /data/f; id -u"]).success().stdout_is("0\n");
    env.run(["stop", "-t", "0", "web"]).success();
    env.run(["start", "web"]).success();
    env.run(["exec", "web", "cat", "/data/f"]).success().stdout_is("x\n");
    env.run(["rm", "-f", "web"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_container_of_root_has_no_more_than_dockers_rights() {
    let env = TestEnv::new();
    let script = "grep -E '^(CapEff|Seccomp):' /proc/self/status";
    env.run(["run", "--rm", "--network", "none", "alpine", "sh", "-c", script])
        .success()
        .stdout_is("CapEff:\t00000000a80425fb\nSeccomp:\t2\n");
    env.assert_nothing_left();
}

/// A data root on a file system of its own, which ends with this.
struct SmallDisk {
    root: PathBuf,
}

impl SmallDisk {
    const OPTIONS: &str = "size=24m,mode=700";

    fn mount(env: &TestEnv) -> Self {
        let root = env.data();
        fs::create_dir_all(&root).expect("a folder of ours");
        let path = root.display().to_string();
        env.program(Path::new("mount"))
            .args(["-t", "tmpfs", "-o", Self::OPTIONS, "none", &path])
            .run()
            .success();
        Self { root }
    }

    /// Leaves `room` bytes on it.
    fn fill(&self, room: u64) {
        let mut file = File::create(self.root.join("filler")).expect("a file of ours");
        let chunk = [0; 4096];
        let mut bytes = 0;
        loop {
            match file.write(&chunk) {
                Ok(count) => bytes += count as u64,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::StorageFull);
                    break;
                }
            }
        }
        file.set_len(bytes.saturating_sub(room)).expect("our file");
    }

    fn empty(&self) {
        fs::remove_file(self.root.join("filler")).expect("our file");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.root, rustix::mount::UnmountFlags::DETACH).ok();
    }
}

/// With less room each time, the command either succeeds or names the full disk and leaves nothing behind;
/// with room again it succeeds.
#[track_caller]
fn needs_room(env: &TestEnv, disk: &SmallDisk, args: &[&str], undo: &[&str]) {
    let mut failures = 0;
    for room in [4 << 20, 1 << 20, 256 << 10, 16 << 10, 0] {
        let before = env.run(["images", "-q"]).success().stdout();
        disk.fill(room);
        let output = env.run(args);
        if output.status() == 0 {
            env.run(undo).success();
        } else {
            // A container that could be made but not started stays, as Docker's does.
            env.run(undo).status();
            failures += 1;
            assert!(output.stderr().contains("No space left on device"), "not named:\n{output}");
            assert!(output.stderr().contains("system prune"), "no way out is told:\n{output}");
        }
        assert_eq!(env.run(["images", "-q"]).success().stdout(), before, "half an image");
        disk.empty();
        env.run(args).success();
        env.run(undo).success();
        env.assert_store_swept();
    }
    assert!(failures > 0, "{args:?} needs no room");
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing_half_made() {
    let env = TestEnv::bare();
    let disk = SmallDisk::mount(&env);
    let registry = Registry::start(&env, Door::Plain);
    let name = registry.name("bb");
    let archive = fixture::archive().display().to_string();
    let mut root = fixture::Layer::new();
    root.file("file", 0o644, vec![1; 1 << 20]);
    let root = env.write("root.tar", root.finish()).display().to_string();

    let one = env.write("bb.tar", fixture::save(&[fixture::bare_busybox()])).display().to_string();
    needs_room(&env, &disk, &["load", "-q", "-i", &one], &["rmi", "bb"]);
    needs_room(&env, &disk, &["import", &root, "made"], &["rmi", "made"]);
    env.run(["load", "-q", "-i", &archive]).success();
    env.run(["tag", "bb", &name]).success();
    env.run(["push", "-q", &name]).success();
    env.run(["rmi", "bb", &name]).success();
    needs_room(&env, &disk, &["pull", "-q", &name], &["rmi", &name]);

    let script = "head -c 3000000 /dev/zero > /new";
    env.run(["run", "--network", "none", "--name", "c1", "alpine", "sh", "-c", script]).success();
    needs_room(&env, &disk, &["commit", "c1", "made"], &["rmi", "made"]);
    needs_room(&env, &disk, &["rename", "c1", "other"], &["rename", "other", "c1"]);
    let run = ["run", "-d", "--network", "none", "--name", "c2", "alpine", "sleep", "1000"];
    needs_room(&env, &disk, &run, &["rm", "-f", "c2"]);
    env.write(
        "compose.yaml",
        "services: {a: {image: alpine, init: true, command: sleep 1000, volumes: ['data:/data']}}\n\
         volumes: {data: {}}\n",
    );
    let down = ["compose", "-p", "t", "down", "-v", "-t", "0"];
    needs_room(&env, &disk, &["compose", "-p", "t", "up", "-d"], &down);

    // A container that fills the disk itself: how it ended is told all the same.
    let script = "cat /dev/zero > /new 2> /dev/null; exit 3";
    let run = ["run", "--network", "none", "--name", "c3", "alpine", "sh", "-c", script];
    env.run(run).code(3);
    env.run(["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "c3"])
        .success()
        .stdout_is("exited 3\n");
    env.run(["rm", "c1", "c3"]).success();
    drop(disk);
    env.assert_nothing_left();
}
