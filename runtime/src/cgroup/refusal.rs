//! Whether limits can be set at all, found out without making anything.

use super::error::CgroupError;
use super::group::{any_on_v1, controllers_of, not_delegated};
use super::host::Host;
use super::limits;
use crate::model::Resources;

/// Why the limits could not be set here; `None` when nothing speaks against it. A systemd that listens is believed to
/// give a cgroup.
#[must_use]
pub fn refusal(host: Option<&Host>, resources: &Resources) -> Option<CgroupError> {
    let settings = match limits::plan(resources) {
        Ok(settings) if settings.is_empty() => return None,
        Ok(settings) => settings,
        Err(error) => return Some(error),
    };
    let none = |why: &str| Some(not_delegated(&settings, why.to_owned()));
    let Some(host) = host else { return none("this host has no cgroup v2") };
    let Some((_, there)) = host.delegated_controllers() else {
        return none("none can be written to, and no systemd listens");
    };
    let mut missing = controllers_of(&settings);
    missing.retain(|wanted| !there.iter().any(|name| name == wanted));
    let on_v1 = any_on_v1(&missing);
    let base = host.own.clone();
    (!missing.is_empty()).then_some(CgroupError::ControllerMissing { missing, base, on_v1 })
}
