//! Why something in the hub could not be done.

use std::io;
use std::net::IpAddr;

use coracle_sys::SyscallError;
use rustix::io::Errno;

use crate::netlink::NetlinkError;
use crate::nft::NftError;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    #[error(transparent)]
    Call(#[from] SyscallError),
    #[error(transparent)]
    Nft(#[from] NftError),
    #[error("network {network} cannot have the subnet {address}/{prefix} with gateway {gateway}")]
    Subnet { network: String, address: IpAddr, prefix: u8, gateway: IpAddr },
    #[error("the kernel has no IPv6, which network {network} needs")]
    NoIpv6 { network: String },
    #[error("IPv6 packets cannot leave their network: cannot write {path}")]
    Forwarding { path: &'static str, source: io::Error },
}

impl HubError {
    /// The error with its causes, and what to do where that is known.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        if matches!(self, Self::Netlink(error) if error.is(Errno::OPNOTSUPP)) {
            text.push_str(REMEDY);
        }
        text
    }
}

/// A kernel that knows a kind of device loads it when it is asked for, unless that is switched off.
const REMEDY: &str =
    "; if the kernel may not load its modules by itself: sudo modprobe -a veth bridge";
