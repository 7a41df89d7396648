//! Made-up images, and what is told of them beside what Docker's engines told of such.

use std::collections::BTreeSet;

use chrono::{DateTime, FixedOffset, Utc};
use coracle_image::{Digest, Image, Layer, NewImage, Reference};
use coracle_runtime::{Home, HomeSettings};
use serde_json::{Value, json};

use super::*;
use crate::filter::{Filter, Filters};
use crate::{Api, Now};

/// An image of that time with these names.
pub(crate) fn made_up(created: &str, names: &[&str], digests: &[&str]) -> Image {
    let parse = |names: &[&str]| names.iter().map(|n| Reference::parse(n).unwrap()).collect();
    let digest = |byte: &str| Digest::from_hex(&byte.repeat(32)).unwrap();
    Image {
        id: digest("e1"),
        names: parse(names),
        repo_digests: parse(digests),
        layers: vec![Layer {
            diff_id: digest("1b"),
            blob_digest: digest("2b"),
            blob_size: 3000,
            without_blob: false,
            media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
            unpacked_size: 7000,
            notes: Vec::new(),
        }],
        manifest_digest: digest("0d"),
        manifest_media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        created: created.to_owned(),
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        variant: String::new(),
        parent: None,
        last_tag_time: Some("2026-11-20T23:50:45.523673107Z".to_owned()),
    }
}

pub(crate) fn now() -> Now {
    let time: DateTime<Utc> = "2026-11-20T23:54:42Z".parse().unwrap();
    Now { time, zone: FixedOffset::east_opt(0).unwrap() }
}

/// A home in a folder of its own, and a function's worth of images without layers in it.
struct World {
    home: Home,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_root = folder.path().join("data");
        let home = Home::new(HomeSettings { data_root, ..HomeSettings::default() });
        Self { home, _folder: folder }
    }

    /// Adds an image with that configuration besides what all have.
    fn add(&self, created: &str, names: &[&str], more: Value, parent: Option<Digest>) -> Digest {
        let mut config = json!({
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "rootfs": { "type": "layers", "diff_ids": [] },
        });
        if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
            config.extend(more);
        }
        let new = NewImage {
            config_bytes: config.to_string().into_bytes(),
            manifest_bytes: format!("{{\"of\":{config}}}").into_bytes(),
            manifest_media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            layers: Vec::new(),
            names: names.iter().map(|name| Reference::parse(name).unwrap()).collect(),
            repo_digests: Vec::new(),
            parent,
        };
        self.home.store().unwrap().commit_image(&new).unwrap()
    }

    fn list(&self, given: &[(&str, &str)], options: ListOptions) -> Vec<ImageSummary> {
        let filter = |(key, value): &(&str, &str)| Filter {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
        };
        let given: Vec<Filter> = given.iter().map(filter).collect();
        let filters = Filters::new(&given, FILTERS).unwrap();
        list(&self.home, &filters, options, &now()).unwrap()
    }

    fn image(&self, name: &str) -> Image {
        find(&self.home, name).unwrap()
    }
}

const PLAIN: ListOptions =
    ListOptions { api: Api::V1_51, all: false, details: false, shared_size: false };

/// The keys of an object, in its order.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Asserts that two documents have the same keys in the same order, at every depth, and that
/// their values are of one kind.
fn assert_shape(ours: &Value, recorded: &Value, path: &str) {
    match (ours, recorded) {
        (Value::Object(mine), Value::Object(theirs)) => {
            assert_eq!(keys(ours), keys(recorded), "the keys of {path}");
            for (key, value) in mine {
                assert_shape(value, &theirs[key], &format!("{path}.{key}"));
            }
        }
        (Value::Array(mine), Value::Array(theirs)) => {
            for (mine, theirs) in mine.iter().zip(theirs) {
                assert_shape(mine, theirs, &format!("{path}[]"));
            }
        }
        _ => assert_eq!(
            std::mem::discriminant(ours),
            std::mem::discriminant(recorded),
            "the kind of {path}: {ours}, {recorded}"
        ),
    }
}

