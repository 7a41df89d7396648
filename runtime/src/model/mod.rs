//! Containers as Docker's JSON shows them, and the record we keep on disk.
//!
//! # How it works
//!
//! Field order, key names and the choice between `null`, `[]` and an absent key
//! are Docker's, because `inspect` prints these types unchanged. Lists that
//! Docker prints as `null` until set are `Option<Vec<_>>`; a default value is
//! what a plain `run` gives. Unknown keys are ignored and absent ones take the
//! default, so that a record written by another version can be read.
//!
//! # Not here
//!
//! No validation and no I/O: values are checked where they are parsed.

mod config;
mod container;
mod exec;
mod host_config;
mod inspect;
mod mount;
mod network;
mod network_state;
mod resources;
mod state;
mod storage;

pub use config::{Config, Empty, HealthConfig};
pub use container::{Container, ContainerMount, DeliveredFile, RECORD_VERSION};
pub use coracle_words::{ParseTimestampError, Timestamp};
pub use exec::{Attach, ExecRequest};
pub use host_config::{HostConfig, LogConfig, PortBinding, PortMap, RestartPolicy};
pub use inspect::{ContainerInspect, GraphDriver, InspectPaths};
pub use mount::{
    BindOptions, DriverConfig, ImageOptions, Mount, MountPoint, MountType, TmpfsOptions,
    VolumeOptions,
};
pub use network::{EndpointIpam, EndpointSettings, NetworkSettings};
pub use network_state::{Endpoint, LastAddress, NetworkState};
pub use resources::{
    DeviceMapping, DeviceRequest, Resources, ThrottleDevice, Ulimit, WeightDevice,
};
pub use state::{Health, HealthLog, HealthStatus, State, Status};
pub use storage::{Storage, UnknownStorage};

/// True for a value Go's `omitempty` leaves out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
