//! The attributes of a service.

use super::attr::*;
use super::build::{BUILD, DEVELOP};
use super::deploy::{DEPLOY, GPU_EACH};
use super::mount::MOUNT_EACH;
use super::types::*;
use Shape::*;

pub(super) static SERVICE: Fields = fields(&[
    attr("profiles", Texts).unique(Unique::Key),
    attr("annotations", Mapping).merge(Merge::Sequence).unique(Unique::Key),
    attr("attach", OptBool),
    attr("build", Struct(&BUILD))
        .types(STR.or(MAP))
        .merge(Merge::Build)
        .form(Form::Build)
        .default(Default::Build),
    attr("develop", Struct(&DEVELOP)).types(NULL.or(MAP)),
    attr("blkio_config", Struct(&BLKIO)),
    attr("cap_add", Texts).unique(Unique::Key),
    attr("cap_drop", Texts).unique(Unique::Key),
    attr("cgroup_parent", Text),
    attr("cgroup", Text).one_of(&["host", "private"]),
    attr("cpu_count", Int).within(0, i64::MAX).cast(Cast::Int),
    attr("cpu_percent", Float).types(INT.or(STR)).within(0, 100).cast(Cast::Float),
    attr("cpu_period", Int).types(NUM.or(STR)).cast(Cast::Int),
    attr("cpu_quota", Int).types(NUM.or(STR)).cast(Cast::Int),
    attr("cpu_rt_period", Int).types(NUM.or(STR)).cast(Cast::Int),
    attr("cpu_rt_runtime", Int).types(NUM.or(STR)).cast(Cast::Int),
    attr("cpus", Float).cast(Cast::Float),
    attr("cpuset", Text),
    attr("cpu_shares", Int).types(NUM.or(STR)).cast(Cast::Int),
    attr("command", Command).merge(Merge::Replace),
    attr("configs", List(&CONFIG_MOUNT_EACH)).unique(Unique::Config),
    attr("container_name", Text).pattern(Pattern::ContainerName),
    attr("credential_spec", Struct(&CREDENTIAL_SPEC)).support(Support::Ignored),
    attr("depends_on", Map(&DEPENDENCY_EACH, Keys::Names))
        .types(LIST.or(MAP))
        .merge(Merge::DependsOn)
        .form(Form::DependsOn),
    attr("deploy", Struct(&DEPLOY)).types(NULL.or(MAP)),
    attr("device_cgroup_rules", Texts),
    attr("devices", List(&DEVICE_EACH)).unique(Unique::Device),
    attr("dns", TextOrTexts).merge(Merge::Sequence).unique(Unique::Key).form(Form::TextList),
    attr("dns_opt", Texts).merge(Merge::Sequence).unique(Unique::Key),
    attr("dns_search", TextOrTexts).merge(Merge::Sequence).unique(Unique::Key),
    attr("domainname", Text),
    attr("entrypoint", Command).merge(Merge::Replace),
    attr("provider", Struct(&PROVIDER)),
    attr("environment", Environment).merge(Merge::Sequence).unique(Unique::Key),
    attr("env_file", List(&ENV_FILE_EACH))
        .types(STR.or(LIST))
        .merge(Merge::Sequence)
        .unique(Unique::File)
        .form(Form::EnvFiles),
    attr("expose", Numbers).items(NUM.or(STR)).unique(Unique::Key),
    attr("extends", Struct(&EXTENDS)).types(STR.or(MAP)).form(Form::Extends),
    attr("external_links", Texts),
    attr("extra_hosts", Hosts).merge(Merge::ExtraHosts),
    attr("group_add", Texts).items(NUM.or(STR)),
    attr("gpus", List(&GPU_EACH)).types(STR.or(LIST)).one_of(&["all"]).form(Form::Gpus),
    attr("hostname", Text),
    attr("healthcheck", Struct(&HEALTHCHECK)),
    attr("image", Text),
    attr("init", OptBool).cast(Cast::Bool),
    attr("ipc", Text),
    attr("isolation", Text),
    attr("labels", Mapping).merge(Merge::Sequence).unique(Unique::Key),
    attr("label_file", Texts)
        .types(STR.or(LIST))
        .repeats()
        .merge(Merge::Sequence)
        .form(Form::TextList)
        .paths(Paths::Plain),
    attr("links", Texts).unique(Unique::Key),
    attr("logging", Struct(&LOGGING)).merge(Merge::Logging),
    attr("mem_limit", Bytes).types(NUM.or(STR)),
    attr("mem_reservation", Bytes),
    attr("memswap_limit", Bytes).types(NUM.or(STR)),
    attr("mem_swappiness", Bytes),
    attr("mac_address", Text),
    attr("models", Map(&SERVICE_MODEL_EACH, Keys::Names))
        .types(LIST.or(MAP))
        .merge(Merge::Names)
        .form(Form::Names),
    attr("network_mode", Text),
    attr("networks", Map(&SERVICE_NETWORK_EACH, Keys::Names))
        .types(LIST.or(MAP))
        .merge(Merge::Names)
        .form(Form::Names),
    attr("oom_kill_disable", Bool).cast(Cast::Bool).support(Support::Partly("yes (cgroup v1)")),
    attr("oom_score_adj", Int).within(-1000, 1000).cast(Cast::Int),
    attr("pid", Text).types(NULL.or(STR)),
    attr("pids_limit", Int).types(NUM.or(STR)).cast(Cast::Int),
    attr("platform", Text),
    attr("ports", List(&PORT_EACH)).unique(Unique::Port).form(Form::Ports),
    attr("privileged", Bool).cast(Cast::Bool),
    attr("pull_policy", Text).pattern(Pattern::PullPolicy),
    attr("read_only", Bool).cast(Cast::Bool),
    attr("restart", Text),
    attr("runtime", Text),
    attr("scale", OptInt).cast(Cast::Int),
    attr("secrets", List(&SECRET_MOUNT_EACH)).unique(Unique::Secret),
    attr("security_opt", Texts),
    attr("shm_size", Bytes).types(NUM.or(STR)),
    attr("stdin_open", Bool).cast(Cast::Bool),
    attr("stop_grace_period", OptDuration),
    attr("stop_signal", Text),
    attr("storage_opt", Strings),
    attr("sysctls", Mapping).merge(Merge::Sequence).unique(Unique::Key),
    attr("tmpfs", TextOrTexts).merge(Merge::Sequence).unique(Unique::Key),
    attr("tty", Bool).cast(Cast::Bool),
    attr("ulimits", Map(&ULIMIT_EACH, Keys::Any)),
    attr("use_api_socket", Bool).types(BOOL),
    attr("user", Text),
    attr("userns_mode", Text),
    attr("uts", Text),
    attr("volumes", List(&MOUNT_EACH)).unique(Unique::Volume),
    attr("volumes_from", Texts),
    attr("working_dir", Text),
    attr("pre_start", List(&PRE_START_EACH)),
    attr("post_start", List(&HOOK_EACH)),
    attr("pre_stop", List(&HOOK_EACH)),
    attr("pull_refresh_after", Text).dropped(),
]);

