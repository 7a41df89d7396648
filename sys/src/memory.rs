//! Memory of this process that the kernel need not keep mapped.

use std::ffi::c_int;
use std::io;

use crate::error::{Context, SyscallError};

/// Takes this program's code and constants out of the process's page tables; what is used again comes back
/// from the page cache, a few pages at a time. For a process that starts with much code and then waits
/// with little.
///
/// # Errors
/// As `madvise(2)`.
pub fn release_program_pages() -> Result<(), SyscallError> {
    let mut segments: Vec<Segment> = Vec::new();
    // SAFETY: `collect` has the type that the call asks for, and gets back the pointer that is passed on
    // here; `segments` outlives the call, which keeps nothing.
    unsafe { libc::dl_iterate_phdr(Some(collect), (&raw mut segments).cast()) };
    let page = rustix::param::page_size();
    for segment in segments {
        let start = segment.start.next_multiple_of(page);
        let end = (segment.start + segment.length) / page * page;
        let Some(length) = end.checked_sub(start).filter(|length| *length > 0) else { continue };
        let address = std::ptr::without_provenance_mut(start);
        // SAFETY: the range is a segment of this program that was mapped without PF_W from its file, so no
        // page of it was ever changed and each comes back with the same content when it is touched.
        let done = unsafe { libc::madvise(address, length, libc::MADV_DONTNEED) };
        if done != 0 {
            return Err(io::Error::last_os_error())
                .call(|| format!("madvise({start:#x}, {length}, MADV_DONTNEED)"));
        }
    }
    Ok(())
}

/// A read-only segment of the program.
#[derive(Debug)]
struct Segment {
    start: usize,
    length: usize,
}

extern "C" fn collect(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    data: *mut libc::c_void,
) -> c_int {
    // SAFETY: `dl_iterate_phdr` passes a valid object that lives as long as this call.
    let info = unsafe { &*info };
    // SAFETY: `data` is the vector of the only caller, who does not use it meanwhile.
    let segments = unsafe { &mut *data.cast::<Vec<Segment>>() };
    // SAFETY: the object has `dlpi_phnum` headers from `dlpi_phdr` on, mapped as long as the object is.
    let headers =
        unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    for header in headers {
        if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0 {
            let address = info.dlpi_addr.wrapping_add(header.p_vaddr);
            let (Ok(start), Ok(length)) =
                (usize::try_from(address), usize::try_from(header.p_memsz))
            else {
                continue;
            };
            segments.push(Segment { start, length });
        }
    }
    // The first object is the program; others are libraries, of which the static one has none.
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    static CONSTANT: [u8; 8192] = [7; 8192];

    #[test]
    fn what_is_released_comes_back_with_its_content() {
        release_program_pages().expect("our own pages can be released");
        assert!(std::hint::black_box(&CONSTANT).iter().all(|byte| *byte == 7));
        let text =
            std::fs::read_to_string("/proc/self/smaps_rollup").expect("a text of the kernel");
        assert!(text.contains("Rss:"));
    }
}
