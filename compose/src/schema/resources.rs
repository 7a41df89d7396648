//! Networks, volumes, secrets, configs, models, includes, and the file as a whole.

use super::attr::*;
use super::service::SERVICE;
use super::types::*;
use Shape::*;

pub(super) static NETWORK: Fields = fields(&[
    attr("name", Text),
    attr("driver", Text),
    attr("driver_opts", Options).items(NUM.or(STR)),
    attr("ipam", Inline(&IPAM)),
    attr("external", Bool).types(BOOL.or(STR).or(MAP)).cast(Cast::Bool),
    attr("internal", Bool).cast(Cast::Bool),
    attr("attachable", Bool).cast(Cast::Bool),
    attr("labels", Mapping).merge(Merge::Sequence).unique(Unique::Key),
    attr("enable_ipv4", OptBool).cast(Cast::Bool),
    attr("enable_ipv6", OptBool).cast(Cast::Bool),
]);

pub(super) static IPAM: Fields = fields(&[
    attr("driver", Text),
    attr("config", List(&IPAM_POOL_EACH)).merge(Merge::IpamConfig),
    attr("options", Options).items(STR).dropped(),
]);

pub(super) static IPAM_POOL: Fields = fields(&[
    attr("subnet", Text),
    attr("gateway", Text),
    attr("ip_range", Text),
    attr("aux_addresses", Mapping).types(MAP),
]);

pub(super) static IPAM_POOL_EACH: Attr = each(Struct(&IPAM_POOL));

pub(super) static VOLUME: Fields = fields(&[
    attr("name", Text),
    attr("driver", Text),
    attr("driver_opts", Options).items(NUM.or(STR)),
    attr("external", Bool).types(BOOL.or(STR).or(MAP)).cast(Cast::Bool),
    attr("labels", Mapping).merge(Merge::Sequence),
]);

pub(super) static SECRET: Fields = fields(&[
    attr("name", Text),
    attr("file", Text).paths(Paths::Local),
    attr("environment", Text),
    attr("external", Bool).types(BOOL.or(STR).or(MAP)).cast(Cast::Bool).support(Support::Refused),
    attr("labels", Mapping).support(Support::Ignored),
    attr("driver", Text).support(Support::Refused),
    attr("driver_opts", Strings).items(NUM.or(STR)).support(Support::Ignored),
    attr("template_driver", Text).support(Support::Refused),
]);

pub(super) static CONFIG: Fields = fields(&[
    attr("name", Text),
    attr("file", Text).paths(Paths::Local),
    attr("environment", Text),
    attr("content", Text),
    attr("external", Bool).types(BOOL.or(STR).or(MAP)).cast(Cast::Bool).support(Support::Refused),
    attr("labels", Mapping).support(Support::Ignored),
    attr("template_driver", Text).support(Support::Refused),
]);

pub(super) static MODEL: Fields = fields(&[
    attr("name", Text),
    attr("model", Text).required(),
    attr("context_size", Int).types(INT),
    attr("runtime_flags", Texts).repeats(),
]);

pub(super) static INCLUDE: Fields = closed(&[
    attr("path", TextOrTexts),
    attr("project_directory", Text),
    attr("env_file", TextOrTexts),
]);

pub(super) static INCLUDE_EACH: Attr = each(Struct(&INCLUDE)).types(STR.or(MAP));

pub(super) static SERVICE_EACH: Attr = each(Struct(&SERVICE));
pub(super) static NETWORK_EACH: Attr =
    each(Struct(&NETWORK)).types(NULL.or(MAP)).form(Form::External);
pub(super) static VOLUME_EACH: Attr =
    each(Struct(&VOLUME)).types(NULL.or(MAP)).form(Form::External).paths(Paths::DriverOptions);
pub(super) static SECRET_EACH: Attr = each(Struct(&SECRET)).form(Form::External);
pub(super) static CONFIG_EACH: Attr = each(Struct(&CONFIG)).form(Form::External);
pub(super) static MODEL_EACH: Attr = each(Struct(&MODEL));

static PROJECT: Fields = fields(&[
    attr("version", Text).dropped().support(Support::Ignored),
    attr("include", List(&INCLUDE_EACH)).dropped(),
    attr("name", Text),
    attr("services", Map(&SERVICE_EACH, Keys::Names)).always(),
    attr("networks", Map(&NETWORK_EACH, Keys::Any)),
    attr("volumes", Map(&VOLUME_EACH, Keys::Names)),
    attr("secrets", Map(&SECRET_EACH, Keys::Names)),
    attr("configs", Map(&CONFIG_EACH, Keys::Names)),
    attr("models", Map(&MODEL_EACH, Keys::Any)),
]);

/// The whole file.
pub(crate) static ROOT: Attr = attr("", Struct(&PROJECT));
