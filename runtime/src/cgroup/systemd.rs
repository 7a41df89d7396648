//! Ask systemd for a scope, or to move a process into one.
//!
//! # How it works
//!
//! A scope is a unit made of processes that exist. We ask the user's manager for one that
//! holds this process and is delegated; the cgroup is then ours to subdivide, and systemd
//! takes it away when the last process has left. The manager asks the system's one to
//! move a process that sits in a login session, which we could not do ourselves.

use std::io;
use std::path::{Path, PathBuf};

use super::control::join;
use super::dbus::{Call, Connection, Encoder};
use super::host::Host;

const DESTINATION: &str = "org.freedesktop.systemd1";
const OBJECT: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// Why systemd makes no scope for us.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScopeError {
    #[error("there is no systemd user session: XDG_RUNTIME_DIR is not set")]
    NoSession,
    #[error("systemd is not reachable at {address}: {source}")]
    Connect { address: String, source: io::Error },
    #[error("systemd refused a scope: {source}")]
    Refused { source: io::Error },
    #[error("systemd did not move us: we are still in {}", .0.display())]
    NotMoved(PathBuf),
}

/// Moves this process into a new delegated scope and returns its cgroup.
pub(super) fn make_scope(
    host: &Host,
    id: &str,
    slice: Option<&str>,
) -> Result<PathBuf, ScopeError> {
    let mut bus = open(host)?;
    let name = format!("coracle-{}", id.get(..12).unwrap_or(id));
    let refused = |source| ScopeError::Refused { source };
    let unit = format!("{name}.scope");
    let started = match start(&mut bus, &unit, slice) {
        // Left behind by a monitor that was killed, and its processes are not yet gone.
        Err(error) if error.to_string().contains("UnitExists") => {
            start(&mut bus, &format!("{name}-{}.scope", std::process::id()), slice)
        }
        other => other,
    };
    started.map_err(refused)?;
    let own = host.own_now();
    match own.file_name().and_then(|file| file.to_str()) {
        Some(file) if file.starts_with(&name) => Ok(own),
        _ => Err(ScopeError::NotMoved(own)),
    }
}

/// Moves process `pid` into `cgroup`, with systemd's help where it is in a cgroup that is
/// not ours.
///
/// # Errors
/// When neither the kernel nor systemd allows it.
pub fn enter(host: Option<&Host>, cgroup: &Path, pid: u32) -> io::Result<()> {
    let refused = match join(cgroup, pid) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let (Some(host), io::ErrorKind::PermissionDenied) = (host, refused.kind()) else {
        return Err(refused);
    };
    let Some((unit, below)) = unit_of(cgroup) else { return Err(refused) };
    let mut bus = open(host).map_err(io::Error::other)?;
    let mut body = Encoder::default();
    body.string(&unit);
    body.string(&below);
    body.array(4, |pids| pids.u32(pid));
    bus.call(manager("AttachProcessesToUnit", "ssau", body)).map(drop)
}

/// The scope a cgroup belongs to, and the path below it.
fn unit_of(cgroup: &Path) -> Option<(String, String)> {
    let text = cgroup.to_str()?;
    let at = text.find(".scope/")? + ".scope".len();
    let unit = text[..at].rsplit('/').next()?;
    Some((unit.to_owned(), text[at..].to_owned()))
}

fn open(host: &Host) -> Result<Connection, ScopeError> {
    let mut error = ScopeError::NoSession;
    for address in host.systemd_sockets() {
        let opened = Connection::open(&address).and_then(|mut bus| {
            // A bus wants a greeting first; systemd's own socket knows none.
            if !address.ends_with("systemd/private") {
                bus.call(Call {
                    destination: "org.freedesktop.DBus",
                    path: "/org/freedesktop/DBus",
                    interface: "org.freedesktop.DBus",
                    member: "Hello",
                    signature: "",
                    body: Encoder::default(),
                })?;
            }
            Ok(bus)
        });
        match opened {
            Ok(bus) => return Ok(bus),
            Err(source) => error = ScopeError::Connect { address, source },
        }
    }
    Err(error)
}

fn manager<'a>(member: &'a str, signature: &'a str, body: Encoder) -> Call<'a> {
    Call { destination: DESTINATION, path: OBJECT, interface: MANAGER, member, signature, body }
}

/// Starts a scope of this process and waits until its job is done.
fn start(bus: &mut Connection, unit: &str, slice: Option<&str>) -> io::Result<()> {
    bus.call(manager("Subscribe", "", Encoder::default()))?;
    bus.call(Call {
        destination: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
        member: "AddMatch",
        signature: "s",
        body: {
            let mut rule = Encoder::default();
            rule.string(
                "type='signal',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'",
            );
            rule
        },
    })
    .map(drop)
    // systemd's own socket has no match rules and sends everything.
    .or_else(|error| if error.kind() == io::ErrorKind::Other { Ok(()) } else { Err(error) })?;
    let serial = bus.send(manager("StartTransientUnit", "ssa(sv)a(sa(sv))", scope(unit, slice)))?;
    let mut job = None;
    let mut removed: Vec<(String, String)> = Vec::new();
    loop {
        let message = bus.receive()?;
        match message.kind {
            3 if message.reply_to == serial => {
                let text = format!("{}: {}", message.error, message.strings.join(" "));
                return Err(io::Error::other(text));
            }
            2 if message.reply_to == serial => job = message.strings.into_iter().next(),
            // (u id, o job, s unit, s result)
            4 if message.member == "JobRemoved" => {
                if let [job, _, result] = message.strings.as_slice() {
                    removed.push((job.clone(), result.clone()));
                }
            }
            _ => {}
        }
        let result = removed.iter().find(|(path, _)| Some(path) == job.as_ref());
        match result.map(|(_, result)| result.as_str()) {
            None => {}
            Some("done") => return Ok(()),
            Some(result) => return Err(io::Error::other(format!("{unit}: {result}"))),
        }
    }
}

fn scope(unit: &str, slice: Option<&str>) -> Encoder {
    let mut body = Encoder::default();
    body.string(unit);
    body.string("fail");
    body.array(8, |properties| {
        properties.property("Description", "s", |value| value.string("Coracle container"));
        properties.property("PIDs", "au", |value| {
            value.array(4, |pids| pids.u32(std::process::id()));
        });
        properties.property("Delegate", "b", |value| value.bool(true));
        // A failed scope would otherwise stay listed and keep its name taken.
        properties.property("CollectMode", "s", |value| value.string("inactive-or-failed"));
        if let Some(slice) = slice {
            properties.property("Slice", "s", |value| value.string(slice));
        }
    });
    body.array(8, |_| {});
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_a_cgroup() {
        let path = "/sys/fs/cgroup/user.slice/app.slice/coracle-1.scope/coracle-1";
        assert_eq!(
            unit_of(Path::new(path)),
            Some(("coracle-1.scope".to_owned(), "/coracle-1".to_owned()))
        );
        assert_eq!(unit_of(Path::new("/sys/fs/cgroup/coracle/coracle-1")), None);
    }
}
