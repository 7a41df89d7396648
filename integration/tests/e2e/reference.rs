//! Real images and odd archives, when this machine has the reference set beside the checkout.
//!
//! Every archive is either taken or refused with a reason; nothing is ever written outside the store.

use std::{
    fs,
    path::{Path, PathBuf},
};

use coracle_integration::{Output, TestEnv, settings::settings, skip};

macro_rules! need_images {
    () => {
        match &settings().shared {
            Some(shared) => shared.join("images"),
            None => skip!("no reference images"),
        }
    };
}

/// Packs an OCI layout into a tar, as a person would before `load`.
fn pack(env: &TestEnv, layout: &Path) -> String {
    let output = env.program(Path::new("/bin/tar")).args([
        "-C",
        &layout.display().to_string(),
        "-cf",
        "layout.tar",
        ".",
    ]);
    output.run().success();
    "layout.tar".into()
}

/// The name or id that `load` printed.
fn loaded(output: &Output) -> String {
    let line = output.lines().pop().unwrap_or_default();
    line.split_once(": ")
        .map(|(_, name)| name.to_owned())
        .unwrap_or_else(|| panic!("nothing loaded\n{output}"))
}

fn run_in(env: &TestEnv, image: &str, command: &[&str]) -> Output {
    env.run(["run", "--rm", "--network", "none", image].iter().chain(command))
}

#[test]
fn alpine_loads_imports_and_runs() {
    let images = need_images!();
    let env = TestEnv::bare();
    let root = images.join("alpine-minirootfs-3.20.3-x86_64.tar.gz").display().to_string();
    env.run(["import", &root, "alpine:root"]).success();
    run_in(&env, "alpine:root", &["cat", "/etc/alpine-release"]).success().stdout_is("3.20.3\n");
    let archive = pack(&env, &images.join("alpine-3.20.3-amd64-oci"));
    let name = loaded(&env.run(["load", "-i", &archive]).success());
    run_in(&env, &name, &["sh", "-c", "cat /etc/alpine-release; id -u; apk --version"])
        .success()
        .stdout_is("3.20.3\n0\napk-tools 2.14.4, compiled for x86_64.\n");
    let arm = images.join("alpine-minirootfs-3.20.3-aarch64.tar.gz").display().to_string();
    env.run(["import", "--platform", "linux/arm64", &arm, "arm"]).success();
    let foreign = run_in(&env, "arm", &["true"]);
    if !Path::new("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists() {
        assert_ne!(foreign.status(), 0);
        assert!(
            foreign.stderr().contains("arm64"),
            "a foreign architecture is not named:\n{foreign}"
        );
    }
}

#[test]
fn busybox_of_three_libcs_runs() {
    let images = need_images!();
    for libc in ["glibc", "musl", "uclibc"] {
        let env = TestEnv::bare();
        let archive = pack(&env, &images.join(format!("busybox-1.38.0-{libc}-amd64-oci")));
        let name = loaded(&env.run(["load", "-i", &archive]).success());
        run_in(&env, &name, &["sh", "-c", "busybox | head -1 | cut -d' ' -f1,2; ls /bin | wc -l"])
            .success()
            .stdout_has("BusyBox v1.38");
    }
}

#[test]
fn a_multi_platform_layout_gives_this_platform() {
    let images = need_images!();
    let env = TestEnv::bare();
    let archive = pack(&env, &images.join("busybox-1.38.0-musl-multiarch-oci"));
    let name = loaded(&env.run(["load", "-i", &archive]).success());
    run_in(&env, &name, &["uname", "-m"]).success().stdout_is("x86_64\n");
}

#[test]
fn debian_slim_imports_with_owners_and_setuid_files() {
    let images = need_images!();
    let env = TestEnv::bare();
    let root = images.join("debian-bookworm-slim-rootfs.tar.xz").display().to_string();
    env.run(["import", &root, "debian"]).success();
    let script = "cat /etc/debian_version; stat -c '%a %U' /bin/su; stat -c %G /etc/shadow; dpkg -l | grep -c ^ii; apt-get --version | head -1 | cut -d' ' -f1";
    run_in(&env, "debian", &["sh", "-c", script])
        .success()
        .stdout_is("12.15\n4755 root\nshadow\n96\napt\n");
}

