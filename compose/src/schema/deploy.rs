//! Resources, replicas and what only swarms use.

use super::attr::*;
use super::types::*;
use Shape::*;

pub(super) static DEPLOY: Fields = fields(&[
    attr("mode", Text).support(Support::Ignored),
    attr("replicas", OptInt).cast(Cast::Int),
    attr("labels", Mapping).merge(Merge::Sequence).unique(Unique::Key).support(Support::Ignored),
    attr("update_config", Struct(&UPDATE)).support(Support::Ignored),
    attr("rollback_config", Struct(&UPDATE)).support(Support::Ignored),
    attr("resources", Inline(&RESOURCES)),
    attr("restart_policy", Struct(&RESTART_POLICY)),
    attr("placement", Inline(&PLACEMENT)).support(Support::Ignored),
    attr("endpoint_mode", Text).support(Support::Ignored),
]);

pub(super) static UPDATE: Fields = fields(&[
    attr("parallelism", OptCount).cast(Cast::Int).support(Support::Ignored),
    attr("delay", Duration).support(Support::Ignored),
    attr("failure_action", Text).support(Support::Ignored),
    attr("monitor", Duration).support(Support::Ignored),
    attr("max_failure_ratio", Float).cast(Cast::Float).support(Support::Ignored),
    attr("order", Text).one_of(&["start-first", "stop-first"]).support(Support::Ignored),
]);

pub(super) static RESOURCES: Fields =
    fields(&[attr("limits", Struct(&LIMITS)), attr("reservations", Struct(&RESERVATIONS))]);

pub(super) static LIMITS: Fields =
    fields(&[attr("cpus", Float), attr("memory", Bytes).types(STR), attr("pids", Int)]);

pub(super) static RESERVATIONS: Fields = fields(&[
    attr("cpus", Float).support(Support::Ignored),
    attr("memory", Bytes).types(STR),
    attr("devices", List(&DEVICE_REQUEST_EACH)),
    attr("generic_resources", List(&GENERIC_RESOURCE_EACH)).support(Support::Ignored),
]);

pub(super) static DEVICE_REQUEST: Fields = fields(&[
    attr("capabilities", Texts).required(),
    attr("driver", Text),
    attr("count", DeviceCount),
    attr("device_ids", Texts),
    attr("options", Mapping),
]);

pub(super) static DEVICE_REQUEST_EACH: Attr =
    each(Struct(&DEVICE_REQUEST)).default(Default::DeviceRequest);

pub(super) static GPU: Fields = open(&[
    attr("capabilities", Texts),
    attr("driver", Text),
    attr("count", DeviceCount),
    attr("device_ids", Texts),
    attr("options", Mapping),
]);

pub(super) static GPU_EACH: Attr = each(Struct(&GPU)).default(Default::DeviceRequest);

pub(super) static GENERIC_RESOURCE: Fields =
    fields(&[attr("discrete_resource_spec", Struct(&DISCRETE_RESOURCE)).support(Support::Ignored)]);

pub(super) static GENERIC_RESOURCE_EACH: Attr = each(Struct(&GENERIC_RESOURCE));

pub(super) static DISCRETE_RESOURCE: Fields = fields(&[
    attr("kind", Text).always().support(Support::Ignored),
    attr("value", Int).types(NUM.or(STR)).always().support(Support::Ignored),
]);

pub(super) static RESTART_POLICY: Fields = fields(&[
    attr("condition", Text),
    attr("delay", OptDuration).support(Support::Ignored),
    attr("max_attempts", OptCount).cast(Cast::Int),
    attr("window", OptDuration).support(Support::Ignored),
]);

pub(super) static PLACEMENT: Fields = fields(&[
    attr("constraints", Texts).repeats().support(Support::Ignored),
    attr("preferences", List(&PREFERENCE_EACH)).support(Support::Ignored),
    attr("max_replicas_per_node", Count).cast(Cast::Int).support(Support::Ignored),
]);

pub(super) static PREFERENCE: Fields = fields(&[attr("spread", Text).support(Support::Ignored)]);

pub(super) static PREFERENCE_EACH: Attr = each(Struct(&PREFERENCE));
