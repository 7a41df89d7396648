//! What the name server bounds, and why there.

use std::time::Duration;

/// Seconds a container may keep an answer from the table; what Docker says.
pub(super) const TTL_SECONDS: u32 = 600;

/// Bytes of an answer over UDP without EDNS (RFC 1035).
pub(super) const UDP_BYTES_MIN: u16 = 512;

/// Bytes of an answer over UDP that we promise with EDNS: fits any path without fragments.
pub(super) const UDP_BYTES_MAX: u16 = 1232;

/// Bytes of a question. A name has 255 at most; the rest is room for EDNS options.
pub(super) const QUERY_BYTES_MAX: usize = 1232;

/// Questions waiting for another server: with [`QUERY_BYTES_MAX`], under 2 MB.
pub(super) const PENDING_MAX: usize = 1024;

/// Of those, questions of one asker: a flood pushes out its own before anyone else's.
pub(super) const PENDING_PER_ASKER_MAX: usize = 256;

/// Name servers asked for one question; as many as glibc and Docker take.
pub(super) const RESOLVERS_MAX: usize = 3;

/// For an answer of one server, unless `resolv.conf` says otherwise: Docker's, and less than
/// the five seconds after which a container's own resolver asks again.
pub(super) const TIMEOUT: Duration = Duration::from_secs(4);

/// The most that `options timeout:` and `attempts:` can say; glibc's.
pub(super) const TIMEOUT_SECONDS_MAX: u64 = 30;
pub(super) const ATTEMPTS_MAX: usize = 5;

/// glibc's, unless `resolv.conf` says otherwise.
pub(super) const ATTEMPTS: usize = 2;

/// How long a server that did not answer is asked last, so that not each question waits for it.
pub(super) const SILENT_FOR: Duration = Duration::from_secs(30);

/// Servers remembered as silent.
pub(super) const SILENT_MAX: usize = 64;
