//! `--output`: `type=KIND,dest=PATH,KEY=VALUE…`, a folder, or `-` for an archive on standard output.

use std::collections::BTreeMap;
use std::path::PathBuf;

use coracle_image::Reference;

use super::{FlagError, attributes, truth};
use crate::instruction::fields;
use crate::request::{Output, OutputKind};

/// What becomes of a build, and what is written on its image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedOutput {
    pub output: Output,
    /// `annotation.KEY=VALUE`.
    pub annotations: BTreeMap<String, String>,
}

/// Reads a value of `--output`.
pub fn output(text: &str) -> Result<ParsedOutput, FlagError> {
    let cut = fields(text).map_err(|fault| FlagError::Bad(fault.message))?;
    if cut.len() == 1 && cut[0] == text && !text.starts_with("type=") {
        let kind = match text {
            "-" => OutputKind::Tar(None),
            path => OutputKind::Local(PathBuf::from(path)),
        };
        let output = Output { kind, rewrites_timestamps: false };
        return Ok(ParsedOutput { output, annotations: BTreeMap::new() });
    }
    let mut read = Attributes::default();
    for (key, value) in attributes(text)? {
        read.take(&key, &value)?;
    }
    let annotations = std::mem::take(&mut read.annotations);
    let rewrites_timestamps = read.rewrites_timestamps;
    Ok(ParsedOutput { output: Output { kind: read.kind()?, rewrites_timestamps }, annotations })
}

#[derive(Debug, Default)]
struct Attributes {
    kind: Option<String>,
    dest: String,
    names: Vec<Reference>,
    push: Option<bool>,
    is_archive: Option<bool>,
    rewrites_timestamps: bool,
    annotations: BTreeMap<String, String>,
}

impl Attributes {
    fn take(&mut self, key: &str, value: &str) -> Result<(), FlagError> {
        let what = "--output";
        match key {
            "type" => self.kind = Some(value.trim().to_owned()),
            "dest" => value.clone_into(&mut self.dest),
            "name" => self.names = names(value)?,
            "push" => self.push = Some(truth(what, key, value)?),
            "tar" => self.is_archive = Some(truth(what, key, value)?),
            "rewrite-timestamp" => self.rewrites_timestamps = truth(what, key, value)?,
            // An image is always unpacked, and always of OCI's types.
            "unpack" | "store" => drop(truth(what, key, value)?),
            "oci-mediatypes" if truth(what, key, value)? => {}
            "force-compression" | "platform-split" | "push-by-digest" | "name-canonical"
                if !truth(what, key, value)? => {}
            "compression" if value == "gzip" => {}
            "mode" if value == "copy" => {}
            key => match key.strip_prefix("annotation.") {
                Some(name) if !name.is_empty() => {
                    self.annotations.insert(name.to_owned(), value.to_owned());
                }
                _ => {
                    let what = format!("--output {key}={value}");
                    return Err(FlagError::unsupported(what, "outputs have no such option here"));
                }
            },
        }
        Ok(())
    }

    fn kind(self) -> Result<OutputKind, FlagError> {
        let Some(kind) = self.kind.as_deref().filter(|kind| !kind.is_empty()) else {
            return Err(FlagError::bad("type is required for output"));
        };
        let path = || match self.dest.as_str() {
            "" | "-" => None,
            path => Some(PathBuf::from(path)),
        };
        let folder = || match self.dest.as_str() {
            "" => Err(FlagError::Bad(format!("dest is required for {kind} exporter"))),
            "-" => Err(FlagError::Bad(format!("dest cannot be stdout for {kind} exporter"))),
            path => Ok(PathBuf::from(path)),
        };
        Ok(match kind {
            "local" => OutputKind::Local(folder()?),
            "tar" => OutputKind::Tar(path()),
            "image" => OutputKind::Image { push: self.push.unwrap_or_default(), names: self.names },
            "registry" => OutputKind::Image { push: self.push.unwrap_or(true), names: self.names },
            "docker" if self.is_archive == Some(false) => {
                let why = "an archive as save makes it is no folder; type=oci,tar=false makes one";
                return Err(FlagError::unsupported("--output type=docker,tar=false", why));
            }
            // What is not said to be a file is for the store.
            "docker" if self.dest.is_empty() => {
                OutputKind::Image { names: self.names, push: self.push.unwrap_or_default() }
            }
            "docker" => OutputKind::Docker { path: path(), names: self.names },
            "oci" => {
                let is_archive = self.is_archive.unwrap_or(true);
                let path = if is_archive { path() } else { Some(folder()?) };
                OutputKind::Oci { path, is_archive, names: self.names }
            }
            "cacheonly" => OutputKind::Nothing,
            other => {
                let words = format!("failed to solve: exporter {other:?} could not be found");
                return Err(FlagError::Bad(words));
            }
        })
    }
}

fn names(text: &str) -> Result<Vec<Reference>, FlagError> {
    text.split(',').filter(|name| !name.is_empty()).map(tag).collect()
}

