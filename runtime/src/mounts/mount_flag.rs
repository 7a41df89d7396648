//! `--mount key=value,…` as the client reads it.

use std::collections::BTreeMap;
use std::path::Path;

use coracle_words::{pair, size};

use crate::model::{
    BindOptions, DriverConfig, ImageOptions, Mount, MountType, TmpfsOptions, VolumeOptions,
};

use super::MountError;
use super::volume_flag::absolute;

/// Reads one `--mount` option of a command given in `directory`.
///
/// # Errors
/// In Docker's words, for anything its client refuses.
pub fn mount_flag(option: &str, directory: &Path) -> Result<Mount, MountError> {
    let option = option.trim();
    if option.is_empty() {
        return Err(MountError::flag("value is empty"));
    }
    let mut mount = Mount::default();
    for field in fields(option)? {
        set(&mut mount, &field, directory)?;
    }
    check(&mount)?;
    Ok(mount)
}

/// The parts between commas; one in double quotes may contain commas.
fn fields(option: &str) -> Result<Vec<String>, MountError> {
    let mut fields = Vec::new();
    let mut rest = option;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => return Err(MountError::flag("extraneous or missing \" in quoted-field")),
        }
    }
}

/// Up to the closing quote; two quotes in a row stand for one.
fn quoted_field(quoted: &str) -> Result<(String, &str), MountError> {
    let mut field = String::new();
    let mut rest = quoted;
    while let Some(end) = rest.find('"') {
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, rest)),
        }
    }
    Err(MountError::flag("extraneous or missing \" in quoted-field"))
}

/// Keys that may stand alone.
const SWITCHES: [&str; 5] =
    ["readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src"];

fn set(mount: &mut Mount, field: &str, directory: &Path) -> Result<(), MountError> {
    let (key, given) = match field.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (field, None),
    };
    check_spaces(field, key, given)?;
    let key = key.to_lowercase();
    if given.is_none() && !SWITCHES.contains(&key.as_str()) {
        let text = format!("invalid field '{field}' must be a key=value pair");
        return Err(MountError::flag(text));
    }
    let value = given.unwrap_or_default();
    let invalid = || MountError::flag(format!("invalid value for {key}: {value}"));
    let flag = || given.map_or(Ok(true), |value| boolean(&key, value));
    match key.as_str() {
        "type" => mount.kind = kind(&value.to_lowercase())?,
        "source" | "src" => {
            let relative = value.starts_with('.');
            mount.source = if relative { absolute(directory, value) } else { value.to_owned() };
        }
        "target" | "dst" | "destination" => value.clone_into(&mut mount.target),
        "readonly" | "ro" => mount.read_only = flag()?,
        "consistency" => mount.consistency = value.to_lowercase(),
        "bind-propagation" => bind(mount).propagation = value.to_lowercase(),
        "bind-nonrecursive" => {
            let text = "bind-nonrecursive is deprecated, use bind-recursive=disabled instead";
            return Err(MountError::flag(text));
        }
        "bind-create-src" => bind(mount).create_mountpoint = flag()?,
        "bind-recursive" => set_recursion(bind(mount), value)?,
        "volume-nocopy" => volume(mount).no_copy = flag()?,
        "volume-subpath" => value.clone_into(&mut volume(mount).subpath),
        "volume-label" => add(&mut volume(mount).labels, value),
        "volume-driver" => value.clone_into(&mut driver(mount).name),
        "volume-opt" => add(&mut driver(mount).options, value),
        "image-subpath" => value.clone_into(&mut image(mount).subpath),
        "tmpfs-size" => tmpfs(mount).size_bytes = size::mount(value).map_err(|_| invalid())?,
        "tmpfs-mode" => {
            tmpfs(mount).mode = u32::from_str_radix(value, 8).map_err(|_| invalid())?;
        }
        _ => return Err(MountError::flag(format!("unknown option '{key}' in '{field}'"))),
    }
    Ok(())
}

