//! Mounts that no step can have.

use std::path::Path;

use crate::ignore::clean;
use crate::instruction::mount::{Mount, Type};
use crate::source::Fault;

pub(super) fn check(mount: &Mount, working_dir: &str) -> Result<(), Fault> {
    // Those have places of their own.
    if matches!(mount.kind, Type::Secret | Type::Ssh) {
        return Ok(());
    }
    let target = clean(&Path::new("/").join(working_dir).join(&mount.target));
    if target == Path::new("/") {
        return Err(Fault::new(format!("invalid mount target {:?}", "/")));
    }
    Ok(())
}