pub(super) static BLKIO: Fields = closed(&[
    attr("weight", Count),
    attr("weight_device", List(&WEIGHT_DEVICE_EACH)),
    attr("device_read_bps", List(&THROTTLE_DEVICE_EACH)),
    attr("device_read_iops", List(&THROTTLE_DEVICE_EACH)),
    attr("device_write_bps", List(&THROTTLE_DEVICE_EACH)),
    attr("device_write_iops", List(&THROTTLE_DEVICE_EACH)),
]);

pub(super) static WEIGHT_DEVICE: Fields = closed(&[
    attr("path", Text).json("Path").always(),
    attr("weight", Count).json("Weight").always(),
]);

pub(super) static WEIGHT_DEVICE_EACH: Attr = each(Struct(&WEIGHT_DEVICE));

pub(super) static THROTTLE_DEVICE: Fields =
    closed(&[attr("path", Text).json("Path").always(), attr("rate", Bytes).json("Rate").always()]);

pub(super) static THROTTLE_DEVICE_EACH: Attr = each(Struct(&THROTTLE_DEVICE));

pub(super) static CONFIG_MOUNT: Fields = fields(&[
    attr("source", Text),
    attr("target", Text),
    attr("uid", Text),
    attr("gid", Text),
    attr("mode", Mode),
]);

pub(super) static CONFIG_MOUNT_EACH: Attr =
    each(Struct(&CONFIG_MOUNT)).types(STR.or(MAP)).form(Form::FileMount);

pub(super) static SECRET_MOUNT: Fields = fields(&[
    attr("source", Text),
    attr("target", Text),
    attr("uid", Text),
    attr("gid", Text),
    attr("mode", Mode),
]);

pub(super) static SECRET_MOUNT_EACH: Attr =
    each(Struct(&SECRET_MOUNT)).types(STR.or(MAP)).form(Form::FileMount).default(Default::Secret);

pub(super) static CREDENTIAL_SPEC: Fields = fields(&[
    attr("config", Text).support(Support::Ignored),
    attr("file", Text).support(Support::Ignored),
    attr("registry", Text).support(Support::Ignored),
]);

