//! Why a template could not be used.

/// Why a template could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It does not parse.
    #[error("{0}")]
    Parse(String),
    /// It parses but fails on this object.
    #[error("{0}")]
    Execute(String),
}
