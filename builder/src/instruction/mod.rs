//! What each instruction says: its flags and arguments by name.
//!
//! [`stages`] reads a whole document. Variables are not replaced here; what depends on their values
//! is read again when they are known ([`mount`]).

mod copy;
mod device;
mod flags;
mod from;
mod health;
pub mod mount;
mod read;
mod run;
mod stages;

pub use copy::{Content, Copy, Paths};
pub use device::Device;
pub use from::Stage;
pub use health::Health;
pub(crate) use mount::fields;
pub(crate) use read::read;
pub use run::{Command, Network, Run, Security};
pub use stages::{Stages, stages};

use crate::dockerfile::Pair;
use crate::source::Span;

/// An instruction within a stage, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    pub kind: Kind,
    /// Its name, as typed.
    pub name: String,
    /// All of it, without comments and ends of lines.
    pub text: String,
    pub comments: Vec<String>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Add(Copy),
    Arg(Vec<Arg>),
    Cmd(Command),
    Copy(Copy),
    Entrypoint(Command),
    Env(Vec<Pair>),
    Expose(Vec<String>),
    Healthcheck(Health),
    Label(Vec<Pair>),
    Maintainer(String),
    /// The text of the instruction that a build on top begins with.
    Onbuild(String),
    Run(Run),
    Shell(Vec<String>),
    Stopsignal(String),
    User(String),
    Volume(Vec<String>),
    Workdir(String),
}

/// One name of `ARG`, with its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    pub name: String,
    pub default: Option<String>,
    /// What a comment above it says of it.
    pub about: String,
}

/// What comments say of a name: the first one that begins with it, without it.
pub(crate) fn about(comments: &[String], name: &str) -> String {
    let of = |comment: &String| comment.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
    comments.iter().filter(|_| !name.is_empty()).find_map(of).unwrap_or_default()
}

/// All names of instructions, for those who mistype one.
const NAMES: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];
