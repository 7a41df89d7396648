//! Core dumps without memory, for a process that has secrets in its hands.
//!
//! The kernel hands the filter down to children, so that a monitor takes it back before it is executed: what runs in a
//! container dumps as it would without us.

use std::fs;
use std::sync::OnceLock;

/// What is dumped, a bit for each kind of memory (core(5)).
const FILTER: &str = "/proc/self/coredump_filter";

/// What it was before.
static BEFORE: OnceLock<String> = OnceLock::new();

/// From now on no memory of this process gets into a core dump. Where the kernel makes none there is nothing to do.
pub fn forbid() {
    let Ok(before) = fs::read_to_string(FILTER) else { return };
    // In hexadecimal, without the mark of it.
    BEFORE.get_or_init(|| format!("0x{}", before.trim()));
    drop(fs::write(FILTER, "0"));
}

/// In a child of such a process: as it was.
pub(crate) fn allow_again() {
    if let Some(before) = BEFORE.get() {
        drop(fs::write(FILTER, before));
    }
}
