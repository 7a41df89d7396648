//! What can be done inside namespaces of our own; tried in a child that ends at once.

use std::fs;
use std::io;
use std::path::Path;

use coracle_sys::{SyscallError, probe};
use rustix::io::Errno;
use rustix::mount::MountFlags;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};
use serde::{Deserialize, Serialize};

use super::files;
use super::rung::Rung;

/// Error numbers; `None` is success.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Inside {
    overlay: Option<i32>,
    terminals: Option<i32>,
    tun: Option<i32>,
    nf_tables: Option<i32>,
}

/// Tries. The error is the refusal of the namespaces themselves.
pub(super) fn look(data: &Path) -> Result<Inside, SyscallError> {
    let folder = data.join(format!(".probe-overlay-{}", std::process::id()));
    let made = ["lower", "upper", "work", "merged"]
        .iter()
        .try_for_each(|name| fs::create_dir_all(folder.join(name)));
    let report = probe::in_user_namespace(|| {
        let number = |result: Result<(), Errno>| result.err().map(Errno::raw_os_error);
        let inside = Inside {
            overlay: match &made {
                Ok(()) => number(overlay(&folder)),
                Err(error) => Some(error.raw_os_error().unwrap_or(0)),
            },
            terminals: number(terminals(&folder)),
            tun: number(files::open("/dev/net/tun")),
            nf_tables: number(nf_tables()),
        };
        serde_json::to_vec(&inside).unwrap_or_default()
    });
    // The kernel leaves a folder of its own, readable by nobody, in the work folder.
    drop(fs::remove_dir(folder.join("work/work")));
    drop(fs::remove_dir_all(&folder));
    serde_json::from_slice(&report?).map_err(|error| SyscallError {
        call: "read the probe's report".to_owned(),
        source: io::Error::other(error),
    })
}

fn overlay(folder: &Path) -> Result<(), Errno> {
    let part = |name: &str| folder.join(name).display().to_string();
    let options = format!(
        "lowerdir={},upperdir={},workdir={},userxattr",
        part("lower"),
        part("upper"),
        part("work")
    );
    let options = std::ffi::CString::new(options).map_err(|_| Errno::INVAL)?;
    let target = folder.join("merged");
    rustix::mount::mount("overlay", &target, "overlay", MountFlags::empty(), options.as_c_str())
}

fn terminals(folder: &Path) -> Result<(), Errno> {
    // The overlay is mounted on `merged` by now; any folder of ours will do.
    let options = c"newinstance,ptmxmode=0666,mode=620";
    rustix::mount::mount("devpts", folder.join("lower"), "devpts", MountFlags::empty(), options)
}

/// Asks nf_tables for its generation, in a network namespace of our own.
fn nf_tables() -> Result<(), Errno> {
    const SUBSYSTEM: u8 = 10;
    const GET_GENERATION: u8 = 16;
    const REQUEST: u16 = 1;
    const MESSAGE_IS_ERROR: u16 = 2;
    probe::unshare_network()
        .map_err(|error| error.errno().map_or(Errno::INVAL, Errno::from_raw_os_error))?;
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::NETFILTER),
    )?;
    // nlmsghdr (length, type, flags, sequence, port) and nfgenmsg (family, version, id).
    let mut message = Vec::new();
    message.extend(20u32.to_ne_bytes());
    message.extend([GET_GENERATION, SUBSYSTEM]);
    message.extend(REQUEST.to_ne_bytes());
    message.extend([0u8; 12]);
    if cfg!(target_endian = "big") {
        message[4..6].reverse();
    }
    let kernel = netlink::SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(&socket, &message, SendFlags::empty(), &kernel)?;
    let mut answer = [0u8; 512];
    let (length, _) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::DONTWAIT)?;
    let kind = answer.get(4..6).map_or(0, |bytes| u16::from_ne_bytes([bytes[0], bytes[1]]));
    if length >= 20 && kind == MESSAGE_IS_ERROR {
        let error = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
        return Err(Errno::from_raw_os_error(error.saturating_neg()));
    }
    Ok(())
}

/// The rungs; `None` when there were no namespaces to try in.
pub(super) fn rungs(inside: Option<&Inside>) -> Vec<Rung> {
    let nowhere = Inside {
        overlay: Some(Errno::PERM.raw_os_error()),
        terminals: Some(Errno::PERM.raw_os_error()),
        tun: files::open("/dev/net/tun").err().map(Errno::raw_os_error),
        nf_tables: Some(Errno::PERM.raw_os_error()),
    };
    let inside = inside.unwrap_or(&nowhere);
    let text = |number: i32| files::describe(Errno::from_raw_os_error(number));
    let overlay = match inside.overlay {
        None => Rung::have("overlay", "overlayfs mounts in a user namespace"),
        Some(number) => Rung::fall_back(
            "overlay",
            format!("copies of the image's files: mount(overlay, userxattr): {}", text(number)),
            "time and space when a container starts",
            match super::host::container() {
                Some(_) => "give the container we are in a volume for the folder with our images",
                None => {
                    "use Linux 5.11 or newer with overlayfs, and keep images on ext4, xfs, btrfs \
                     or tmpfs"
                }
            },
        ),
    };
    let terminals = match inside.terminals {
        None => Rung::have("terminals", "devpts mounts in a user namespace"),
        Some(number) => Rung::refused(
            "terminals",
            format!("mount(devpts): {}", text(number)),
            "use a kernel with CONFIG_UNIX98_PTYS=y, and see user-namespaces",
        ),
    };
    let tun = match inside.tun {
        None => Rung::have("tun", "/dev/net/tun can be opened"),
        Some(number) => Rung::fall_back(
            "tun",
            format!("none: /dev/net/tun: {}", text(number)),
            "`--device /dev/net/tun`; networks do without it",
            "as root: `modprobe tun && chmod 666 /dev/net/tun`",
        ),
    };
    let nf_tables = match inside.nf_tables {
        None => Rung::have("nf-tables", "answers in a network namespace of ours"),
        Some(number) => Rung::fall_back(
            "nf-tables",
            format!("all packets by way of the network helper: {}", text(number)),
            "speed of published ports and of traffic to the outside",
            "as root: `modprobe nf_tables`",
        ),
    };
    vec![overlay, terminals, tun, nf_tables]
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;

    #[test]
    fn answers_become_rungs() {
        let all = rungs(Some(&Inside::default()));
        let names: Vec<&str> = all.iter().map(|rung| rung.name).collect();
        assert_eq!(names, ["overlay", "terminals", "tun", "nf-tables"]);
        assert!(all.iter().all(|rung| matches!(rung.answer, Answer::Have(_))));
        let none = rungs(None);
        assert!(matches!(none[0].answer, Answer::FallBack { .. }));
        assert!(matches!(none[1].answer, Answer::Refused(_)));
    }
}
