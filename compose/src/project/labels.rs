//! The labels by which Compose finds its own.

/// The version of Docker Compose whose behaviour this is; what its tools look for in labels.
pub const COMPOSE_VERSION: &str = "2.40.3";

pub const PROJECT: &str = "com.docker.compose.project";
pub const SERVICE: &str = "com.docker.compose.service";
pub const NUMBER: &str = "com.docker.compose.container-number";
/// `True` for containers of `run`.
pub const ONE_OFF: &str = "com.docker.compose.oneoff";
pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
/// The id of the image.
pub const IMAGE: &str = "com.docker.compose.image";
/// `PATH=ID` of each image that is mounted, separated by commas.
pub const MOUNTED_IMAGES: &str = "com.docker.compose.image-volume-digest";
/// `pre_start`, of the container of such a step: it is none of the service's.
pub const HOOK: &str = "com.docker.compose.hook";
/// `SERVICE:CONDITION:RESTART`, separated by commas.
pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
pub const ENVIRONMENT_FILE: &str = "com.docker.compose.project.environment_file";
pub const VERSION: &str = "com.docker.compose.version";
/// Of a container that takes another's place: the name it gets when that one is gone.
pub const REPLACE: &str = "com.docker.compose.replace";
pub const NETWORK: &str = "com.docker.compose.network";
pub const VOLUME: &str = "com.docker.compose.volume";
/// Random digits of a container of `run`.
pub const SLUG: &str = "com.docker.compose.slug";
