//! Extended attributes: those that belong to a file wherever it goes.

use std::os::fd::AsFd;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
use rustix::io::Errno;

/// Size limit of the kernel for the names of all attributes, and for one value (xattr(7)).
const BYTES_MAX: usize = 64 * 1024;

/// Reads and writes them, with its own space for it.
#[derive(Default)]
pub(super) struct Xattrs {
    names: Vec<u8>,
    value: Vec<u8>,
}

impl Xattrs {
    /// Names and values, sorted; none where the file system has none.
    pub(super) fn each(
        &mut self,
        file: impl AsFd,
        keeps_owner: bool,
        mut each: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Errno> {
        let file = file.as_fd();
        // Asked with no space at all, it would tell of none.
        self.names.resize(BYTES_MAX, 0);
        let length = match flistxattr(file, self.names.as_mut_slice()) {
            Ok(0) | Err(Errno::NOTSUP | Errno::NOSYS | Errno::BADF) => return Ok(()),
            outcome => outcome?,
        };
        self.value.resize(BYTES_MAX, 0);
        let mut names: Vec<&[u8]> =
            self.names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        for name in names {
            if is_reserved(name, keeps_owner) {
                continue;
            }
            match fgetxattr(file, name, self.value.as_mut_slice()) {
                Ok(length) => each(name, &self.value[..length]),
                // It went away, or is not for us.
                Err(Errno::NODATA | Errno::PERM | Errno::ACCESS) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Copies them. As with `BuildKit`, what may not be set is lost.
    pub(super) fn copy(
        &mut self,
        from: impl AsFd,
        to: impl AsFd,
        keeps_owner: bool,
    ) -> Result<(), Errno> {
        let to = to.as_fd();
        self.each(from, keeps_owner, |name, value| {
            fsetxattr(to, name, value, XattrFlags::empty()).ok();
        })
    }
}

/// What overlayfs and we keep our books by, and what belongs to the host.
pub(super) fn is_reserved(name: &[u8], keeps_owner: bool) -> bool {
    if name == coracle_image::unpack::OWNER_XATTR.as_bytes() {
        return !keeps_owner;
    }
    ["user.overlay.", "trusted.", "user.coracle.", "com.apple.", "security.selinux"]
        .iter()
        .any(|prefix| name.starts_with(prefix.as_bytes()))
}
