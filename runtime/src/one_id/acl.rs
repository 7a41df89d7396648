//! Access lists that name ids which are not mapped. Pure.
//!
//! The kernel takes no such list ("Invalid argument"). Programs are prepared for a file
//! system that keeps no lists, so that is what they are told.

/// Both lists a file may have.
const NAMES: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];
/// Bytes of `name` that must be read to tell: the longest, and its NUL.
pub(super) const NAME_BYTES_MAX: usize = 25;
/// Bytes of a list that are looked at: more than any file system keeps.
pub(super) const LIST_BYTES_MAX: usize = 64 * 1024;

const HEADER_BYTES: usize = 4;
const ENTRY_BYTES: usize = 8;
/// Tags of entries for a named user and a named group (acl(5)).
const NAMED: [u16; 2] = [0x02, 0x08];

/// Whether an attribute of this name (NUL-terminated) is an access list.
pub(super) fn is_list(name: &[u8]) -> bool {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    NAMES.contains(&&name[..end])
}

/// Whether the list names anybody but root, whose id alone is mapped.
pub(super) fn names_others(list: &[u8]) -> bool {
    let entries = list.get(HEADER_BYTES..).unwrap_or_default();
    entries.chunks_exact(ENTRY_BYTES).any(|entry| {
        let tag = u16::from_le_bytes([entry[0], entry[1]]);
        let id = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
        NAMED.contains(&tag) && id != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_name_others_are_told_apart() {
        let list = |entries: &[(u16, u32)]| {
            let mut bytes = 2u32.to_le_bytes().to_vec();
            for (tag, id) in entries {
                bytes.extend(tag.to_le_bytes());
                bytes.extend(6u16.to_le_bytes());
                bytes.extend(id.to_le_bytes());
            }
            bytes
        };
        let plain = [(0x01, u32::MAX), (0x04, u32::MAX), (0x20, u32::MAX)];
        assert!(!names_others(&list(&plain)));
        assert!(!names_others(&list(&[(0x02, 0), (0x08, 0)])));
        assert!(names_others(&list(&[(0x01, u32::MAX), (0x02, 33)])));
        assert!(names_others(&list(&[(0x08, 1)])));
        assert!(!names_others(b"") && !names_others(b"\x02"));
        assert!(is_list(b"system.posix_acl_default\0rest") && is_list(b"system.posix_acl_access"));
        assert!(!is_list(b"user.x\0") && !is_list(b""));
    }
}