fn recorded(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What made the image whose document was recorded.
fn imported() -> Value {
    json!({
        "docker_version": "28.5.2",
        "config": {
            "Cmd": ["/bin/sh"],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        },
        "history": [{
            "created": "2026-11-20T23:50:45.486460646Z",
            "comment": "Imported from -",
            "empty_layer": true,
        }],
    })
}

#[test]
fn summaries_are_dockers() {
    let world = World::new();
    world.add("2026-11-20T23:50:45.486460646Z", &["demo:1", "demo:2"], imported(), None);
    let details = ListOptions { details: true, ..PLAIN };
    let sent = |options| serde_json::to_value(world.list(&[], options)).unwrap();
    let of_28 = sent(details);
    assert_shape(&of_28, &recorded(include_str!("../../tests/recorded/images-28.json")), "images");
    assert_eq!(of_28[0]["Created"], json!(1_795_218_645));
    assert_eq!(of_28[0]["RepoTags"], json!(["demo:1", "demo:2"]));
    assert_eq!((&of_28[0]["SharedSize"], &of_28[0]["Labels"]), (&json!(-1), &Value::Null));
    let shared = sent(ListOptions { shared_size: true, ..details });
    assert_eq!(shared[0]["SharedSize"], json!(0));
    let of_29 = sent(ListOptions { api: Api::V1_55, ..details });
    assert_eq!(of_29[0]["Labels"], json!({}));
    assert_eq!(keys(&of_29[0]["Descriptor"]), ["mediaType", "digest", "size"]);
    // Nothing else is added.
    let without = |value: &Value| keys(value).into_iter().filter(|k| *k != "Descriptor").count();
    assert_eq!(without(&of_29[0]), keys(&of_28[0]).len());
}

#[test]
fn documents_are_dockers() {
    let world = World::new();
    world.add("2026-11-20T23:50:45.486460646Z", &["demo:1"], imported(), None);
    let image = world.image("demo:1");
    let shape = |api, text: &str| {
        let mut theirs = recorded(text)[0].take();
        if let Some(theirs) = theirs.as_object_mut() {
            // Not known here: which image came how.
            theirs.shift_remove("Identity");
            if let Some(data) = theirs.get_mut("GraphDriver") {
                // Nothing is merged before a container starts.
                data["Data"].as_object_mut().unwrap().retain(|key, _| key == "UpperDir");
            }
        }
        let ours = document(&world.home, &image, api).unwrap();
        assert_shape(&ours, &theirs, "image");
        ours
    };
    shape(Api::V1_51, include_str!("../../tests/recorded/image-28.json"));
    let of_29 = shape(Api::V1_55, include_str!("../../tests/recorded/image-29.json"));
    assert_eq!(of_29["Comment"], "Imported from -");
    // Go's types of 29 have neither, whatever is in the image.
    assert!(of_29.get("GraphDriver").is_none() && of_29.get("DockerVersion").is_none());
}

#[test]
fn a_template_sees_the_fields_that_are_set() {
    let world = World::new();
    world.add("2026-11-20T23:50:45Z", &["demo:1"], imported(), None);
    let image = world.image("demo:1");
    let typed = typed_document(&world.home, &image, Api::V1_51).unwrap();
    assert_eq!(keys(&typed["Config"]), ["Env", "Cmd"]);
    // Members that are left out when they are empty have a zero value all the same.
    let of_29 = typed_document(&world.home, &image, Api::V1_55).unwrap();
    assert_eq!((&of_29["Author"], &of_29["GraphDriver"]), (&json!(""), &Value::Null));
    assert!(of_29.get("VirtualSize").is_none() && of_29.get("DockerVersion").is_none());
    let sent = document(&world.home, &image, Api::V1_51).unwrap();
    assert_eq!(keys(&typed), keys(&sent));
    assert_eq!(keys(&sent["Config"])[..3], ["Cmd", "Entrypoint", "Env"]);
}

#[test]
fn lists_are_filtered_by_what_is_in_the_store() {
    let world = World::new();
    let labelled = json!({ "config": { "Labels": { "tier": "db" } } });
    let base = world.add("2026-11-01T00:00:00Z", &["base:1"], json!({}), None);
    let middle = world.add("2026-11-02T00:00:00Z", &[], json!({}), Some(base));
    world.add("2026-11-03T00:00:00Z", &["app:1"], labelled, Some(middle));
    let names = |given: &[(&str, &str)], options| {
        let all: BTreeSet<String> = world
            .list(given, options)
            .into_iter()
            .map(|one| one.repo_tags.unwrap().pop().unwrap_or_default())
            .collect();
        all.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(names(&[], PLAIN), ["app:1", "base:1"]);
    assert_eq!(names(&[], ListOptions { all: true, ..PLAIN }), ["", "app:1", "base:1"]);
    assert_eq!(names(&[("label", "tier=db")], PLAIN), ["app:1"]);
    assert_eq!(names(&[("before", "app:1")], PLAIN), ["base:1"]);
    assert_eq!(names(&[("since", "base:1")], PLAIN), ["app:1"]);
    let filters = [Filter { key: "since".to_owned(), value: "gone:1".to_owned() }];
    let filters = Filters::new(&filters, FILTERS).unwrap();
    let error = list(&world.home, &filters, PLAIN, &now()).unwrap_err();
    assert_eq!(error.to_string(), "No such image: gone:1");
}

#[test]
fn steps_are_dockers() {
    let world = World::new();
    let step = |by: &str| json!({ "created": "2026-11-20T23:50:45Z", "created_by": by, "empty_layer": true });
    let history = |steps: &[Value]| json!({ "history": steps });
    let base = world.add("2026-11-20T23:50:45Z", &["base:1"], history(&[step("ENV A=1")]), None);
    let steps = [step("ENV A=1"), step("CMD\t[\"sh\"]"), step("USER me")];
    world.add("2026-11-20T23:50:46Z", &["app:1", "app:2"], history(&steps), Some(base));
    let image = world.image("app:1");
    let steps = super::history(&world.home, &image).unwrap();
    let ours = serde_json::to_value(&steps).unwrap();
    let theirs = recorded(include_str!("../../tests/recorded/history-28.json"));
    assert_shape(&ours[0], &theirs[0], "history");
    let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, [image.id.to_string().as_str(), "<missing>", base.to_string().as_str()]);
    assert_eq!(ours[0]["Tags"], json!(["app:1", "app:2"]));
    assert_eq!((&ours[1]["Tags"], &ours[1]["CreatedBy"]), (&Value::Null, &json!("CMD\t[\"sh\"]")));
    assert_eq!(ours[2]["Tags"], json!(["base:1"]));
}

#[test]
fn a_name_is_repeated_with_its_tag() {
    let home = Home::new(HomeSettings::default());
    assert_eq!(with_tag(&home, "alpine").unwrap(), "alpine:latest");
    assert_eq!(with_tag(&home, "registry.example/a:1").unwrap(), "registry.example/a:1");
    let error = with_tag(&home, "UPPER").unwrap_err();
    assert!(error.is_of_client() && error.hint().is_none());
}

#[test]
fn a_summary_counts_and_chooses() {
    let image = made_up("0001-01-01T00:00:00Z", &["demo:1", "demo:2"], &[]);
    let summary = ImageSummary::new(image.clone(), None, 2);
    assert_eq!((summary.created, summary.containers, summary.size), (0, 2, 7000));
    let chosen = vec![Reference::parse("demo:2").unwrap()];
    let summary = ImageSummary::new(image, Some(chosen), 0);
    assert_eq!(summary.repo_tags, Some(vec!["demo:2".to_owned()]));
    assert_eq!((summary.with_nulls().repo_digests), None);
}
