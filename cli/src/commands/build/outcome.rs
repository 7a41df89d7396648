//! What is written down of a build: the id on standard output, `--iidfile`, `--metadata-file`.

use std::fs;
use std::io::Write as _;

use coracle_builder::exec::Built;
use coracle_builder::request::{BuildRequest, Output, OutputKind};
use coracle_image::Reference;
use coracle_view::image::{self, Descriptor};
use serde_json::{Map, Value, json};

use super::args::{BuildArgs, failed};
use super::progress::Mode;
use crate::app::App;
use crate::error::CliError;
use crate::files::reason;

/// Writes what the flags want to know of what was built.
pub(super) fn write(
    args: &BuildArgs,
    app: &mut App,
    request: &BuildRequest,
    built: &Built,
    mode: Mode,
) -> Result<(), CliError> {
    let id = built.image.as_ref().map(|(id, _)| id.to_string());
    if let Some(path) = &args.iidfile {
        put(path, id.as_deref().unwrap_or_default().as_bytes())?;
    }
    if let Some(path) = &args.metadata_file {
        let text = text(&metadata(app, built)?)?;
        put(path, text.as_bytes())?;
    }
    if mode == Mode::Quiet && !request.outputs.iter().any(is_on_standard_output) {
        writeln!(app.ui.data(), "{}", id.unwrap_or_default())?;
    }
    Ok(())
}

fn is_on_standard_output(output: &Output) -> bool {
    matches!(
        output.kind,
        OutputKind::Tar(None)
            | OutputKind::Docker { path: None, .. }
            | OutputKind::Oci { path: None, .. }
    )
}

/// What `--metadata-file` says of a result, as `buildx` does. Neither provenance nor a record of the build exists.
pub(crate) fn metadata(app: &App, built: &Built) -> Result<Value, CliError> {
    let Some((id, manifest)) = &built.image else { return Ok(json!({})) };
    // One that is in an archive alone has no manifest here.
    let descriptor = match image::find(&app.home, &id.to_string()) {
        Ok(found) => Descriptor::of_manifest(app.store()?, &found),
        Err(_) => None,
    };
    Ok(described(&id.to_string(), &manifest.to_string(), descriptor.as_ref(), &built.names))
}

fn described(
    id: &str,
    manifest: &str,
    descriptor: Option<&Descriptor>,
    names: &[Reference],
) -> Value {
    let mut facts = Map::new();
    facts.insert("containerimage.config.digest".to_owned(), json!(id));
    if let Some(descriptor) = descriptor {
        facts.insert("containerimage.descriptor".to_owned(), json!(descriptor));
    }
    facts.insert("containerimage.digest".to_owned(), json!(manifest));
    if !names.is_empty() {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        facts.insert("image.name".to_owned(), json!(names.join(",")));
    }
    Value::Object(facts)
}

pub(crate) fn text(value: &Value) -> Result<String, CliError> {
    serde_json::to_string_pretty(value)
        .map_err(|error| failed(&format!("cannot write down the result: {error}")))
}

pub(super) fn put(path: &str, bytes: &[u8]) -> Result<(), CliError> {
    fs::write(path, bytes).map_err(|error| failed(&format!("open {path}: {}", reason(&error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_an_image() {
        let descriptor = Descriptor { media_type: "m".into(), digest: "sha256:b".into(), size: 9 };
        let names = [Reference::parse("a:1").unwrap(), Reference::parse("b:2").unwrap()];
        let facts = described("sha256:a", "sha256:b", Some(&descriptor), &names);
        insta::assert_snapshot!(text(&facts).unwrap(), @r#"
        {
          "containerimage.config.digest": "sha256:a",
          "containerimage.descriptor": {
            "mediaType": "m",
            "digest": "sha256:b",
            "size": 9
          },
          "containerimage.digest": "sha256:b",
          "image.name": "docker.io/library/a:1,docker.io/library/b:2"
        }
        "#);
        assert_eq!(
            described("a", "b", None, &[]),
            json!({"containerimage.config.digest": "a", "containerimage.digest": "b"})
        );
    }
}
