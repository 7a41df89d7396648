//! Every bound of the server, with its reason.

use std::time::Duration;

/// Connections at once; more wait in the kernel's queue. Far below the usual 1024 descriptors.
pub(super) const CONNECTIONS_MAX: usize = 128;

/// Request line and header fields together, as most servers have it.
pub(super) const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Header fields of one request; browsers behind proxies send about 30.
pub(super) const FIELDS_MAX: usize = 100;

/// Time for a whole request head, however slowly its bytes arrive.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);

/// Time between two requests on one connection.
pub(super) const IDLE_TIME: Duration = Duration::from_secs(30);

/// Time for the client to take a whole answer.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Time for the client to close its side after ours, while what it still sends is dropped:
/// closing earlier could make it lose the answer.
pub(super) const LINGER_TIME: Duration = Duration::from_secs(2);

/// Time of each step of the health check, whose own limit is longer.
pub(super) const PROBE_TIME: Duration = Duration::from_secs(2);
