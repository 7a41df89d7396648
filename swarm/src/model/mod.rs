//! The objects of a swarm, in the names and forms of the Engine API (v1.51, swagger `Service`, `Task`, `Node`, …).
//!
//! What they hold beyond that is ours, in a member called `Coracle`, which no answer shows ([`crate::model::meta`]).
//! Durations are nanoseconds, as in the API. A member that Go's `omitempty` leaves out is left out here.

pub mod cluster;
pub mod container;
pub mod endpoint;
pub mod id;
pub mod meta;
pub mod node;
pub mod secret;
pub mod service;
pub mod task;

pub use cluster::{Cluster, ClusterSpec, JoinTokens};
pub use container::ConfigUse;
pub use container::{ContainerSpec, FileTarget, SecretUse};
pub use endpoint::{Endpoint, EndpointMode, EndpointSpec, PortConfig, PublishMode, VirtualIp};
pub use meta::{Meta, Version};
pub use node::{Availability, Node, NodeSpec, NodeState, Role};
pub use secret::{Config, Sealed, Secret, SecretSpec};
pub use service::{
    Lane, Mode, Progress, Service, ServiceSpec, SlotKey, UpdateConfig, UpdateState, UpdateStatus,
};
pub use task::{
    Condition, DesiredState, Placement, Resources, RestartPolicy, Task, TaskSpec, TaskState,
    TaskStatus,
};

/// True for a value that Go's `omitempty` leaves out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
