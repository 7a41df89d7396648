//! The model as a whole: cases with the answers of Docker Compose, odd input, its own table.

mod cases;
mod limits;
mod no_panic;
mod reference;
mod stack;
mod support;
