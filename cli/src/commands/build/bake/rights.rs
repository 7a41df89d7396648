//! What targets may reach beyond the current folder: what a file says is not what its reader wants.
//!
//! As with bake, files below the current folder may be read and written, and everything else needs `--allow`.

use std::path::{Component, Path, PathBuf};

use coracle_builder::bake::{Entry, Selected, Target};
use coracle_builder::flags::contexts::{self, Place};

use crate::error::CliError;

/// What was allowed.
#[derive(Debug, Default)]
pub(super) struct Rights {
    here: PathBuf,
    host: bool,
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
}

impl Rights {
    /// Reads `--allow`.
    pub(super) fn parse(given: &[String], here: &Path) -> Result<Self, CliError> {
        let mut rights = Self { here: here.to_owned(), ..Self::default() };
        rights.read.push(here.to_owned());
        rights.write.push(here.to_owned());
        for text in given {
            let (key, path) = text.split_once('=').unwrap_or((text, ""));
            let path = match path {
                "*" => PathBuf::from("/"),
                path => rights.absolute(path),
            };
            match key {
                "network.host" => rights.host = true,
                "fs.read" => rights.read.push(path),
                "fs.write" => rights.write.push(path),
                "fs" => {
                    rights.read.push(path.clone());
                    rights.write.push(path);
                }
                _ => {
                    let why = "network.host, fs.read, fs.write and fs can be allowed";
                    return Err(CliError::unsupported(&format!("--allow {text}"), why));
                }
            }
        }
        Ok(rights)
    }

    /// Refuses what nobody allowed. What the command line itself names with `--set` was wanted by it.
    pub(super) fn check(&self, selected: &Selected, set: &[String]) -> Result<(), CliError> {
        let mut missing: Vec<String> = Vec::new();
        for target in selected.targets.values() {
            if !self.host && target.entitlements.iter().any(|right| right == "network.host") {
                missing.push("network.host".to_owned());
            }
            for (reads, path) in paths(target) {
                let named = set.iter().any(|given| given.contains(path.as_str()));
                let (key, allowed) = match reads {
                    true => ("fs.read", &self.read),
                    false => ("fs.write", &self.write),
                };
                let place = self.real(&path);
                if !named && !allowed.iter().any(|folder| place.starts_with(self.real_path(folder)))
                {
                    missing.push(format!("{key}={path}"));
                }
            }
        }
        missing.sort();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let flags: Vec<String> = missing.iter().map(|right| format!("--allow={right}")).collect();
        Err(CliError::plain("ERROR: additional privileges requested").hint(format!(
            "the file asks for more than the current folder; pass {} to allow it",
            flags.join(" ")
        )))
    }

    fn absolute(&self, path: &str) -> PathBuf {
        let mut whole = PathBuf::new();
        for part in self.here.join(path).components() {
            match part {
                Component::ParentDir => drop(whole.pop()),
                Component::CurDir => {}
                part => whole.push(part),
            }
        }
        whole
    }

    fn real(&self, path: &str) -> PathBuf {
        self.real_path(&self.here.join(path))
    }

    /// With links followed, as far as it is there.
    fn real_path(&self, path: &Path) -> PathBuf {
        let mut missing: Vec<&std::ffi::OsStr> = Vec::new();
        let mut at = path;
        loop {
            if let Ok(real) = at.canonicalize() {
                return missing.iter().rev().fold(real, |path, part| path.join(part));
            }
            match (at.file_name(), at.parent()) {
                (Some(name), Some(parent)) => {
                    missing.push(name);
                    at = parent;
                }
                _ => return self.absolute(&path.to_string_lossy()),
            }
        }
    }
}

/// Paths of this machine that a target reads (true) or writes.
fn paths(target: &Target) -> Vec<(bool, String)> {
    let mut all = Vec::new();
    let contexts = target.context.iter().chain(target.contexts.values());
    for context in contexts {
        let context = context.strip_prefix("cwd://").unwrap_or(context);
        if let Ok(Place::Folder(path)) = contexts::place(context) {
            all.push((true, path));
        }
    }
    if let (Some(file), Some(context), None) =
        (&target.dockerfile, &target.context, &target.dockerfile_inline)
        && let Ok(Place::Folder(path)) = contexts::place(context)
    {
        all.push((true, Path::new(&path).join(file).to_string_lossy().into_owned()));
    }
    let mut entries = |entries: &[Entry], reads: bool, key: &str| {
        for entry in entries {
            for path in entry.field(key).split(',').filter(|path| !matches!(*path, "" | "-")) {
                all.push((reads, path.to_owned()));
            }
        }
    };
    entries(&target.secret, true, "src");
    entries(&target.ssh, true, "paths");
    entries(&target.cache_from, true, "src");
    entries(target.cache_to.as_deref().unwrap_or_default(), false, "dest");
    entries(target.output.as_deref().unwrap_or_default(), false, "dest");
    all
}

#[cfg(test)]
mod tests {
    use coracle_builder::bake::{Config, Facts, File, read};

    use super::*;

    #[test]
    fn beyond_the_folder_everything_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inside")).unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("link")).unwrap();
        let check = |attributes: &str, allow: &[&str]| {
            let text = format!("target \"default\" {{\n{attributes}\n}}\n");
            let file = File { name: "f.hcl".to_owned(), text };
            let facts = Facts::default();
            let config = read(Config::default(), &[file], &facts).unwrap();
            let selected = config.select(&[], &[], &facts).unwrap();
            let allow: Vec<String> = allow.iter().map(|one| (*one).to_owned()).collect();
            let rights = Rights::parse(&allow, folder.path()).unwrap();
            rights.check(&selected, &[]).map_err(|error| error.hint.unwrap_or_default())
        };
        assert!(check("context = \"inside\"\noutput = [\"out\"]", &[]).is_ok());
        assert!(check("context = \"..\"", &[]).unwrap_err().contains("--allow=fs.read=.. "));
        assert!(check("context = \"link\"", &[]).unwrap_err().contains("--allow=fs.read=link"));
        assert!(
            check("secret = [\"id=a,src=/etc/passwd\"]", &[]).unwrap_err().contains("/etc/passwd")
        );
        assert!(check("secret = [\"id=a,src=/etc/passwd\"]", &["fs.read=/etc"]).is_ok());
        assert!(
            check("output = [\"/srv/out\"]", &["fs.read=*"])
                .unwrap_err()
                .contains("fs.write=/srv/out")
        );
        assert!(check("network = \"host\"", &[]).unwrap_err().contains("--allow=network.host"));
        assert!(check("network = \"host\"", &["network.host"]).is_ok());
    }
}
