//! Which crate may depend on which.

/// From top to bottom; those of one floor do not know each other.
const FLOORS: [&[&str]; 9] = [
    &["cli"],
    &["api"],
    &["view"],
    &["swarm"],
    &["compose"],
    &["builder"],
    &["runtime"],
    &["image", "netns"],
    &["sys", "words"],
];

/// Drives the built executable and knows none of its parts.
const APART: &str = "integration";

/// What a crate's manifest says against the floors.
pub(super) fn wrong(folder: &str, manifest: &str) -> Vec<String> {
    let known = ours(manifest);
    if folder == APART {
        return known.iter().map(|other| format!("{folder} depends on {other}")).collect();
    }
    let Some(floor) = floor(folder) else {
        return vec![format!("{folder} has no floor in this test")];
    };
    let below = |other: &&String| self::floor(other).is_some_and(|other| other > floor);
    known
        .iter()
        .filter(|other| !below(other))
        .map(|other| format!("{folder} depends on {other}"))
        .collect()
}

fn floor(folder: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&folder))
}

/// Folders of the crates of this workspace that a manifest names, whatever they are needed for.
fn ours(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut table = "";
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
            // `[dependencies.coracle-sys]`
            found.extend(table.split_once("dependencies.").and_then(|(_, name)| folder_of(name)));
        } else if table.ends_with("dependencies") {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            found.extend(folder_of(name));
        }
    }
    found
}

/// `coracle-image` is in `image`, and the executable in `cli`.
fn folder_of(name: &str) -> Option<String> {
    match name.strip_prefix("coracle")? {
        "" => Some("cli".to_owned()),
        rest => rest.strip_prefix('-').map(str::to_owned),
    }
}

#[test]
fn arrows_that_point_down_are_right() {
    let manifest = "[dependencies]\ncoracle-sys.workspace = true\nserde.workspace = true\n";
    assert!(wrong("image", manifest).is_empty());
    let all =
        "[dependencies]\ncoracle-view = { path = \"../view\" }\ncoracle-words.workspace = true\n";
    assert!(wrong("cli", all).is_empty());
}

#[test]
fn arrows_that_point_up_or_aside_are_wrong() {
    let on = |name: &str| format!("[dev-dependencies]\n{name}.workspace = true\n");
    assert_eq!(wrong("image", &on("coracle-runtime")), ["image depends on runtime"]);
    assert_eq!(wrong("image", &on("coracle-netns")), ["image depends on netns"]);
    assert_eq!(wrong("words", &on("coracle-sys")), ["words depends on sys"]);
    assert_eq!(wrong("view", &on("coracle")), ["view depends on cli"]);
    assert_eq!(wrong("integration", &on("coracle-sys")), ["integration depends on sys"]);
    let table = "[target.'cfg(unix)'.dependencies.coracle-compose]\nworkspace = true\n";
    assert_eq!(wrong("runtime", table), ["runtime depends on compose"]);
    assert_eq!(wrong("cellar", ""), ["cellar has no floor in this test"]);
}
