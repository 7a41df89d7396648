//! Tasks as `service ps`, `node ps` and `stack ps` print them; `rows` has the columns.

mod print;
pub(crate) mod rows;

pub(crate) use print::{Layout, print};
