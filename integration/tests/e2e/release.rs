//! What `scripts/release` makes, used as its users do: unpacked, and installed in a fresh Debian root.

use std::fs;
use std::path::{Path, PathBuf};

use coracle_integration::settings::settings;
use coracle_integration::{TestEnv, skip};

/// The files with that end of what was made; `None` when nothing was.
fn made(end: &str) -> Option<PathBuf> {
    let folder = settings().release.as_deref()?;
    let files = fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path());
    let mut files = files.filter(|file| file.to_string_lossy().ends_with(end));
    Some(files.next().unwrap_or_else(|| panic!("{} has no *{end}", folder.display())))
}

fn folder_of(file: &Path) -> String {
    file.parent().expect("a folder").display().to_string()
}

#[test]
fn the_sums_are_those_of_the_files_and_the_archive_has_everything() {
    let Some(archive) = made(".tar.gz") else { skip!("no release: run scripts/test") };
    let env = TestEnv::bare();
    env.sh(&format!("cd {} && sha256sum --check --quiet SHA256SUMS", folder_of(&archive)))
        .success();
    env.sh(&format!("tar xzf {} && cd coracle-* && ./coracle --version && ls", archive.display()))
        .success()
        .stdout_has("Coracle version ")
        .stdout_has("CHANGELOG.md\nLICENSE\nREADME.md\ncompletions\ncoracle\ndocs\nman\n");
    env.sh("cd coracle-*; grep -c 'complete -F' completions/bash/coracle; ls man | grep -c '^coracle-run'")
        .success()
        .stdout_is("1\n1\n");
    env.assert_nothing_left();
}

#[test]
fn the_list_of_crates_has_those_that_are_linked() {
    let Some(list) = made(".cdx.json") else { skip!("no release: run scripts/test") };
    let text = fs::read(list).expect("the list");
    let list: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!((&list["bomFormat"], &list["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let crates = list["components"].as_array().expect("a list");
    let has = |name: &str| crates.iter().any(|one| one["name"] == name);
    assert!(has("libcontainer") && has("rustls") && has("coracle-runtime"));
    // Those of the build and of tests.
    assert!(!has("insta") && !has("cc") && !has("coracle-integration"));
    assert!(
        crates.iter().all(|one| one["purl"].as_str().is_some_and(|p| p.starts_with("pkg:cargo/")))
    );
}

#[test]
fn the_package_installs_in_a_fresh_debian_root() {
    let Some(package) = made(".deb") else { skip!("no release: run scripts/test") };
    let Some(debian) = &settings().debian else { skip!("no Debian root: run scripts/test") };
    let env = TestEnv::bare();
    env.run(["import", &debian.display().to_string(), "debian"]).success();
    let script = "dpkg --install /release/*.deb && coracle --version && coracle __complete completion --ins && \
                  dpkg --listfiles coracle && dpkg --remove coracle && ! test -e /usr/bin/coracle";
    let folder = format!("{}:/release:ro", folder_of(&package));
    env.run(["run", "--rm", "--network", "none", "-v", &folder, "debian", "sh", "-c", script])
        .success()
        .stdout_has("Coracle version ")
        .stdout_has("\n--install\t")
        .stdout_has("/usr/share/man/man1/coracle-container-run.1.gz\n")
        .stdout_has("/usr/share/bash-completion/completions/coracle\n")
        .stdout_has("/usr/share/zsh/vendor-completions/_coracle\n")
        .stdout_has("/usr/share/fish/vendor_completions.d/coracle.fish\n")
        .stdout_has("Removing coracle ");
    env.run(["rmi", "debian"]).success();
    env.assert_nothing_left();
}
