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
    /// Two hosts beyond this one (`far_host`).
    pub far: Option<[Far; 2]>,
    /// What `CORACLE_NETWORK_PATH` is to be in every world.
    pub network_path: Option<String>,
    /// The resolver of this host is on its loopback: `far_host` that forwards.
    pub stub_resolver: bool,
    /// The program that makes traffic; static, so that containers can run it.
    pub traffic: Option<PathBuf>,
    /// A Debian root made by `scripts/test`.
    pub debian: Option<PathBuf>,
    /// What `scripts/release` makes of the binary.
    pub release: Option<PathBuf>,
    /// One with Node.js and npm.
    pub node: Option<PathBuf>,
    /// One with Go.
    pub golang: Option<PathBuf>,
    /// Whole applications, also made by `scripts/test`.
    pub apps: Option<Apps>,
}

/// What applications on Compose need.
#[derive(Debug)]
pub struct Apps {
    /// A Debian root with their packages.
    pub root: PathBuf,
    /// Their own files, a folder each.
    pub folder: PathBuf,
}

/// A host beyond this one, and this host as it sees it.
#[derive(Debug)]
pub struct Far {
    /// Its addresses.
    pub v4: String,
    pub v6: String,
    /// Ours in the same networks.
    pub near4: String,
    pub near6: String,
    /// An address there that never answers.
    pub silent: String,
    /// One that nobody has.
    pub nobody: String,
}

impl Far {
    /// The host of the network with this number.
    fn new(number: &str) -> Self {
        let v4 = |last: u8| format!("10.231.{number}.{last}");
        let v6 = |last: u8| format!("fd77:231:{number}::{last}");
        Self { v4: v4(2), v6: v6(2), near4: v4(1), near6: v6(1), silent: v4(3), nobody: v4(4) }
    }
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
        let beside = |name: &str| {
            let path = binary.parent().map(|stage| stage.join(name));
            path.filter(|path| path.exists())
        };
        Self {
            fixtures: variable("CORACLE_TEST_FIXTURES").unwrap_or_else(|| worlds.clone()),
            skips: variable("CORACLE_TEST_SKIPS"),
            bus: variable("CORACLE_TEST_BUS"),
            far: text("CORACLE_TEST_FAR").and_then(|numbers| {
                let (first, second) = numbers.split_once(' ')?;
                Some([Far::new(first), Far::new(second)])
            }),
            network_path: text("CORACLE_TEST_NETWORK_PATH"),
            stub_resolver: variable("CORACLE_TEST_STUB").is_some(),
            traffic: beside("traffic"),
            debian: beside("debian.tar"),
            release: beside("release"),
            node: beside("node.tar"),
            golang: beside("golang.tar"),
            apps: beside("apps.tar")
                .zip(beside("apps"))
                .map(|(root, folder)| Apps { root, folder }),
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

fn text(name: &str) -> Option<String> {
    variable(name)?.into_os_string().into_string().ok()
}

fn variable(name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the one place where the tests read it")]
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
