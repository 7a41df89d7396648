//! The manifests and sources of the workspace, as they lie here.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::source;

pub(super) static WORKSPACE: LazyLock<Workspace> = LazyLock::new(Workspace::read);

/// The crates that the workspace's manifest lists.
pub(super) struct Workspace {
    pub(super) parts: Vec<Part>,
}

/// A crate.
pub(super) struct Part {
    pub(super) folder: String,
    pub(super) manifest: String,
    pub(super) sources: Vec<Source>,
}

/// A file below a crate's `src` that is not for tests alone.
pub(super) struct Source {
    /// Relative to the workspace.
    pub(super) path: String,
    pub(super) code: String,
}

impl Workspace {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let manifest =
            fs::read_to_string(root.join("Cargo.toml")).expect("the workspace's manifest");
        let parts = members(&manifest).into_iter().map(|folder| Part::read(root, folder)).collect();
        Self { parts }
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.parts.iter().flat_map(|part| &part.sources).any(|source| source.path == path)
    }
}

impl Part {
    fn read(root: &Path, folder: String) -> Self {
        let manifest =
            fs::read_to_string(root.join(&folder).join("Cargo.toml")).expect("a manifest");
        let mut files = Vec::new();
        collect(&root.join(&folder).join("src"), &mut files);
        let texts: Vec<(PathBuf, String)> = files
            .into_iter()
            .map(|path| {
                let text = fs::read_to_string(&path).expect("a source");
                (path, text)
            })
            .collect();
        let tests: BTreeSet<PathBuf> = texts
            .iter()
            .flat_map(|(path, text)| {
                source::test_modules(text).into_iter().map(|name| below(path).join(name))
            })
            .collect();
        // `changes_tests.rs` is declared under another name, with its path.
        let of_tests = |path: &Path| {
            path.ancestors().any(|part| tests.contains(&part.with_extension("")))
                || path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_tests"))
        };
        let sources = texts
            .iter()
            .filter(|(path, _)| !of_tests(path))
            .map(|(path, text)| Source {
                path: path.strip_prefix(root).expect("ours").display().to_string(),
                code: source::code(text),
            })
            .collect();
        Self { folder, manifest, sources }
    }
}

/// The `members` of a workspace's manifest.
fn members(manifest: &str) -> Vec<String> {
    let list = manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']'));
    let (list, _) = list.expect("a list of members");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir)
        .expect("a folder of sources")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The folder of the modules that a file declares.
fn below(path: &Path) -> PathBuf {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let dir = path.parent().unwrap_or(Path::new(""));
    if matches!(stem, "mod" | "lib" | "main") { dir.to_owned() } else { dir.join(stem) }
}

#[test]
fn members_are_read() {
    assert_eq!(members("[workspace]\nmembers = [\"sys\",\n  \"cli\"]\n"), ["sys", "cli"]);
}

#[test]
fn modules_lie_below_their_file() {
    assert_eq!(below(Path::new("a/src/lib.rs")), Path::new("a/src"));
    assert_eq!(below(Path::new("a/src/b.rs")), Path::new("a/src/b"));
}
