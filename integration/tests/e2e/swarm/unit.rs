//! `system unit swarm`: a unit of systemd that brings services back, where there is a user manager and where not.

use coracle_integration::{Output, TestEnv};

fn unit(env: &TestEnv, flags: &[&str]) -> Output {
    let base = ["system", "unit", "swarm"];
    let cmd = env.coracle().args([&base[..], flags].concat());
    cmd.env("XDG_CONFIG_HOME", env.root().join("config"))
        .env("XDG_RUNTIME_DIR", env.root().join("session"))
        .run()
}

#[test]
fn a_unit_is_printed_installed_and_removed() {
    let env = TestEnv::new();
    let root = env.root().to_owned();
    std::fs::create_dir_all(root.join("session/systemd")).expect("a folder");
    let printed = unit(&env, &[]).success().stdout_has(" service ls -q\n").stdout();
    let folder = root.join("config/systemd/user");
    let (file, link) = (
        folder.join("coracle-swarm.service"),
        folder.join("default.target.wants/coracle-swarm.service"),
    );
    // Nobody would read it.
    if !std::path::Path::new("/run/user").join(rustix::process::getuid().to_string()).exists() {
        unit(&env, &["--install"])
            .code(1)
            .stderr_has("no user manager of systemd runs for this user, and nothing was installed")
            .stdout_has(" service ls -q > /dev/null\n")
            .stderr_has("`crontab -e` and the line above do the same");
        assert!(!root.join("config").exists());
    }
    std::fs::write(root.join("session/systemd/private"), "").expect("what stands for its socket");
    unit(&env, &["--install"])
        .success()
        .stdout_has(&format!("Wrote {}\n", file.display()))
        .stdout_has(
            "systemctl --user daemon-reload && systemctl --user start coracle-swarm.service",
        )
        .stdout_has("loginctl enable-linger");
    assert_eq!(std::fs::read_to_string(&file).expect("the unit"), printed);
    assert_eq!(std::fs::read_to_string(&link).expect("the link leads to it"), printed);
    unit(&env, &["--install"]).success();
    unit(&env, &["--remove"]).success().stdout_has(&format!("Removed {}\n", file.display()));
    assert!(!file.exists() && !link.exists());
    unit(&env, &["--remove"]).code(1).stderr_has("there is no coracle-swarm.service");
    env.run(["system", "unit", "web"])
        .code(1)
        .stderr_has("there is no unit web: there are api, containers, swarm");
    env.assert_nothing_left();
}
