//! A world for each of our paths, with the containers that are measured; and the tools they run.

use std::process::Command;

use coracle_integration::{TestEnv, leak::processes_named};

use super::far::{ECHO, IPERF, beside, here};

/// iperf3's name for its folder in containers, and the loader by which it finds its libraries there.
const TOOLS: &str = "/tools";

/// Both worlds.
pub(crate) struct Worlds {
    pub(crate) marks: World,
    pub(crate) packets: World,
}

/// A world with two containers on a network: `c1`, whose ports are published, and `c2`.
pub(crate) struct World {
    pub(crate) env: TestEnv,
    /// What the table calls it.
    pub(crate) name: &'static str,
    /// Where `c1` is published.
    pub(crate) iperf: u16,
    pub(crate) echo: u16,
}

impl Worlds {
    pub(crate) fn new() -> Self {
        fill_tools();
        Self {
            marks: World::new("coracle", "nf_tables", 15201),
            packets: World::new("without nf_tables", "packets", 25201),
        }
    }

    pub(crate) fn each(&self) -> [&World; 2] {
        [&self.marks, &self.packets]
    }
}

impl World {
    fn new(name: &'static str, path: &str, iperf: u16) -> Self {
        let env = TestEnv::new().with("CORACLE_NETWORK_PATH", path);
        let echo = iperf + 1;
        let tools = format!("{}:{TOOLS}:ro", beside("tools").display());
        env.run(["network", "create", "n"]).success();
        for name in ["c1", "c2"] {
            let mut run: Vec<String> =
                ["run", "-d", "--network", "n", "-v", &tools, "--name", name]
                    .map(Into::into)
                    .into();
            if name == "c1" {
                for (outer, inner) in [(iperf, IPERF), (echo, ECHO)] {
                    run.extend(["-p".into(), format!("{outer}:{inner}")]);
                }
            }
            let serve =
                format!("{TOOLS}/traffic serve {ECHO} & exec {} -s", iperf_words().join(" "));
            run.extend(["alpine", "sh", "-c", &serve].map(Into::into));
            env.run(run).success();
        }
        Self { env, name, iperf, echo }
    }

    /// Runs a program in a container; what it prints.
    pub(crate) fn inside(&self, container: &str, words: &[&str]) -> Result<String, String> {
        here(self.env.coracle().args(["exec", container]).args(words).into_command())
    }

    /// Runs iperf3 in a container.
    pub(crate) fn iperf_inside(&self, container: &str, words: &[&str]) -> Result<String, String> {
        let tool = iperf_words();
        let all: Vec<&str> = tool.iter().map(String::as_str).chain(words.iter().copied()).collect();
        self.inside(container, &all)
    }

    /// Runs `traffic` in a container.
    pub(crate) fn traffic_inside(&self, container: &str, words: &[&str]) -> Result<String, String> {
        let tool = format!("{TOOLS}/traffic");
        let all = [&[tool.as_str()], words].concat();
        self.inside(container, &all)
    }

    /// The address of a container.
    pub(crate) fn address(&self, container: &str) -> String {
        let format = "{{.NetworkSettings.Networks.n.IPAddress}}";
        self.env.run(["inspect", "--format", format, container]).success().line()
    }

    /// Process id of the network helper.
    pub(crate) fn helper(&self) -> Result<u32, String> {
        let found = processes_named(self.env.root(), "coracle-netd");
        let [pid] = found.as_slice() else { return Err(format!("{} helpers", found.len())) };
        Ok(pid.as_raw_nonzero().get().unsigned_abs())
    }
}

/// How iperf3 is run in a container that has nothing it needs.
fn iperf_words() -> [String; 4] {
    [format!("{TOOLS}/loader"), "--library-path".into(), TOOLS.into(), format!("{TOOLS}/iperf3")]
}

/// Gathers iperf3, its libraries, and `traffic` in one folder.
fn fill_tools() {
    let folder = beside("tools");
    let copy = |from: &str, name: &str| {
        std::fs::copy(from, folder.join(name)).unwrap_or_else(|error| panic!("{from}: {error}"));
    };
    copy("/usr/bin/iperf3", "iperf3");
    copy(&beside("traffic").display().to_string(), "traffic");
    let mut ldd = Command::new("ldd");
    ldd.arg("/usr/bin/iperf3");
    for line in here(ldd).expect("ldd knows iperf3's libraries").lines() {
        // `NAME => PATH (…)`; the loader stands alone.
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [name, "=>", path, ..] => copy(path, name),
            [path, ..] if path.contains("/ld-") => copy(path, "loader"),
            _ => {}
        }
    }
}