/// A name for an image that is made: `--tag`. Without a tag it gets the usual one.
pub fn tag(text: &str) -> Result<Reference, FlagError> {
    let bad = |why: &str| FlagError::Bad(format!("invalid tag {text:?}: {why}"));
    if text.is_empty() {
        return Err(bad("repository name must have at least one component"));
    }
    let name = Reference::parse(text).map_err(|error| match error {
        coracle_image::ReferenceError::Uppercase { .. } => bad("repository name must be lowercase"),
        error => bad(&error.to_string()),
    })?;
    if name.digest().is_some() {
        return Err(bad("refusing to create a tag with a digest reference"));
    }
    Ok(name.with_default_tag())
}

/// Gives outputs the names of `--tag`, and has an image pushed (`--push`) or put into the store (`--load`), with an
/// output of its own where there is none that would.
pub fn complete(outputs: &mut Vec<Output>, names: &[Reference], push: bool, load: bool) {
    let image = |push| Output {
        kind: OutputKind::Image { names: Vec::new(), push },
        rewrites_timestamps: false,
    };
    let is_image = |output: &Output| matches!(output.kind, OutputKind::Image { .. });
    if push {
        for output in outputs.iter_mut() {
            if let OutputKind::Image { push, .. } = &mut output.kind {
                *push = true;
            }
        }
    }
    if (push || load) && !outputs.iter().any(is_image) && (push || !outputs.is_empty()) {
        outputs.push(image(push));
    }
    if names.is_empty() {
        return;
    }
    for output in outputs {
        match &mut output.kind {
            OutputKind::Image { names: own, .. }
            | OutputKind::Docker { names: own, .. }
            | OutputKind::Oci { names: own, .. } => *own = names.to_vec(),
            OutputKind::Local(_) | OutputKind::Tar(_) | OutputKind::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> OutputKind {
        output(text).unwrap().output.kind
    }

    fn why(text: &str) -> String {
        output(text).unwrap_err().to_string()
    }

    #[test]
    fn short_forms_are_a_folder_and_an_archive() {
        assert_eq!(kind("o"), OutputKind::Local("o".into()));
        assert_eq!(kind("bogus=1"), OutputKind::Local("bogus=1".into()));
        assert_eq!(kind("-"), OutputKind::Tar(None));
    }

    #[test]
    fn kinds() {
        assert_eq!(kind("type=tar,dest=a.tar"), OutputKind::Tar(Some("a.tar".into())));
        let name = tag("b2:im").unwrap();
        let image = OutputKind::Image { names: vec![name.clone()], push: false };
        assert_eq!(kind("type=image,name=b2:im"), image);
        assert_eq!(kind("type=docker,name=b2:im"), image);
        assert_eq!(kind("type=registry"), OutputKind::Image { names: Vec::new(), push: true });
        let both = kind("type=image,\"name=a,b:1\",push=true");
        let names = vec![tag("a").unwrap(), tag("b:1").unwrap()];
        assert_eq!(both, OutputKind::Image { names, push: true });
        let layout = kind("type=oci,dest=l,tar=false");
        assert_eq!(
            layout,
            OutputKind::Oci { path: Some("l".into()), is_archive: false, names: Vec::new() }
        );
        let read = output("type=image,rewrite-timestamp=true,annotation.a=b").unwrap();
        assert!(read.output.rewrites_timestamps);
        assert_eq!(read.annotations["a"], "b");
    }

    #[test]
    fn what_is_wrong_is_told_in_known_words() {
        assert_eq!(why("type=local"), "dest is required for local exporter");
        assert_eq!(why("type=bogus"), "failed to solve: exporter \"bogus\" could not be found");
        assert_eq!(why("dest=a,push=true"), "type is required for output");
        assert_eq!(why("type=image,x"), "invalid value x");
        assert!(why("type=oci,compression=zstd").contains("compression=zstd: not supported"));
        assert!(why("type=image,oci-mediatypes=false").contains("not supported"));
    }

    #[test]
    fn names_and_where_the_image_goes() {
        let names = [tag("a").unwrap()];
        let done = |texts: &[&str], push, load| {
            let mut outputs: Vec<Output> =
                texts.iter().map(|text| output(text).unwrap().output).collect();
            complete(&mut outputs, &names, push, load);
            outputs.into_iter().map(|output| output.kind).collect::<Vec<_>>()
        };
        let image = |push| OutputKind::Image { names: names.to_vec(), push };
        assert_eq!(done(&[], false, true), []);
        assert_eq!(done(&[], true, false), [image(true)]);
        assert_eq!(done(&["o"], true, false), [OutputKind::Local("o".into()), image(true)]);
        assert_eq!(done(&["o"], false, true), [OutputKind::Local("o".into()), image(false)]);
        assert_eq!(done(&["type=image,name=b"], true, true), [image(true)]);
    }

    #[test]
    fn names_that_are_none() {
        let why = |text| tag(text).unwrap_err().to_string();
        assert_eq!(why("BAD"), "invalid tag \"BAD\": repository name must be lowercase");
        assert_eq!(why("a:b:c"), "invalid tag \"a:b:c\": invalid reference format");
        assert_eq!(why(""), "invalid tag \"\": repository name must have at least one component");
        assert_eq!(tag("a").unwrap().to_string(), "docker.io/library/a:latest");
    }
}
