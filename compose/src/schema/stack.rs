//! The attributes of stack files: what Docker's own loader of them (format 3.13) accepts, in the order it prints.
//!
//! A file that has more is read by the table of the Compose Specification; see [`crate::stack`].

use super::attr::*;
use super::types::*;
use Shape::*;

const TEXT_OR_NUMBER: Types = NUM.or(STR);
const PAIRS: Types = NULL.or(NUM).or(STR);

const fn pairs(name: &'static str) -> Attr {
    attr(name, Mapping).items(PAIRS)
}

const fn flag(name: &'static str) -> Attr {
    attr(name, Bool).types(BOOL).cast(Cast::Bool)
}

const fn words(name: &'static str) -> Attr {
    attr(name, Texts).types(STR.or(LIST)).repeats()
}

static STACK_SERVICE: Fields = fields(&[
    attr("build", Inline(&BUILD)).types(STR.or(MAP)).form(Form::Build),
    attr("cap_add", Texts),
    attr("cap_drop", Texts),
    attr("cgroupns_mode", Text),
    attr("cgroup_parent", Text),
    words("command"),
    attr("configs", List(&FILE_USE_EACH)),
    attr("container_name", Text),
    attr("credential_spec", Inline(&CREDENTIAL_SPEC)),
    attr("depends_on", Texts),
    attr("deploy", Inline(&DEPLOY)).types(NULL.or(MAP)),
    attr("devices", Texts),
    attr("dns", TextOrTexts),
    attr("dns_search", TextOrTexts),
    attr("domainname", Text),
    words("entrypoint"),
    attr("environment", Environment).items(PAIRS),
    attr("env_file", TextOrTexts),
    attr("expose", Numbers).items(TEXT_OR_NUMBER),
    attr("external_links", Texts),
    attr("extra_hosts", Texts).types(LIST.or(MAP)).items(PAIRS),
    attr("hostname", Text),
    attr("healthcheck", Struct(&HEALTHCHECK)),
    attr("image", Text),
    attr("init", OptBool).types(BOOL),
    attr("ipc", Text),
    attr("isolation", Text),
    pairs("labels"),
    attr("links", Texts),
    attr("logging", Struct(&LOGGING)),
    attr("mac_address", Text),
    attr("network_mode", Text),
    attr("networks", Map(&SERVICE_NETWORK_EACH, Keys::Names)).types(LIST.or(MAP)).form(Form::Names),
    attr("pid", Text).types(NULL.or(STR)),
    attr("ports", List(&PORT_EACH)),
    flag("privileged"),
    flag("read_only"),
    attr("restart", Text),
    attr("secrets", List(&FILE_USE_EACH)),
    attr("security_opt", Texts),
    attr("shm_size", Text).types(TEXT_OR_NUMBER),
    flag("stdin_open"),
    attr("stop_grace_period", OptDuration),
    attr("stop_signal", Text),
    pairs("sysctls"),
    attr("tmpfs", TextOrTexts),
    flag("tty"),
    attr("ulimits", Map(&ULIMIT_EACH, Keys::Any)),
    attr("user", Text),
    attr("oom_score_adj", Int).types(INT).cast(Cast::Int),
    attr("userns_mode", Text),
    attr("volumes", List(&MOUNT_EACH)),
    attr("working_dir", Text),
]);

static BUILD: Fields = open(&[
    attr("context", Text),
    attr("dockerfile", Text),
    attr("args", Environment).items(PAIRS),
    pairs("labels"),
    attr("cache_from", Texts),
    attr("extra_hosts", Texts).types(LIST.or(MAP)).items(PAIRS),
    attr("network", Text),
    attr("target", Text),
]);

static FILE_USE: Fields = open(&[
    attr("source", Text),
    attr("target", Text),
    attr("uid", Text),
    attr("gid", Text),
    attr("mode", OptInt).types(NUM).cast(Cast::Int),
]);

static FILE_USE_EACH: Attr = each(Struct(&FILE_USE)).types(STR.or(MAP)).form(Form::FileMount);

static CREDENTIAL_SPEC: Fields =
    closed(&[attr("config", Text), attr("file", Text), attr("registry", Text)]);