pub(super) static DEPENDENCY: Fields = fields(&[
    attr("condition", Text)
        .one_of(&["service_started", "service_healthy", "service_completed_successfully"])
        .required(),
    attr("restart", Bool).cast(Cast::Bool),
    attr("required", Bool).types(BOOL).cast(Cast::Bool).always(),
]);

pub(super) static DEPENDENCY_EACH: Attr = each(Struct(&DEPENDENCY));

pub(super) static DEVICE: Fields =
    fields(&[attr("source", Text).required(), attr("target", Text), attr("permissions", Text)]);

pub(super) static DEVICE_EACH: Attr = each(Struct(&DEVICE)).types(STR.or(MAP)).form(Form::Device);

pub(super) static PROVIDER: Fields = fields(&[
    attr("type", Text).required(),
    attr("options", MultiOptions).items(BOOL.or(NUM).or(STR).or(LIST)),
]);

pub(super) static ENV_FILE: Fields = closed(&[
    attr("path", Text).paths(Paths::Plain).required(),
    attr("required", Bool).always(),
    attr("format", Text),
]);

pub(super) static ENV_FILE_EACH: Attr = each(EnvFile(&ENV_FILE));

pub(super) static EXTENDS: Fields =
    closed(&[attr("file", Text).paths(Paths::Plain), attr("service", Text).required()]);

pub(super) static HEALTHCHECK: Fields = fields(&[
    attr("test", Probe).merge(Merge::Replace),
    attr("timeout", OptDuration),
    attr("interval", OptDuration),
    attr("retries", OptCount).types(NUM.or(STR)).cast(Cast::Int),
    attr("start_period", OptDuration),
    attr("start_interval", OptDuration),
    attr("disable", Bool).cast(Cast::Bool),
]);

pub(super) static LOGGING: Fields =
    fields(&[attr("driver", Text), attr("options", Options).items(NULL.or(NUM).or(STR))]);

pub(super) static SERVICE_MODEL: Fields =
    fields(&[attr("endpoint_var", Text), attr("model_var", Text)]);

pub(super) static SERVICE_MODEL_EACH: Attr =
    each(Struct(&SERVICE_MODEL)).types(NULL.or(MAP)).nullable();

pub(super) static SERVICE_NETWORK: Fields = fields(&[
    attr("aliases", Texts).unique(Unique::Key),
    attr("driver_opts", Options).items(NUM.or(STR)),
    attr("gw_priority", Int).types(NUM),
    attr("interface_name", Text),
    attr("ipv4_address", Text),
    attr("ipv6_address", Text),
    attr("link_local_ips", Texts).unique(Unique::Key),
    attr("mac_address", Text),
    attr("priority", Int).types(NUM),
]);

pub(super) static SERVICE_NETWORK_EACH: Attr =
    each(Struct(&SERVICE_NETWORK)).types(NULL.or(MAP)).nullable();

pub(super) static PORT: Fields = fields(&[
    attr("name", Text).support(Support::Ignored),
    attr("mode", Text).support(Support::Ignored),
    attr("host_ip", Text),
    attr("target", Count).cast(Cast::Int),
    attr("published", Text).types(INT.or(STR)),
    attr("protocol", Text),
    attr("app_protocol", Text).support(Support::Ignored),
]);

pub(super) static PORT_EACH: Attr =
    each(Struct(&PORT)).types(NUM.or(STR).or(MAP)).default(Default::Port);

pub(super) static ULIMIT: Fields = fields(&[
    attr("soft", Int).cast(Cast::Int).required(),
    attr("hard", Int).cast(Cast::Int).required(),
]);

pub(super) static ULIMIT_EACH: Attr =
    each(Ulimit(&ULIMIT)).merge(Merge::Replace).form(Form::Ulimit).cast(Cast::Int);

/// Of builds: Compose gives no type to variables there.
pub(super) static BUILD_ULIMIT_EACH: Attr =
    each(Ulimit(&ULIMIT)).merge(Merge::Replace).form(Form::Ulimit);

pub(super) static HOOK: Fields = fields(&[
    attr("command", Command).required(),
    attr("user", Text),
    attr("privileged", Bool),
    attr("working_dir", Text),
    attr("environment", Environment),
]);

pub(super) static HOOK_EACH: Attr = each(Struct(&HOOK));

/// A step before the start: a container of its own, where the other hooks run in the service's.
pub(super) static PRE_START: Fields = fields(&[
    attr("command", Command),
    attr("image", Text),
    attr("user", Text),
    attr("privileged", Bool),
    attr("working_dir", Text),
    attr("environment", Environment),
    attr("per_replica", Bool),
]);

pub(super) static PRE_START_EACH: Attr = each(Struct(&PRE_START));
