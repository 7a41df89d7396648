//! Whether a program runs on its own, or needs a loader that an empty image lacks.

/// Enough of a file for its header and, where linkers put it, the table behind it.
pub(super) const HEAD_BYTES: usize = 4096;

/// Program header of the path of the loader (elf(5)).
const PT_INTERP: u32 = 3;

/// Whether a 64-bit little-endian ELF file that begins with `head` names a loader.
pub(super) fn needs_loader(head: &[u8]) -> bool {
    if !head.starts_with(b"\x7fELF\x02\x01") {
        return false;
    }
    let half = |at: usize| Some(u16::from_le_bytes(head.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let (Some(table), Some(size), Some(count)) = (word(0x20), half(0x36), half(0x38)) else {
        return false;
    };
    let Ok(table) = usize::try_from(table) else { return false };
    (0..usize::from(count))
        .map_while(|n| word(table.checked_add(n * usize::from(size))?))
        .any(|kind| kind == PT_INTERP)
}

#[cfg(test)]
mod tests {
    use super::needs_loader;

    /// A file whose two program headers have these kinds.
    fn file(kinds: [u8; 2]) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 2 * 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[0x20] = 64;
        bytes[0x36] = 56;
        bytes[0x38] = 2;
        bytes[64] = kinds[0];
        bytes[64 + 56] = kinds[1];
        bytes
    }

    #[test]
    fn a_loader_is_named_by_a_program_header() {
        assert!(needs_loader(&file([6, 3])));
        assert!(!needs_loader(&file([6, 1])));
    }

    #[test]
    fn what_is_cut_or_no_program_names_none() {
        assert!(!needs_loader(b"#!/bin/sh\n"));
        assert!(!needs_loader(&file([6, 3])[..100]));
    }
}