static DEPLOY: Fields = closed(&[
    attr("mode", Text),
    attr("replicas", OptCount).types(INT).cast(Cast::Int),
    pairs("labels"),
    attr("update_config", Struct(&UPDATE)),
    attr("rollback_config", Struct(&UPDATE)),
    attr("resources", Inline(&RESOURCES)),
    attr("restart_policy", Struct(&RESTART_POLICY)),
    attr("placement", Inline(&PLACEMENT)),
    attr("endpoint_mode", Text),
]);

static UPDATE: Fields = closed(&[
    attr("parallelism", OptCount).types(INT).cast(Cast::Int),
    attr("delay", Duration),
    attr("failure_action", Text),
    attr("monitor", Duration),
    attr("max_failure_ratio", Float).types(NUM).cast(Cast::Float),
    attr("order", Text).one_of(&["start-first", "stop-first"]),
]);

static RESOURCES: Fields =
    closed(&[attr("limits", Struct(&LIMITS)), attr("reservations", Struct(&RESERVATIONS))]);

static LIMITS: Fields =
    closed(&[attr("cpus", Text), attr("memory", Bytes).types(STR), attr("pids", Int).types(INT)]);

static RESERVATIONS: Fields = closed(&[
    attr("cpus", Text),
    attr("memory", Bytes).types(STR),
    attr("generic_resources", List(&GENERIC_EACH)),
]);

static GENERIC: Fields = closed(&[attr("discrete_resource_spec", Struct(&DISCRETE))]);
static GENERIC_EACH: Attr = each(Struct(&GENERIC));
static DISCRETE: Fields =
    closed(&[attr("kind", Text).always(), attr("value", Int).types(NUM).always()]);

static RESTART_POLICY: Fields = closed(&[
    attr("condition", Text),
    attr("delay", OptDuration),
    attr("max_attempts", OptCount).types(INT).cast(Cast::Int),
    attr("window", OptDuration),
]);

static PLACEMENT: Fields = closed(&[
    attr("constraints", Texts).repeats(),
    attr("preferences", List(&PREFERENCE_EACH)),
    attr("max_replicas_per_node", Count).types(INT).cast(Cast::Int),
]);

static PREFERENCE: Fields = closed(&[attr("spread", Text)]);
static PREFERENCE_EACH: Attr = each(Struct(&PREFERENCE));

static HEALTHCHECK: Fields = closed(&[
    attr("test", Probe).repeats(),
    attr("timeout", OptDuration),
    attr("interval", OptDuration),
    attr("retries", OptCount).types(NUM).cast(Cast::Int),
    attr("start_period", OptDuration),
    attr("start_interval", OptDuration),
    flag("disable"),
]);

static LOGGING: Fields = closed(&[attr("driver", Text), attr("options", Options).items(PAIRS)]);

static SERVICE_NETWORK: Fields = closed(&[
    attr("aliases", Texts),
    attr("driver_opts", Options).items(TEXT_OR_NUMBER),
    attr("ipv4_address", Text),
    attr("ipv6_address", Text),
]);

static SERVICE_NETWORK_EACH: Attr = each(Struct(&SERVICE_NETWORK)).types(NULL.or(MAP)).nullable();

static PORT: Fields = closed(&[
    attr("mode", Text),
    attr("target", Count).types(INT).cast(Cast::Int),
    attr("published", Count).types(INT).cast(Cast::Int),
    attr("protocol", Text),
]);

static PORT_EACH: Attr = each(Struct(&PORT)).types(INT.or(STR).or(MAP));

static ULIMIT: Fields = closed(&[
    attr("soft", Int).types(INT).cast(Cast::Int).required(),
    attr("hard", Int).types(INT).cast(Cast::Int).required(),
]);

static ULIMIT_EACH: Attr = each(Ulimit(&ULIMIT)).types(INT.or(MAP)).cast(Cast::Int);

static MOUNT: Fields = closed(&[
    attr("type", Text).required(),
    attr("source", Text),
    attr("target", Text),
    flag("read_only"),
    attr("consistency", Text),
    attr("bind", Struct(&MOUNT_BIND)),
    attr("volume", Struct(&MOUNT_VOLUME)),
    attr("tmpfs", Struct(&MOUNT_TMPFS)),
]);

