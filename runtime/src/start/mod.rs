//! What a start needs: its plan, the files and mounts made ahead, the border with libcontainer, the last code of ours inside.

pub(crate) mod beneath;
pub(crate) mod container_etc;
pub(crate) mod covered;
pub(crate) mod early_mounts;
pub(crate) mod failure;
pub(crate) mod fresh_network;
pub(crate) mod init;
pub(crate) mod kernel_mounts;
pub(crate) mod launch_plan;
pub(crate) mod masked;
pub(crate) mod payload;
pub mod tiny_init;
pub mod users;
pub(crate) mod working_dir;
