//! `--ulimit`: limits of a process, from their names to setrlimit(2).
//!
//! They are set as the last step before the program: libcontainer would set them before its own
//! work, and fail on a small `nofile` or `nproc`.

use rustix::process::{Resource, Rlimit};
use serde::{Deserialize, Serialize};

use super::error::SpecError;
use crate::model::Ulimit;

/// A limit that was checked; `None` is unlimited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessLimit {
    name: String,
    soft: Option<u64>,
    hard: Option<u64>,
}

pub(super) fn limits(ulimits: &[Ulimit]) -> Result<Vec<ProcessLimit>, SpecError> {
    ulimits.iter().map(limit).collect()
}

fn limit(ulimit: &Ulimit) -> Result<ProcessLimit, SpecError> {
    if resource(&ulimit.name).is_none() {
        return Err(SpecError::UlimitName { name: ulimit.name.clone() });
    }
    if ulimit.hard != -1 && (ulimit.soft == -1 || ulimit.soft > ulimit.hard) {
        return Err(SpecError::UlimitOrder { soft: ulimit.soft, hard: ulimit.hard });
    }
    // Below zero is unlimited: to Docker such a number is one of 64 bits without a sign.
    let value = |value: i64| u64::try_from(value).ok();
    let (soft, hard) = (value(ulimit.soft), value(ulimit.hard));
    Ok(ProcessLimit { name: ulimit.name.clone(), soft, hard })
}

impl ProcessLimit {
    /// Limits this process.
    ///
    /// # Errors
    /// A hard limit above ours, with what it is and what to do.
    pub(crate) fn apply(&self) -> Result<(), (String, Option<String>)> {
        let Some(resource) = resource(&self.name) else { return Ok(()) };
        let wanted = Rlimit { current: self.soft, maximum: self.hard };
        rustix::process::setrlimit(resource, wanted).map_err(|errno| {
            let text = |value: Option<u64>| {
                value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string())
            };
            let ours = rustix::process::getrlimit(resource).maximum;
            let (name, hard) = (&self.name, text(self.hard));
            let hint = (errno == rustix::io::Errno::PERM).then(|| {
                format!(
                    "the hard limit of {name} is {} here, and only root can raise it \
                     (limits.conf(5), LimitNOFILE= and others in systemd.exec(5))",
                    text(ours)
                )
            });
            (format!("error setting ulimit {name}={}:{hard}: {errno}", text(self.soft)), hint)
        })
    }
}

fn resource(name: &str) -> Option<Resource> {
    Some(match name {
        "core" => Resource::Core,
        "cpu" => Resource::Cpu,
        "data" => Resource::Data,
        "fsize" => Resource::Fsize,
        "locks" => Resource::Locks,
        "memlock" => Resource::Memlock,
        "msgqueue" => Resource::Msgqueue,
        "nice" => Resource::Nice,
        "nofile" => Resource::Nofile,
        "nproc" => Resource::Nproc,
        "rss" => Resource::Rss,
        "rtprio" => Resource::Rtprio,
        "rttime" => Resource::Rttime,
        "sigpending" => Resource::Sigpending,
        "stack" => Resource::Stack,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_checked_and_infinite_at_minus_one() {
        let made = |name: &str, soft, hard| limit(&Ulimit { name: name.to_owned(), soft, hard });
        let set = made("nofile", 100, 200).unwrap();
        assert_eq!((set.soft, set.hard), (Some(100), Some(200)));
        assert_eq!(made("core", -1, -1).unwrap().hard, None);
        assert_eq!(
            made("nofile", 200, 100).unwrap_err().to_string(),
            "ulimit soft limit must be less than or equal to hard limit: 200 > 100"
        );
        assert_eq!(made("bogus", 1, 1).unwrap_err().to_string(), "invalid ulimit type: bogus");
    }
}
