//! Short syntax of volumes: `[SOURCE:]TARGET[:OPTIONS]`.

/// What a short form says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Volume {
    /// A path, or the name of a volume; empty for an anonymous one.
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) read_only: bool,
    pub(crate) nocopy: bool,
    pub(crate) propagation: Option<String>,
    pub(crate) selinux: Option<String>,
    /// A target of one or two characters, for which Compose says nothing more.
    pub(crate) brief: bool,
}

impl Volume {
    pub(crate) fn is_bind(&self) -> bool {
        is_path(&self.source)
    }
}

pub(crate) fn parse(spec: &str) -> Result<Volume, String> {
    match spec.len() {
        0 => return Err("invalid empty volume spec".to_owned()),
        1 | 2 => {
            return Ok(Volume { target: spec.to_owned(), brief: true, ..Volume::default() });
        }
        _ => {}
    }
    let mut volume = Volume::default();
    let sections = sections(spec);
    let last = sections.len() - 1;
    for (index, section) in sections.iter().enumerate() {
        place(&mut volume, section, index == last)
            .map_err(|why| format!("invalid spec: {spec}: {why}"))?;
    }
    Ok(volume)
}

/// Split at colons, but not at those of a Windows drive or inside `${…}`.
fn sections(spec: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut section = String::new();
    let mut braces = 0;
    let mut chars = spec.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' if chars.peek() == Some(&'{') => braces += 1,
            '}' if braces > 0 => braces -= 1,
            ':' if braces == 0 && !is_drive(&section) => {
                out.push(std::mem::take(&mut section));
                continue;
            }
            _ => {}
        }
        section.push(c);
    }
    out.push(section);
    out
}

fn is_drive(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

fn place(volume: &mut Volume, section: &str, last: bool) -> Result<(), &'static str> {
    if section.is_empty() {
        return Err("empty section between colons");
    }
    if volume.source.is_empty() {
        let slot = if last { &mut volume.target } else { &mut volume.source };
        section.clone_into(slot);
        return Ok(());
    }
    if volume.target.is_empty() {
        section.clone_into(&mut volume.target);
        return Ok(());
    }
    if !last {
        return Err("too many colons");
    }
    for option in section.split(',') {
        match option {
            "ro" => volume.read_only = true,
            "rw" => volume.read_only = false,
            "nocopy" => volume.nocopy = true,
            "z" | "Z" => volume.selinux = Some(option.to_owned()),
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                volume.propagation = Some(option.to_owned());
            }
            // Compose takes any other word and does nothing.
            _ => {}
        }
    }
    Ok(())
}

/// Whether a source is a path rather than the name of a volume.
fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~']) || source.starts_with(r"\\") || {
        let mut chars = source.chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next() == Some(':')
    }
}

/// `path.Clean`: no empty parts, no `.`, and `..` taken back as far as that goes.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let volume = parse("./a:/b:ro,z,rslave").unwrap();
        assert!(volume.is_bind() && volume.read_only);
        assert_eq!(volume.selinux.as_deref(), Some("z"));
        assert_eq!(volume.propagation.as_deref(), Some("rslave"));
        let volume = parse("data:/b:nocopy").unwrap();
        assert!(!volume.is_bind() && volume.nocopy);
        assert_eq!(parse("/b/c").unwrap().target, "/b/c");
        assert_eq!(parse("/b/c").unwrap().source, "");
        assert_eq!(parse(r"c:\x:/b").unwrap().source, r"c:\x");
        assert_eq!(parse("${A:-b}:/c").unwrap().source, "${A:-b}");
        assert!(parse("/a").unwrap().brief);
    }

    #[test]
    fn mistakes() {
        assert_eq!(parse("").unwrap_err(), "invalid empty volume spec");
        assert_eq!(
            parse("ab::/x").unwrap_err(),
            "invalid spec: ab::/x: empty section between colons"
        );
        assert_eq!(parse("ab:/x:ro:y").unwrap_err(), "invalid spec: ab:/x:ro:y: too many colons");
    }

    #[test]
    fn cleaning() {
        for (path, cleaned) in [
            ("/a//b/./c/", "/a/b/c"),
            ("/../a", "/a"),
            ("a/../../b", "../b"),
            ("", "."),
            ("./", "."),
            ("/", "/"),
        ] {
            assert_eq!(clean(path), cleaned);
        }
    }
}