/// Nothing is cut off, and nothing may be empty.
fn check_spaces(field: &str, key: &str, value: Option<&str>) -> Result<(), MountError> {
    if key.trim() != key {
        return Err(MountError::flag(format!(
            "invalid option '{}' in '{field}': option should not have whitespace",
            key.trim()
        )));
    }
    match value.map(|value| (value, value.trim())) {
        Some((_, "")) => {
            Err(MountError::flag(format!("invalid value for '{key}': value is empty")))
        }
        Some((value, trimmed)) if value != trimmed => Err(MountError::flag(format!(
            "invalid value for '{key}' in '{field}': value should not have whitespace"
        ))),
        _ => Ok(()),
    }
}

/// Fewer words than the flags of the command line take.
fn boolean(key: &str, value: &str) -> Result<bool, MountError> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(MountError::flag(format!(
            "invalid value for '{key}': invalid boolean value ({value:?}): must be one of \"true\", \
             \"1\", \"false\", or \"0\" (default \"true\")"
        ))),
    }
}

fn set_recursion(bind: &mut BindOptions, value: &str) -> Result<(), MountError> {
    match value {
        "enabled" => {}
        "disabled" => bind.non_recursive = true,
        "writable" => bind.read_only_non_recursive = true,
        "readonly" => bind.read_only_force_recursive = true,
        _ => {
            return Err(MountError::flag(format!(
                "invalid value for bind-recursive: {value} \
                 (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")"
            )));
        }
    }
    Ok(())
}

/// The engine refuses unknown types, later than the client everything else.
fn kind(name: &str) -> Result<MountType, MountError> {
    match name {
        "bind" => Ok(MountType::Bind),
        "volume" => Ok(MountType::Volume),
        "tmpfs" => Ok(MountType::Tmpfs),
        "image" => Ok(MountType::Image),
        _ => Err(MountError::Config {
            kind: name.to_owned(),
            reason: "mount type unknown".to_owned(),
        }),
    }
}

fn bind(mount: &mut Mount) -> &mut BindOptions {
    mount.bind_options.get_or_insert_default()
}

fn volume(mount: &mut Mount) -> &mut VolumeOptions {
    mount.volume_options.get_or_insert_default()
}

fn driver(mount: &mut Mount) -> &mut DriverConfig {
    volume(mount).driver_config.get_or_insert_default()
}

fn image(mount: &mut Mount) -> &mut ImageOptions {
    mount.image_options.get_or_insert_default()
}

fn tmpfs(mount: &mut Mount) -> &mut TmpfsOptions {
    mount.tmpfs_options.get_or_insert_default()
}

fn add(map: &mut BTreeMap<String, String>, entry: &str) {
    let (key, value) = pair(entry);
    map.insert(key.to_owned(), value.to_owned());
}

