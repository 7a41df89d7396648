//! What an engine has to know of this host and user, looked up once.

use std::path::PathBuf;

use crate::EngineError;

/// What the libraries do not look up for themselves.
#[derive(Debug)]
pub struct HostFacts {
    /// This executable.
    pub exe: PathBuf,
    /// The user's name, by which /etc/subuid may list the user's ids.
    pub user_name: Option<String>,
    /// Whether this process may write any id map, as root may.
    pub may_map_ids: bool,
}

impl HostFacts {
    /// # Errors
    /// When this executable cannot be found.
    pub fn look() -> Result<Self, EngineError> {
        let exe = std::fs::read_link("/proc/self/exe")
            .map_err(EngineError::io("find this executable"))?;
        let uid = rustix::process::geteuid().as_raw();
        Ok(Self { exe, user_name: user_name(uid), may_map_ids: may_map_ids() })
    }
}

/// Whether this process may write any id map, as root may, also in a container. The last
/// is needed to map id 0.
fn may_map_ids() -> bool {
    use rustix::thread::CapabilitySet;
    let wanted = CapabilitySet::SETUID | CapabilitySet::SETGID | CapabilitySet::SETFCAP;
    rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(wanted))
}

/// The name of a user, by which /etc/subuid may list the user's ids.
fn user_name(uid: u32) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let wanted = uid.to_string();
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == wanted).then(|| name.to_owned())
    })
}
