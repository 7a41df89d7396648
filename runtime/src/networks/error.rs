//! What can go wrong with networks, in Docker's words where it has some.

use std::io;
use std::path::PathBuf;

use coracle_image::short_id;

use crate::damage::{self, Damaged};
use crate::file_lock::Holder;

/// Why something cannot be done with a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    #[error("invalid name: name is empty")]
    EmptyName,
    #[error("invalid name: {name}…: it has more than {limit} characters")]
    LongName {
        /// Its beginning.
        name: String,
        limit: usize,
    },
    #[error("operation is not permitted on predefined {name} network")]
    Predefined { name: String },
    #[error("network with name {name} already exists")]
    NameTaken { name: String },
    #[error("plugin \"{driver}\" not found")]
    UnknownDriver { driver: String },
    #[error("only one instance of \"{driver}\" network is allowed")]
    OneInstance { driver: String },
    /// A driver, flag or option that Docker has and this engine cannot have.
    #[error("{what}: not supported: {why}")]
    Unsupported { what: String, why: &'static str },
    #[error("invalid network config:\n{}", .0.join("\n"))]
    InvalidConfig(Vec<String>),
    #[error("IPv4 or IPv6 must be enabled")]
    NoFamily,
    #[error("invalid pool request: Pool overlaps with other one on this address space")]
    Overlap,
    #[error("all predefined address pools have been fully subnetted")]
    PoolsExhausted,
    #[error("invalid value for option {key}: {value:?}")]
    InvalidOption { key: String, value: String },
    #[error("network {reference} not found")]
    NotFound { reference: String },
    #[error("network {reference} is ambiguous ({count} matches found based on ID prefix)")]
    Ambiguous { reference: String, count: usize },
    #[error("{name} is a pre-defined network and cannot be removed")]
    RemovePredefined { name: String },
    #[error(
        "error while removing network: network {name} has active endpoints ({})", shown(.users)
    )]
    InUse { name: String, users: Vec<User> },
    #[error(
        "Could not attach to network {name}: rpc error: code = PermissionDenied desc = network \
         {name} not manually attachable"
    )]
    NotAttachable { name: String },
    #[error("rpc error: code = InvalidArgument desc = name must be valid as a DNS name component")]
    InvalidSwarmName,
    #[error("rpc error: code = AlreadyExists desc = ingress network ({id}) is already present")]
    SecondIngress { id: String },
    /// `user` is `service ID` or `task ID`.
    #[error("rpc error: code = FailedPrecondition desc = network {id} is in use by {user}")]
    InSwarmUse { id: String, user: String },
    #[error("invalid filter '{filter}'")]
    InvalidFilter { filter: String },
    #[error("invalid endpoint settings:\n{}", bullets(.0))]
    InvalidEndpoint(Vec<String>),
    /// Somebody makes or removes some, and takes long.
    #[error("the networks are being changed by {holder}, which did not finish in {waited_s} s")]
    Busy { holder: Holder, waited_s: u64 },
    #[error("cannot {what} {path}")]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot understand {path}")]
    Parse { path: PathBuf, source: serde_json::Error },
    #[error("{path} was written by a newer Coracle (format {found}, we know {known})")]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("network {}: its record cannot be used", short_id(.id))]
    Damaged { id: String, source: Box<NetworkError> },
}

/// A container that is connected to a network now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    pub name: String,
    pub endpoint: String,
}

fn shown(users: &[User]) -> String {
    let one = |user: &User| {
        let id = short_id(&user.endpoint);
        format!("name:{:?} id:{id:?}", user.name)
    };
    users.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Several errors are a list, as Go joins them.
fn bullets(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        many => many.iter().map(|error| format!("* {error}")).collect::<Vec<_>>().join("\n"),
    }
}

/// What can be done about a network whose record cannot be read.
fn cure(id: &str, why: &NetworkError) -> String {
    let id = short_id(id);
    match why {
        NetworkError::Newer { .. } => {
            format!("use the newer version for it; `coracle network rm -f {id}` removes it")
        }
        _ => format!("`coracle network rm {id}` removes it"),
    }
}

impl NetworkError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { id, source } => Some(cure(id, source)),
            _ => None,
        }
    }

    /// As lists tell of it, when it is one that cannot be read.
    pub(super) fn note(&self) -> Option<Damaged> {
        let Self::Damaged { id, source } = self else { return None };
        Some(Damaged {
            kind: "network",
            id: short_id(id).to_owned(),
            why: damage::in_one_line(source),
            cure: cure(id, source),
        })
    }

    pub(super) fn io<E: Into<io::Error>>(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source: source.into() }
    }
}