fn check(mount: &Mount) -> Result<(), MountError> {
    for (prefix, given, kind) in [
        ("bind", mount.bind_options.is_some(), MountType::Bind),
        ("volume", mount.volume_options.is_some(), MountType::Volume),
        ("image", mount.image_options.is_some(), MountType::Image),
        ("tmpfs", mount.tmpfs_options.is_some(), MountType::Tmpfs),
    ] {
        if given && mount.kind != kind {
            let text = format!("cannot mix '{prefix}-*' options with mount type '{}'", mount.kind);
            return Err(MountError::flag(text));
        }
    }
    let Some(bind) = &mount.bind_options else { return Ok(()) };
    let needs = |option: &str, other: &str| {
        MountError::flag(format!(
            "option 'bind-recursive={option}' requires '{other}' to be specified in conjunction"
        ))
    };
    if bind.read_only_non_recursive && !mount.read_only {
        return Err(needs("writable", "readonly"));
    }
    if bind.read_only_force_recursive {
        if !mount.read_only {
            return Err(needs("readonly", "readonly"));
        }
        if bind.propagation != "rprivate" {
            return Err(needs("readonly", "bind-propagation=rprivate"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(option: &str) -> Result<Mount, MountError> {
        mount_flag(option, Path::new("/srv/demo"))
    }

    fn json(option: &str) -> String {
        serde_json::to_string(&read(option).unwrap()).unwrap()
    }

    #[test]
    fn reads_every_kind() {
        assert_eq!(
            json("type=bind,src=./src,dst=/m,readonly,bind-propagation=rslave"),
            r#"{"Type":"bind","Source":"/srv/demo/src","Target":"/m","ReadOnly":true,"BindOptions":{"Propagation":"rslave"}}"#
        );
        assert_eq!(
            json(
                "source=v,target=/m,volume-nocopy,volume-subpath=a,volume-label=x=1,volume-opt=o=uid=7"
            ),
            r#"{"Type":"volume","Source":"v","Target":"/m","VolumeOptions":{"NoCopy":true,"Labels":{"x":"1"},"Subpath":"a","DriverConfig":{"Options":{"o":"uid=7"}}}}"#
        );
        assert_eq!(
            json("type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0700"),
            r#"{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":1048576,"Mode":448}}"#
        );
        assert_eq!(
            json("type=image,src=alpine,dst=/i,image-subpath=etc"),
            r#"{"Type":"image","Source":"alpine","Target":"/i","ImageOptions":{"Subpath":"etc"}}"#
        );
        assert_eq!(
            json(r#"type=volume,dst=/m,"volume-opt=o=a,b=""c""""#),
            r#"{"Type":"volume","Target":"/m","VolumeOptions":{"DriverConfig":{"Options":{"o":"a,b=\"c\""}}}}"#
        );
    }

    #[test]
    fn refuses_in_dockers_words() {
        let text = |option: &str| read(option).unwrap_err().to_string();
        assert_eq!(text("src=/x,dst=/m,foo=bar"), "unknown option 'foo' in 'foo=bar'");
        assert_eq!(text("type=bind,src=/x,dst="), "invalid value for 'dst': value is empty");
        assert_eq!(text("src=/x,dst= "), "invalid value for 'dst': value is empty");
        assert_eq!(
            text("src=/x,dst= /m"),
            "invalid value for 'dst' in 'dst= /m': value should not have whitespace"
        );
        assert_eq!(
            text("src=/x, dst=/m"),
            "invalid option 'dst' in ' dst=/m': option should not have whitespace"
        );
        for field in ["bind-nonrecursive", "bind-nonrecursive=false"] {
            assert_eq!(
                text(&format!("type=bind,src=/a,dst=/m,{field}")),
                "bind-nonrecursive is deprecated, use bind-recursive=disabled instead"
            );
        }
        assert_eq!(text("dst=/m,foo"), "invalid field 'foo' must be a key=value pair");
        for value in ["x", "t", "T", "TRUE"] {
            assert_eq!(
                text(&format!("dst=/m,readonly={value}")),
                format!(
                    "invalid value for 'readonly': invalid boolean value (\"{value}\"): must be one \
                     of \"true\", \"1\", \"false\", or \"0\" (default \"true\")"
                )
            );
        }
        assert_eq!(
            text("type=bind,src=/a,dst=/m,tmpfs-size=1"),
            "cannot mix 'tmpfs-*' options with mount type 'bind'"
        );
        assert_eq!(
            text("type=volume,src=a,dst=/m,image-subpath=x"),
            "cannot mix 'image-*' options with mount type 'volume'"
        );
        let unknown = read("type=bogus,dst=/m").unwrap_err();
        assert_eq!(
            unknown.to_string(),
            r#"invalid mount config for type "bogus": mount type unknown"#
        );
        assert_eq!(unknown.side(), super::super::Side::Engine);
        // A target that is missing is the engine's to refuse.
        assert!(read("type=bind,src=/srv/demo/src").unwrap().target.is_empty());
        assert_eq!(read("").unwrap_err().side(), super::super::Side::Flag);
    }

    #[test]
    fn recursion_has_conditions() {
        assert_eq!(
            read("type=bind,src=/a,dst=/m,bind-recursive=writable").unwrap_err().to_string(),
            "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction"
        );
        let bind = read("type=bind,src=/a,dst=/m,bind-recursive=disabled").unwrap().bind_options;
        assert!(bind.unwrap().non_recursive);
    }
}
