//! What is known of one attribute: what it accepts, how it is read, merged and printed.

use super::types::{self, Types};

/// An attribute, or (without a name) the entries of a mapping or the items of a list.
#[derive(Debug)]
pub(crate) struct Attr {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) types: Types,
    /// Of items of lists and entries of mappings that have no attribute of their own.
    pub(crate) items: Types,
    /// Items may not be equal.
    pub(crate) distinct: bool,
    /// The texts that are accepted; any when empty.
    pub(crate) one_of: &'static [&'static str],
    pub(crate) pattern: Option<Pattern>,
    pub(crate) range: Option<(i64, i64)>,
    pub(crate) required: bool,
    pub(crate) merge: Merge,
    pub(crate) unique: Option<Unique>,
    pub(crate) form: Option<Form>,
    pub(crate) default: Option<Default>,
    pub(crate) paths: Option<Paths>,
    pub(crate) cast: Option<Cast>,
    /// The key in JSON, when it is another.
    pub(crate) json: Option<&'static str>,
    /// Printed even when it says nothing.
    pub(crate) always: bool,
    /// Accepted, but no part of the project.
    pub(crate) dropped: bool,
    /// An entry without a value stays one.
    pub(crate) nullable: bool,
    pub(crate) support: Support,
}

/// The attributes of a mapping, in the order in which they are printed.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) attrs: &'static [Attr],
    pub(crate) others: Others,
}

/// Keys that are no attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// `x-…` is accepted.
    Extensions,
    None,
    Any,
}

/// Keys of a mapping that the user chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Letters, digits, `.`, `_` and `-`.
    Names,
    Any,
}

/// How a value is read and printed. Where Compose tells "unset" from the zero value the name
/// begins with `Opt`; else zero values are not printed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Bool,
    OptBool,
    Int,
    OptInt,
    /// Not negative, without a text form of its own.
    Count,
    OptCount,
    Float,
    /// A size; printed as text.
    Bytes,
    Duration,
    OptDuration,
    /// Permission bits, octal as text.
    Mode,
    /// How many devices: a number or `all`.
    DeviceCount,
    Texts,
    TextOrTexts,
    /// Texts or numbers.
    Numbers,
    /// A command line: text is cut into words. Unset differs from empty.
    Command,
    /// A health test: text is for a shell.
    Probe,
    /// `KEY=VALUE` entries; a bare key is empty.
    Mapping,
    /// `KEY=VALUE` entries; a bare key is unset.
    Environment,
    /// Entries whose values become text.
    Options,
    /// Entries whose values are texts, or whole numbers that become text.
    Strings,
    MultiOptions,
    /// Hosts and their addresses.
    Hosts,
    /// SSH agents and keys.
    Ssh,
    Struct(&'static Fields),
    /// Printed in JSON even when absent.
    Inline(&'static Fields),
    List(&'static Attr),
    Map(&'static Attr, Keys),
    /// One number, or soft and hard.
    Ulimit(&'static Fields),
    /// The file of an `env_file`: whether it is required is told when it is not.
    EnvFile(&'static Fields),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    ContainerName,
    PullPolicy,
}

/// How a later file changes an attribute. What a key names twice is merged by its own rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    /// Mappings by key, lists appended, anything else replaced.
    Deep,
    /// Replaced, also by null.
    Replace,
    /// Both become lists of `KEY=VALUE`, one after the other.
    Sequence,
    /// As `Sequence`, without what is there already.
    ExtraHosts,
    /// A text is its `context`.
    Build,
    /// A list names services with the usual condition.
    DependsOn,
    /// A list is a mapping without values.
    Names,
    /// By key when both name the same driver.
    Logging,
    /// By subnet.
    IpamConfig,
}

/// What makes two items the same, so that the later replaces the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    /// The text before `=`.
    Key,
    File,
    /// The path below `/`, or `/run/secrets`.
    Config,
    Secret,
    Volume,
    Device,
    Port,
}

/// How the short form of an attribute becomes the long one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    AnyText,
    Build,
    DependsOn,
    Device,
    EnvFiles,
    Extends,
    External,
    FileMount,
    Gpus,
    KeyValue,
    Names,
    Ports,
    Ssh,
    TextList,
    /// Text is no limit; variables in it have been given a type before.
    Ulimit,
    Volume,
}

/// What is filled in when the files say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Default {
    Build,
    Secret,
    Port,
    DeviceRequest,
}

/// Which paths are relative to the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paths {
    /// Also in each item of a list.
    Plain,
    /// Unless it is a URL or a service.
    Context,
    /// Unless absolute, also as on Windows; in each value of a mapping.
    Local,
    /// The source of a bind mount.
    Mount,
    /// The device of a local volume that is a bind mount.
    DriverOptions,
}

