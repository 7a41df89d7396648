//! How the image of a service is built, and what is watched for changes.

use super::attr::*;
use super::service::{BUILD_ULIMIT_EACH, HOOK};
use super::types::*;
use Shape::*;

pub(super) static BUILD: Fields = fields(&[
    attr("context", Text).paths(Paths::Context),
    attr("dockerfile", Text),
    attr("dockerfile_inline", Text),
    attr("entitlements", Texts).repeats(),
    attr("args", Environment).merge(Merge::Sequence).unique(Unique::Key),
    attr("provenance", Text).types(BOOL.or(STR)).form(Form::AnyText),
    attr("sbom", Text).types(BOOL.or(STR)).form(Form::AnyText),
    attr("ssh", Ssh).form(Form::Ssh).paths(Paths::Local),
    attr("labels", Mapping).merge(Merge::Sequence).unique(Unique::Key),
    attr("cache_from", TextOrTexts).types(LIST).repeats(),
    attr("cache_to", TextOrTexts).types(LIST).repeats(),
    attr("no_cache", Bool),
    attr("no_cache_filter", Texts).types(STR.or(LIST)).form(Form::TextList),
    attr("additional_contexts", Mapping)
        .merge(Merge::Sequence)
        .unique(Unique::Key)
        .form(Form::KeyValue)
        .paths(Paths::Context),
    attr("pull", Bool),
    attr("extra_hosts", Hosts).merge(Merge::ExtraHosts),
    attr("isolation", Text).support(Support::Partly("classic builder only")),
    attr("network", Text),
    attr("target", Text),
    attr("secrets", List(&BUILD_SECRET_EACH)),
    attr("shm_size", Bytes),
    attr("tags", TextOrTexts).types(LIST).repeats().unique(Unique::Key),
    attr("ulimits", Map(&BUILD_ULIMIT_EACH, Keys::Any)),
    attr("platforms", TextOrTexts).types(LIST).repeats(),
    attr("privileged", Bool),
]);

pub(super) static BUILD_SECRET: Fields = fields(&[
    attr("source", Text),
    attr("target", Text),
    attr("uid", Text),
    attr("gid", Text),
    attr("mode", Mode),
]);

pub(super) static BUILD_SECRET_EACH: Attr =
    each(Struct(&BUILD_SECRET)).types(STR.or(MAP)).form(Form::FileMount);

pub(super) static DEVELOP: Fields = fields(&[attr("watch", List(&WATCH_EACH))]);

pub(super) static WATCH: Fields = fields(&[
    attr("path", Text).paths(Paths::Plain).always().required(),
    attr("action", Text)
        .one_of(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])
        .always()
        .required(),
    attr("target", Text),
    attr("exec", Inline(&HOOK)),
    attr("include", Texts).types(STR.or(LIST)).form(Form::TextList),
    attr("ignore", Texts).types(STR.or(LIST)).form(Form::TextList),
    attr("initial_sync", Bool).types(BOOL),
]);

pub(super) static WATCH_EACH: Attr = each(Struct(&WATCH));
