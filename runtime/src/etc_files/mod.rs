//! The text of `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`, as Docker writes them.
//!
//! # How it works
//!
//! Everything is text in, text out: the caller reads the host's files, says which
//! network the container has, and writes the results to the container's directory.
//!
//! # Not here
//!
//! Containers that share another's network share its files too, and need none of this.

mod hosts;
mod resolv_conf;

pub use hosts::{Address, Hosts, HostsError, hostname_file};
pub use resolv_conf::{Nameservers, Overrides, ResolvConf, wants_systemd_file};
