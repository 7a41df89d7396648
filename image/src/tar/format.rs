//! What reader and writer share: the block, and the kinds of entries with their letters.

/// Headers, and data up to its end, come in pieces of this size.
pub(super) const BLOCK: usize = 512;

/// What an entry is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EntryKind {
    #[default]
    File,
    Directory,
    Symlink,
    Hardlink,
    Fifo,
    CharDevice,
    BlockDevice,
}

impl EntryKind {
    /// The kind that a header's letter stands for; `name` is what the header calls the entry.
    pub(super) fn of_flag(flag: u8, name: &[u8]) -> Option<Self> {
        Some(match flag {
            // Before POSIX a directory was a file whose name ends in a slash.
            0 if name.ends_with(b"/") => Self::Directory,
            0 | b'0' | b'7' | b'S' => Self::File,
            b'1' => Self::Hardlink,
            b'2' => Self::Symlink,
            b'3' => Self::CharDevice,
            b'4' => Self::BlockDevice,
            b'5' | b'D' => Self::Directory,
            b'6' => Self::Fifo,
            _ => return None,
        })
    }

    /// The letter we write.
    pub(super) fn flag(self) -> u8 {
        match self {
            Self::File => b'0',
            Self::Hardlink => b'1',
            Self::Symlink => b'2',
            Self::CharDevice => b'3',
            Self::BlockDevice => b'4',
            Self::Directory => b'5',
            Self::Fifo => b'6',
        }
    }

    pub(crate) fn is_device(self) -> bool {
        matches!(self, Self::CharDevice | Self::BlockDevice)
    }
}
