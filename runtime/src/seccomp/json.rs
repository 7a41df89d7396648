//! A profile's JSON: Docker's form, of which the OCI's is a part.
//!
//! The build script uses this file too.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProfileJson {
    pub(crate) default_action: String,
    pub(crate) default_errno_ret: Option<u16>,
    pub(crate) architectures: Option<Vec<String>>,
    pub(crate) arch_map: Option<Vec<ArchMapJson>>,
    pub(crate) syscalls: Option<Vec<SyscallJson>>,
    pub(crate) listener_path: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ArchMapJson {
    pub(crate) architecture: String,
    pub(crate) sub_architectures: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyscallJson {
    pub(crate) name: Option<String>,
    pub(crate) names: Option<Vec<String>>,
    pub(crate) action: String,
    pub(crate) errno_ret: Option<u16>,
    pub(crate) args: Option<Vec<ArgJson>>,
    pub(crate) includes: Option<FilterJson>,
    pub(crate) excludes: Option<FilterJson>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ArgJson {
    pub(crate) index: u8,
    pub(crate) value: u64,
    #[serde(default)]
    pub(crate) value_two: u64,
    pub(crate) op: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FilterJson {
    pub(crate) caps: Option<Vec<String>>,
    pub(crate) arches: Option<Vec<String>>,
    pub(crate) min_kernel: Option<String>,
}
