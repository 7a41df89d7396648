//! Why something in the hub could not be done.

use std::io;
use std::net::IpAddr;

use coracle_sys::SyscallError;

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
