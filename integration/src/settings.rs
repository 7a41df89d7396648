//! What `scripts/test` tells the tests, read from the environment once.
//!
//! A plain `cargo test` works too: the debug binary beside the test is used then.

use std::{path::PathBuf, sync::OnceLock};

/// Where the binary, the fixtures and the worlds are.
#[derive(Debug)]
pub struct Settings {
    /// The binary under test.
    pub binary: PathBuf,
    /// Where each test makes its world; readable and writable by the user who runs the tests.
    pub worlds: PathBuf,
    /// Where fixtures made during this run are kept.
    pub fixtures: PathBuf,
    /// A folder of reference images, when this machine has one.
    pub shared: Option<PathBuf>,
    /// The file that skips are added to, for the closing line of `scripts/test`.
    pub skips: Option<PathBuf>,
    /// The user's D-Bus, where systemd delegates cgroups to this user.
    pub bus: Option<PathBuf>,
    /// The address of a host beyond this one (`far_host`).
    pub far: Option<String>,
    /// A Debian root made by `scripts/test`.
    pub debian: Option<PathBuf>,
}

/// The settings of this run.
pub fn settings() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(Settings::read)
}

impl Settings {
    fn read() -> Self {
        let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let binary = variable("CORACLE_BIN").unwrap_or_else(beside_the_test);
        assert!(
            binary.is_file(),
            "no binary at {}: run `scripts/test --only e2e`, or `cargo build` first",
            binary.display()
        );
        let worlds = variable("CORACLE_TEST_WORLDS").unwrap_or_else(std::env::temp_dir);
        let shared = variable("CORACLE_SHARED")
            .or_else(|| Some(manifest.join("../../shared")))
            .filter(|path| path.join("images").is_dir());
        let debian = binary.parent().map(|stage| stage.join("debian.tar"));
        Self {
            fixtures: variable("CORACLE_TEST_FIXTURES").unwrap_or_else(|| worlds.clone()),
            skips: variable("CORACLE_TEST_SKIPS"),
            bus: variable("CORACLE_TEST_BUS"),
            far: variable("CORACLE_TEST_FAR")
                .and_then(|far| far.into_os_string().into_string().ok()),
            debian: debian.filter(|path| path.is_file()),
            binary,
            worlds,
            shared,
        }
    }
}

/// How many times slower than usual this machine is; needs no binary, unlike the rest.
pub(crate) fn slow() -> u32 {
    variable("CORACLE_TEST_SLOW").and_then(|text| text.to_str()?.parse().ok()).unwrap_or(1)
}

fn beside_the_test() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has an executable");
    // target/debug/deps/e2e-… → target/debug/coracle
    test.ancestors().nth(2).map(|dir| dir.join("coracle")).unwrap_or_default()
}

fn variable(name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the one place where the tests read it")]
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
