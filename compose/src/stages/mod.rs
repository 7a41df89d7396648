//! What is done to the tree, one stage a file; `load` calls them in the order in which they
//! stand here.
//!
//! A stage is pure: a tree and the table of attributes in, a tree or a fault out.

pub(crate) mod canonical;
pub(crate) mod check;
pub(crate) mod consistency;
pub(crate) mod decode;
pub(crate) mod defaults;
pub(crate) mod descend;
pub(crate) mod environment;
pub(crate) mod interpolate;
pub(crate) mod merge;
pub(crate) mod normalize;
pub(crate) mod paths;
pub(crate) mod print;
pub(crate) mod rules;
pub(crate) mod select;
pub(crate) mod unique;
