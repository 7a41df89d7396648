//! Remove everything that was ever stored: containers, images, volumes, networks, and the folders themselves. A swarm
//! has been left before.
//!
//! # Limits
//!
//! Only what has a name of ours is removed: a data root may be a folder with other things in it.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use super::{Engine, RemoveOptions};
use crate::error::EngineError;
use crate::networks::Helper;
use crate::session::Session;
use crate::volumes::remove_tree;

/// What is ours in a data root. Files have names that begin so, too: what replaces them.
const OURS: [&str; 11] = [
    "blobs",
    "layers",
    "tmp",
    "containers",
    "volumes",
    "networks",
    "swarm",
    "builder",
    "images.",
    "store.lock",
    "events.",
];

/// How long the network helper may take when its last container has ended.
const LEAVING: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

impl Engine {
    /// Ends what runs and removes all there is. Gives the names of what else is in the data
    /// root, which stays.
    ///
    /// # Errors
    /// When something cannot be ended or removed.
    pub fn reset(&self, session: &Session) -> Result<Vec<String>, EngineError> {
        self.remove_all(session)?;
        self.await_helper();
        let data = &self.paths.data;
        for name in self.entries()?.into_iter().filter(|name| is_ours(name)) {
            remove_tree(&data.join(name))?;
        }
        self.remove_runtime_folder()?;
        let left = self.entries()?;
        if left.is_empty() {
            // One that is a mount point, or in a folder of others, stays, and is empty.
            drop(fs::remove_dir(data));
        }
        Ok(left)
    }

    /// Containers one by one, so that what runs has ended before anything of it is removed. A
    /// record that cannot be used is removed as a file.
    fn remove_all(&self, session: &Session) -> Result<(), EngineError> {
        let options = RemoveOptions { force: true, volumes: true };
        let ids = self.records.ids()?;
        let begun: Vec<_> = ids.iter().map(|id| self.begin_remove(id, options)).collect();
        let mut first = None;
        for removing in begun {
            let removed = removing.and_then(|removing| self.finish_remove(session, removing));
            first = first.or(removed.err());
        }
        let lives = |id: &String| {
            self.records.life_as_written(id).is_ok_and(|life| self.records.lives(&life))
        };
        match first {
            Some(error) if ids.iter().any(lives) => Err(error),
            _ => Ok(()),
        }
    }

    /// It ends by itself, and has files where we are about to remove them.
    fn await_helper(&self) {
        let deadline = Instant::now() + LEAVING;
        while Instant::now() < deadline && matches!(Helper::present(&self.paths), Ok(Some(_))) {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn remove_runtime_folder(&self) -> Result<(), EngineError> {
        for place in [self.paths.inside(), self.paths.network().join("hub")] {
            crate::rootfs::unmount(&place)
                .map_err(EngineError::syscall("unmount what containers had"))?;
        }
        let Some(base) = self.paths.run.parent() else { return Ok(()) };
        remove_tree(base)?;
        // A link to it, where it is elsewhere.
        match fs::remove_file(self.paths.data.join(crate::runtime_folder::NAME)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EngineError::io("remove the link to the runtime folder")(error))
            }
            _ => Ok(()),
        }
    }

    fn entries(&self) -> Result<Vec<String>, EngineError> {
        let data = &self.paths.data;
        let entries =
            fs::read_dir(data).map_err(EngineError::io(format!("read {}", data.display())))?;
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }
}

fn is_ours(name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    OURS.iter().any(|ours| name == *ours || (ours.ends_with('.') && name.starts_with(ours)))
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn other_things_are_not_ours() {
        for name in
            ["layers", "swarm", "images.json", "images.lock", "events.jsonl", ".images.json.12"]
        {
            assert!(is_ours(name), "{name}");
        }
        for name in ["images", "Documents", "layers.tar", ".ssh", "run"] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