static MOUNT_EACH: Attr = each(Struct(&MOUNT)).types(STR.or(MAP));
static MOUNT_BIND: Fields = open(&[attr("propagation", Text)]);
static MOUNT_VOLUME: Fields = open(&[flag("nocopy"), attr("subpath", Text)]);
static MOUNT_TMPFS: Fields = open(&[attr("size", Int).types(INT).within(0, i64::MAX)]);

static NETWORK: Fields = fields(&[
    attr("name", Text),
    attr("driver", Text),
    attr("driver_opts", Options).items(TEXT_OR_NUMBER),
    attr("ipam", Inline(&IPAM)),
    external(),
    flag("internal"),
    flag("attachable"),
    pairs("labels"),
]);

/// `true`, or in the old form a mapping with the name.
const fn external() -> Attr {
    attr("external", Bool).types(BOOL.or(MAP)).cast(Cast::Bool)
}

static IPAM: Fields = closed(&[attr("driver", Text), attr("config", List(&POOL_EACH))]);
static POOL: Fields = closed(&[attr("subnet", Text)]);
static POOL_EACH: Attr = each(Struct(&POOL));

static VOLUME: Fields = fields(&[
    attr("name", Text),
    attr("driver", Text),
    attr("driver_opts", Options).items(TEXT_OR_NUMBER),
    external(),
    pairs("labels"),
    attr("x-cluster-spec", Struct(&CLUSTER)),
]);

static CLUSTER: Fields = open(&[
    attr("group", Text),
    attr("access_mode", Struct(&ACCESS_MODE)),
    attr("accessibility_requirements", Struct(&TOPOLOGY)),
    attr("capacity_range", Struct(&CAPACITY)),
    attr("secrets", List(&VOLUME_SECRET_EACH)),
    attr("availability", Text),
]);

static ACCESS_MODE: Fields = open(&[
    attr("scope", Text),
    attr("sharing", Text),
    attr("mount_volume", Struct(&MOUNT_ACCESS)),
    attr("block_volume", Struct(&BLOCK_ACCESS)),
]);

static MOUNT_ACCESS: Fields = open(&[attr("fs_type", Text), attr("mount_flags", Texts).repeats()]);
static BLOCK_ACCESS: Fields = open(&[]);

static TOPOLOGY: Fields =
    open(&[attr("requisite", List(&SEGMENTS_EACH)), attr("preferred", List(&SEGMENTS_EACH))]);

static SEGMENTS: Fields = open(&[pairs("segments")]);
static SEGMENTS_EACH: Attr = each(Struct(&SEGMENTS));
static CAPACITY: Fields =
    open(&[attr("required_bytes", Bytes).types(STR), attr("limit_bytes", Bytes).types(STR)]);
static VOLUME_SECRET: Fields = open(&[attr("key", Text), attr("secret", Text)]);
static VOLUME_SECRET_EACH: Attr = each(Struct(&VOLUME_SECRET));

static SECRET: Fields = fields(&[
    attr("name", Text),
    attr("file", Text),
    external(),
    pairs("labels"),
    attr("driver", Text),
    attr("driver_opts", Options).items(TEXT_OR_NUMBER),
    attr("template_driver", Text),
]);

static CONFIG: Fields = fields(&[
    attr("name", Text),
    attr("file", Text),
    external(),
    pairs("labels"),
    attr("template_driver", Text),
]);

static STACK_SERVICE_EACH: Attr = each(Struct(&STACK_SERVICE));
static NETWORK_EACH: Attr = each(Struct(&NETWORK)).types(NULL.or(MAP));
static VOLUME_EACH: Attr = each(Struct(&VOLUME)).types(NULL.or(MAP));
static SECRET_EACH: Attr = each(Struct(&SECRET));
static CONFIG_EACH: Attr = each(Struct(&CONFIG));

static FILE: Fields = fields(&[
    attr("version", Text).always(),
    attr("services", Map(&STACK_SERVICE_EACH, Keys::Names)).always(),
    attr("networks", Map(&NETWORK_EACH, Keys::Any)),
    attr("volumes", Map(&VOLUME_EACH, Keys::Names)),
    attr("secrets", Map(&SECRET_EACH, Keys::Names)),
    attr("configs", Map(&CONFIG_EACH, Keys::Names)),
]);

/// A whole stack file.
pub(crate) static STACK_ROOT: Attr = attr("", Struct(&FILE));
