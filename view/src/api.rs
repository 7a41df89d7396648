//! Versions of the Engine API whose documents differ.

/// Whose documents are wanted. They changed in Docker 29 only where this says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// Docker 28.5; what the command line prints.
    V1_51,
    /// Docker 29.7.
    V1_55,
}
