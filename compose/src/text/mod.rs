//! Small languages inside values: variables, words of a shell, ports, volumes.

pub(crate) mod dotenv;
pub(crate) mod emit;
pub(crate) mod numbers;
pub(crate) mod port;
pub(crate) mod template;
pub(crate) mod variables;
pub(crate) mod volume;
pub(crate) mod words;
