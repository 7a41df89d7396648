//! What `version` tells of the engine: numbers that programs compare are those of the release that is followed.

use serde_json::{Value, json};

use crate::{FOLLOWED, NEWEST};

/// This program, and what it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// `Coracle`
    pub name: &'a str,
    pub version: &'a str,
    /// The commit that it was built from.
    pub build: &'a str,
    /// The container runtime that is built in, and its version.
    pub runtime: (&'a str, &'a str),
}

/// The engine's versions; `oldest`: the oldest version of the API that may be asked for.
#[must_use]
pub fn version(program: &Program<'_>, oldest: &str) -> Value {
    let arch = coracle_image::Platform::host().architecture;
    // Nobody depends on a kernel that does not say.
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim_end();
    let Program { name, version, build, runtime } = *program;
    json!({
        "Platform": { "Name": format!("{name} {version}") },
        "Components": [
            {
                "Name": "Engine",
                "Version": FOLLOWED,
                "Details": {
                    "ApiVersion": NEWEST,
                    "Arch": arch,
                    "BuildTime": "",
                    "Experimental": "false",
                    "GitCommit": build,
                    "GoVersion": "",
                    "KernelVersion": kernel,
                    "MinAPIVersion": oldest,
                    "Os": "linux",
                },
            },
            { "Name": name.to_lowercase(), "Version": version, "Details": { "GitCommit": build } },
            { "Name": runtime.0, "Version": runtime.1, "Details": {} },
        ],
        "Version": FOLLOWED,
        "ApiVersion": NEWEST,
        "MinAPIVersion": oldest,
        "GitCommit": build,
        "GoVersion": "",
        "Os": "linux",
        "Arch": arch,
        "KernelVersion": kernel,
        "BuildTime": "",
    })
}
