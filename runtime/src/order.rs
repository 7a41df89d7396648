//! What a monitor is told, and with it the parent of an `exec` session: which container, where its
//! things are, and what the command line found out about this machine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::Attach;
use crate::paths::Paths;

/// What a monitor is told to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MonitorOrder {
    pub id: String,
    pub data: PathBuf,
    pub run: PathBuf,
    /// Where the layers of images are.
    pub layers: PathBuf,
    /// The executable, for `--init`.
    pub exe: PathBuf,
    pub single_id: bool,
    pub cgroup: crate::cgroup::Settings,
    /// The network helper does without nf_tables though it may be there.
    pub packets: bool,
    /// What is added to ports that are root's when they are published; 0: nothing.
    pub low_ports: u16,
    /// Limits that cannot be set are left out, with a warning.
    pub limits_optional: bool,
    pub attach: Attach,
}

impl MonitorOrder {
    pub(crate) fn paths(&self) -> Paths {
        Paths { data: self.data.clone(), run: self.run.clone() }
    }

    /// The cgroup tree as this process sees it.
    pub(crate) fn cgroups(&self) -> Option<crate::cgroup::Host> {
        crate::cgroup::Host::detect(&self.cgroup)
    }
}
