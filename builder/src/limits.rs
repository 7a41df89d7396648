//! Every bound of this crate, with its reason.

/// Size of a Dockerfile. What a frontend can be handed by BuildKit ends at 16 MiB.
pub const DOCKERFILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of one line, its end included: BuildKit refuses longer ones.
pub const LINE_BYTES_MAX: usize = 64 * 1024 - 1;

/// `${A:-${B:-…}}` in each other. Nobody writes five; each costs a call.
pub const SUBSTITUTION_DEPTH_MAX: usize = 64;

/// What one word may become. A line of 64 KiB that names a long variable again and again would
/// grow without end from line to line.
pub const EXPANDED_BYTES_MAX: usize = 1024 * 1024;

/// `ONBUILD` triggers in each other do not exist, so only their number counts.
pub const TRIGGERS_MAX: usize = 10_000;
