//! The socket of a Docker daemon in mounts: where there is no daemon, that of the user's own Engine API stands for it.
//!
//! Whoever has the socket can do all that the user can: so it is given away only where the settings say so, or to what
//! a session of the API made, which has the session's.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::EngineError;
use crate::model::ContainerMount;

/// Where a daemon's socket is.
pub const PLACES: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];
/// How it is allowed.
pub const ALLOWED_BY: &str =
    "CORACLE_DOCKER_SOCKET=own, or \"docker-socket\": \"own\" in the settings";

/// The user's own socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DockerSocket {
    /// Where it is; nobody knows where there is no folder for it.
    pub own: Option<PathBuf>,
    /// Containers may have it.
    pub allowed: bool,
}

impl DockerSocket {
    /// Whether this path is to be the user's own socket.
    #[must_use]
    pub fn stands_for(&self, path: &str) -> bool {
        PLACES.contains(&path) && fs::symlink_metadata(path).is_err()
    }

    fn is_own(&self, path: &Path) -> bool {
        let Some(own) = &self.own else { return false };
        // Links lead to it too.
        let known = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
        own == path || known(own).is_some_and(|own| known(path) == Some(own))
    }

    /// Puts the user's socket in the place of a daemon's.
    pub(crate) fn place(&self, mount: &mut ContainerMount) -> Result<(), EngineError> {
        let source = &mount.point.source;
        let stands = self.stands_for(source);
        if !stands && !self.is_own(Path::new(source)) {
            return Ok(());
        }
        let refuse = |why: &str| EngineError::Refuse(format!("cannot mount {source}: {why}"));
        if !self.allowed {
            let why = match stands {
                true => "no Docker daemon listens there",
                false => "whoever has the socket of the Engine API can do all that you can",
            };
            return Err(refuse(&format!(
                "{why}; {ALLOWED_BY} lets containers have that of your own Engine API"
            )));
        }
        let Some(own) = &self.own else {
            return Err(refuse(
                "there is no folder for a socket of the Engine API: XDG_RUNTIME_DIR is not set",
            ));
        };
        mount.point.source = own.display().to_string();
        mount.create_source = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(socket: &DockerSocket, source: &str) -> Result<String, String> {
        let mut mount = ContainerMount::default();
        mount.point.source = source.to_owned();
        socket.place(&mut mount).map(|()| mount.point.source).map_err(|error| error.to_string())
    }

    #[test]
    fn only_who_is_allowed_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("docker.sock");
        let link = folder.path().join("link");
        std::fs::write(&own, "").unwrap();
        std::os::unix::fs::symlink(&own, &link).unwrap();
        let mut socket = DockerSocket { own: Some(own.clone()), allowed: false };
        let own = own.display().to_string();
        assert_eq!(placed(&socket, "/srv").unwrap(), "/srv");
        assert!(placed(&socket, &own).unwrap_err().contains("docker-socket"));
        assert!(placed(&socket, &link.display().to_string()).is_err());
        socket.allowed = true;
        assert_eq!(placed(&socket, &own).unwrap(), own);
        if fs::symlink_metadata(PLACES[0]).is_err() {
            assert_eq!(placed(&socket, PLACES[0]).unwrap(), own);
            socket.own = None;
            assert!(placed(&socket, PLACES[0]).unwrap_err().contains("XDG_RUNTIME_DIR"));
        }
    }
}