/// The type that a text gets when variables are put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    Bool,
    Int,
    Float,
}

/// What becomes of the attribute when the project runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    Yes,
    Ignored,
    /// Under a condition.
    Partly(&'static str),
    Refused,
}

pub(super) const fn attr(name: &'static str, shape: Shape) -> Attr {
    let (types, items) = types::of_shape(&shape);
    Attr {
        name,
        shape,
        types,
        items,
        distinct: !matches!(shape, Shape::Command | Shape::Probe | Shape::List(_)),
        one_of: &[],
        pattern: None,
        range: None,
        required: false,
        merge: Merge::Deep,
        unique: None,
        form: None,
        default: None,
        paths: None,
        cast: None,
        json: None,
        always: false,
        dropped: false,
        nullable: false,
        support: Support::Yes,
    }
}

/// Items of a list, or entries of a mapping.
pub(super) const fn each(shape: Shape) -> Attr {
    attr("*", shape)
}

/// Attributes beside which `x-…` may stand.
pub(super) const fn fields(attrs: &'static [Attr]) -> Fields {
    Fields { attrs, others: Others::Extensions }
}

/// Attributes beside which nothing may stand.
pub(super) const fn closed(attrs: &'static [Attr]) -> Fields {
    Fields { attrs, others: Others::None }
}

/// Attributes beside which anything may stand.
pub(super) const fn open(attrs: &'static [Attr]) -> Fields {
    Fields { attrs, others: Others::Any }
}

/// A setter for each part that is not the usual.
macro_rules! setters {
    ($($name:ident: $type:ty $(=> $wrap:expr)?;)*) => {
        impl Attr {
            $(pub(super) const fn $name(mut self, value: $type) -> Self {
                self.$name = setters!(@value value $($wrap)?);
                self
            })*
        }
    };
    (@value $value:ident) => { $value };
    (@value $value:ident $wrap:expr) => { $wrap($value) };
}

setters! {
    types: Types;
    items: Types;
    one_of: &'static [&'static str];
    pattern: Pattern => Some;
    merge: Merge;
    unique: Unique => Some;
    form: Form => Some;
    default: Default => Some;
    paths: Paths => Some;
    cast: Cast => Some;
    json: &'static str => Some;
    support: Support;
}

impl Attr {
    pub(super) const fn within(mut self, least: i64, most: i64) -> Self {
        self.range = Some((least, most));
        self
    }

    /// Items may be equal.
    pub(super) const fn repeats(mut self) -> Self {
        self.distinct = false;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn always(mut self) -> Self {
        self.always = true;
        self
    }

    pub(super) const fn dropped(mut self) -> Self {
        self.dropped = true;
        self
    }

    pub(super) const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The attribute `key` of a mapping, when it is known.
    pub(crate) fn entry(&self, key: &str) -> Option<&'static Attr> {
        match self.shape {
            Shape::Map(each, _) => Some(each),
            _ => self.fields()?.attrs.iter().find(|attr| attr.name == key),
        }
    }

    /// What is known of the items of a list.
    pub(crate) fn item(&self) -> Option<&'static Attr> {
        match self.shape {
            Shape::List(each) => Some(each),
            _ => None,
        }
    }

    pub(crate) fn fields(&self) -> Option<&'static Fields> {
        match self.shape {
            Shape::Struct(fields)
            | Shape::Inline(fields)
            | Shape::Ulimit(fields)
            | Shape::EnvFile(fields) => Some(fields),
            _ => None,
        }
    }
}
