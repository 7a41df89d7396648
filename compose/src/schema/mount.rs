//! The long form of a volume of a service.

use super::attr::*;
use super::types::*;
use Shape::*;

pub(super) static MOUNT: Fields = fields(&[
    attr("type", Text).one_of(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"]).required(),
    attr("source", Text),
    attr("target", Text),
    attr("read_only", Bool).cast(Cast::Bool),
    attr("consistency", Text).support(Support::Partly("passed through, no effect on Linux")),
    attr("bind", Struct(&MOUNT_BIND)),
    attr("volume", Struct(&MOUNT_VOLUME)),
    attr("tmpfs", Struct(&MOUNT_TMPFS)),
    attr("image", Struct(&MOUNT_IMAGE)),
]);

pub(super) static MOUNT_EACH: Attr =
    each(Struct(&MOUNT)).types(STR.or(MAP)).form(Form::Volume).paths(Paths::Mount);

pub(super) static MOUNT_BIND: Fields = fields(&[
    attr("selinux", Text).one_of(&["z", "Z"]),
    attr("propagation", Text),
    attr("create_host_path", OptBool),
    attr("recursive", Text).one_of(&["enabled", "disabled", "writable", "readonly"]),
]);

pub(super) static MOUNT_VOLUME: Fields = fields(&[
    attr("labels", Mapping),
    attr("nocopy", Bool).cast(Cast::Bool),
    attr("subpath", Text),
]);

pub(super) static MOUNT_TMPFS: Fields =
    fields(&[attr("size", Bytes).within(0, i64::MAX), attr("mode", Count).types(NUM.or(STR))]);

pub(super) static MOUNT_IMAGE: Fields = fields(&[attr("subpath", Text)]);
