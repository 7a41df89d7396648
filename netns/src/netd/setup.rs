//! How a helper begins: namespaces, devices, isolation, then the loop.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Instant;

use coracle_sys::SyscallError;
use coracle_sys::error::Context;
use rustix::fs::{Mode, OFlags};
use rustix::mount::MountFlags;
use serde::{Deserialize, Serialize};

use super::end::Exit;
use super::isolate::{isolate, isolate_loop};
use super::names::Names;
use super::run::Netd;
use crate::flow::{Kit, Wire};
use crate::hub::{self, Hub, HubError};
use crate::maker::Maker;
use crate::netlink::Netlink;

/// What a helper is told when it is started. Its door, a listening `SOCK_SEQPACKET`, is handed
/// over as a descriptor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// Its folder: `netd.sock`, `lock`, `hub`.
    pub folder: PathBuf,
    /// Do without nf_tables though it may be there.
    pub packets: bool,
}

/// Why a helper cannot begin.
#[derive(Debug, thiserror::Error)]
enum SetupError {
    #[error(transparent)]
    Call(#[from] SyscallError),
    #[error(transparent)]
    Hub(#[from] HubError),
    #[error("cannot start the thread in the hub")]
    Thread(#[from] io::Error),
}

/// What a network helper does, from its start on; returns its exit code.
#[must_use]
pub fn main(settings: &Settings, door: OwnedFd) -> i32 {
    match begin(settings, door) {
        Ok(mut netd) => i32::from(netd.live().is_err()),
        Err(error) => {
            let text = match &error {
                SetupError::Hub(error) => error.describe(),
                other => {
                    let source = std::error::Error::source(other);
                    let cause = source.map(|cause| format!(": {cause}")).unwrap_or_default();
                    format!("{other}{cause}")
                }
            };
            // Whoever waits at the door hears of it by the door's closing; the words are for
            // whoever looks into it.
            drop(std::fs::write(settings.folder.join("error"), format!("{text}\n")));
            1
        }
    }
}

/// What the thread in the hub brings back.
struct Entered {
    hub: Hub,
    wire: OwnedFd,
    marks: Option<Netlink>,
}

fn begin(settings: &Settings, door: OwnedFd) -> Result<Netd, SetupError> {
    let Settings { folder, packets } = settings.clone();
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .call(|| format!("open({}/lock)", folder.display()))?;
    let (maker, entered) = Maker::start(move || enter(&folder, packets))?;
    let poller = rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC)
        .call(|| "epoll_create1()".into())?;
    let wire = Wire::new(entered.wire, hub::FAR_MAC, hub::NEAR_MAC, hub::WIRE_MTU);
    let mut kit = Kit {
        poller,
        wire,
        maker,
        pipes: crate::flow::Pipes::default(),
        now: Instant::now(),
        marks: entered.marks.is_some(),
        rules: entered.marks,
    };
    let names = Names::open(&mut kit.maker).call(|| "bind(127.0.0.11:53) in the hub".into())?;
    let exit = Exit { lock, socket: settings.folder.join("netd.sock") };
    let netd = Netd::new(kit, entered.hub, names, door, exit).call(|| "epoll_ctl()".into())?;
    isolate_loop(&settings.folder)?;
    Ok(netd)
}

/// Moves this thread into the hub, made or found, with a wire in it.
fn enter(folder: &Path, packets: bool) -> Result<Entered, SetupError> {
    coracle_sys::network::new_network()?;
    let void = coracle_sys::network::this_network()?;
    let void_netlink = Netlink::here()?;
    let wire = coracle_sys::sockets::packet_socket()?;
    enter_hub(&folder.join("hub"))?;
    let (mut hub, device) = Hub::set_up(Netlink::here()?, &void_netlink, void.as_fd())?;
    coracle_sys::sockets::bind_packet(&wire, device)?;
    let marks = if packets { None } else { hub.mark_known_connections()? };
    if marks.is_none() {
        pass_on_known_packets()?;
    }
    isolate(&[])?;
    Ok(Entered { hub, wire, marks })
}

/// Lets packets that have a socket in this namespace be forwarded all the same: without marks
/// they go up the wire first. The kernel drops what it had found a socket for early.
fn pass_on_known_packets() -> Result<(), SyscallError> {
    const PATH: &str = "/proc/sys/net/ipv4/ip_early_demux";
    std::fs::write(PATH, "0").call(|| format!("write({PATH}, 0), needed without nf_tables"))
}

/// Joins the hub that a helper before us left pinned, or makes one and pins it.
///
/// The pin is a file on a tmpfs of the session's mount namespace: it goes with the namespace,
/// and nothing but an empty folder is ever seen by others.
fn enter_hub(folder: &Path) -> Result<(), SyscallError> {
    let pin = folder.join("ns");
    let open = rustix::fs::open(&pin, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    if let Ok(found) = open {
        return coracle_sys::network::enter_network(found.as_fd());
    }
    std::fs::create_dir_all(folder).call(|| format!("mkdir({})", folder.display()))?;
    coracle_sys::network::new_network()?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("tmpfs", folder, "tmpfs", flags, c"size=4k,mode=700")
        .call(|| format!("mount(tmpfs on {})", folder.display()))?;
    File::create(&pin).call(|| format!("create({})", pin.display()))?;
    rustix::mount::mount_bind("/proc/thread-self/ns/net", &pin)
        .call(|| format!("mount(--bind /proc/thread-self/ns/net {})", pin.display()))
}