#[test]
fn hello_world_loads_and_greets() {
    let images = need_images!();
    let env = TestEnv::bare();
    let archive = images.join("hello-world-amd64-docker-save.tar").display().to_string();
    let name = loaded(&env.run(["load", "-i", &archive]).success());
    let output = env.run(["run", "--rm", "--network", "none", &name]).success();
    assert!(output.stdout().starts_with("\nHello from Docker!\n"), "{output}");
}

/// Every file below a folder of the set.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(dir).expect("the reference set").flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()))
        } else {
            found.push(entry.path())
        }
    }
    found.sort();
    found
}

/// Takes it, or refuses it with a reason; no panic, no signal, nothing outside.
#[track_caller]
fn taken_or_refused(file: &Path, output: &Output, problems: &mut Vec<String>) {
    let text = output.stderr();
    if !(output.status() == 0 || output.status() == 1 && !text.trim().is_empty())
        || text.contains("panicked")
    {
        problems.push(format!("{}: {output}", file.display()));
    }
}

#[test]
fn every_archive_is_loaded_or_refused_with_a_reason() {
    let images = need_images!();
    let env = TestEnv::bare();
    let mut problems = Vec::new();
    let mut all = files(&images.join("oci-fixtures/archives"));
    all.extend(files(&images.join("oci-fixtures/hostile")));
    for file in all {
        taken_or_refused(
            &file,
            &env.run(["load", "-i", &file.display().to_string()]),
            &mut problems,
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    env.run(["image", "prune", "-a", "-f"]).success();
}

#[test]
fn archives_that_are_right_load() {
    let images = need_images!();
    let env = TestEnv::bare();
    for name in [
        "ggcr-whiteout_image.tar",
        "ggcr-overwritten_file.tar",
        "ggcr-test_load_manifest.tar",
        "ggcr-test_bundle.tar",
        "docker-two-names.tar.xz",
        "docker-unnamed.tar.xz",
        "dive-test-oci-zstd-image.tar",
        "dive-test-oci-gzip-image.tar",
    ] {
        let file = images.join("oci-fixtures/archives").join(name).display().to_string();
        env.run(["load", "-q", "-i", &file]).success();
    }
}

#[test]
fn archives_that_are_wrong_are_refused() {
    let images = need_images!();
    let env = TestEnv::bare();
    for name in ["ggcr-no_manifest.tar", "ggcr-null_manifest.tar"] {
        let file = images.join("oci-fixtures/archives").join(name).display().to_string();
        let output = env.run(["load", "-q", "-i", &file]).code(1);
        assert!(!output.stderr().is_empty(), "{name} is refused without a reason");
    }
    env.run(["images", "-q"]).success().stdout_is("");
}

#[test]
fn every_layer_is_imported_or_refused_and_none_writes_outside() {
    let images = need_images!();
    let env = TestEnv::bare();
    env.write("victim", "untouched");
    let before = tree(env.root());
    let mut problems = Vec::new();
    let mut all = files(&images.join("oci-fixtures/layers"));
    all.extend(files(&images.join("oci-fixtures/hostile")));
    for file in all {
        taken_or_refused(&file, &env.run(["import", &file.display().to_string()]), &mut problems);
        if tree(env.root()) != before {
            problems.push(format!("{} changed the world outside the store", file.display()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Names and sizes of what lies in the world outside the data root.
fn tree(root: &Path) -> Vec<(PathBuf, u64)> {
    ["home", "work", "tmp", "bin"]
        .iter()
        .flat_map(|dir| files(&root.join(dir)))
        .map(|path| (path.clone(), fs::symlink_metadata(&path).map_or(0, |meta| meta.len())))
        .collect()
}

#[test]
fn whiteouts_of_a_real_layer_hide_the_lower_files() {
    let images = need_images!();
    let layers = images.join("oci-fixtures/layers");
    let env = TestEnv::new();
    let mut image = coracle_integration::fixture::alpine_like();
    image.names = vec!["wh:latest".into()];
    for name in ["whiteout-lower.tar", "whiteout-and-opaque.tar"] {
        image.layers.push(fs::read(layers.join(name)).expect("a layer"));
    }
    let path = env.write("wh.tar", coracle_integration::fixture::save(&[image]));
    env.run(["load", "-q", "-i", &path.display().to_string()]).success();
    let list = run_in(&env, "wh", &["find", "/", "-xdev", "-name", ".wh*"]).success();
    assert_eq!(list.stdout(), "", "a whiteout is visible as a file");
}
