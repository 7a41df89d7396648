//! Bounds on what a context or an archive may ask of us.

/// Folders within folders: each holds a descriptor or two open while what is in it is walked.
pub const FOLDER_DEPTH_MAX: usize = 400;

/// Links followed in one path, as the kernel has it.
pub const LINKS_MAX: usize = 40;

/// Bytes of a path of a file in a tree.
pub const PATH_BYTES_MAX: usize = 4096;

/// Bytes read at once.
pub const BUFFER_BYTES: usize = 128 * 1024;

/// Bytes of `/etc/passwd` and `/etc/group` that are looked through for a name.
pub const ACCOUNTS_BYTES_MAX: u64 = 16 << 20;

/// Files whose digests are remembered.
pub const HASHES_MAX: usize = 500_000;

/// Files with several names whose digests are remembered within one walk.
pub const LINKED_FILES_MAX: usize = 100_000;

/// Entries of an archive.
pub const ARCHIVE_ENTRIES_MAX: u64 = 10_000_000;

/// Bytes of one file: more than that is a hole that somebody put there.
pub const FILE_BYTES_MAX: u64 = 4 << 40;
