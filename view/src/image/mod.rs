//! Images: found, named, filtered, listed, inspected.

mod document;
mod filter;
mod find;
mod history;
mod labels;
mod list;
mod names;
mod prune;
mod stored;
#[cfg(test)]
pub(crate) mod tests;

pub use document::{Descriptor, document, typed_document};
pub use filter::FILTERS;
pub use find::{Resolved, find, find_for, platform, resolve, stored_name, with_tag};
pub use history::{HistoryStep, history};
pub use labels::{labels, parse_time};
pub(crate) use list::container_counts;
pub use list::{ImageSummary, ListOptions, list};
pub use names::{ImageNames, readable};
pub use prune::{PRUNE_FILTERS, prunable};
pub use stored::{Bytes, Stored, Variant, stored};
