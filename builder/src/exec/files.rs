//! Steps that are about files: their content for ids, and the copying, in children.

mod carry_out;
mod contexts;
mod materialise;
mod mounted;
mod parts;

pub(super) use carry_out::{Carried, Taken, carry_out};
pub(super) use contexts::{Contexts, Shown, context_title};
pub(super) use materialise::{Shown as ShownByMount, materialise};
pub(super) use mounted::{Mounted, leave};
pub(super) use parts::{digests, part, selectors};

use super::error::StepError;
use crate::files::FilesError;

impl From<FilesError> for StepError {
    fn from(error: FilesError) -> Self {
        let is_internal = error.kind() == coracle_words::ErrorKind::Internal;
        let mut message = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            message = format!("{message}: {cause}");
        }
        Self { is_internal, hint: error.hint(), ..Self::new(message) }
    }
}
