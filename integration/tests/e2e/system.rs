//! System commands and prune.

use coracle_integration::{TestEnv, recorded};

recorded! {
    "system.md":
    prune = "prune",
    df = "df",
    wrong_commands = "Wrong commands",
}

#[test]
fn a_home_that_is_closed_to_the_user_is_told_and_passed_over() {
    let env = TestEnv::new();
    let home = env.work().join("closed");
    std::fs::create_dir(&home).expect("a folder of ours");
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o000))
        .expect("chmod of our folder");
    let output = env.coracle().env("HOME", &home).args(["ps", "-q"]).run().success();
    let file = home.join(".config/coracle/config.json");
    let told = format!("WARNING: cannot read {}: permission denied\n", file.display());
    assert_eq!(output.stderr(), told);
}
