//! Images: listed, shown, named, removed.

use coracle_image::Image;
use coracle_image::store::{PruneFilter, RemoveOptions, Removed};
use coracle_runtime::engine::CommitRequest;
use coracle_view::filter::Filters;
use coracle_view::image::{self, ListOptions, document, find_for, stored_name};
use coracle_view::value_of;
use serde_json::{Value, json};

use super::{filters, new_name, reference, with_tag};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Request;
use crate::version::Version;
use crate::worker::Call;

/// From here on, clients get the number of containers of an image.
const COUNTS_CONTAINERS: Version = Version(1, 51);

pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let request = call.request;
    let known = ["before", "dangling", "label", "label!", "reference", "since", "until"];
    let filters = Filters::new(&filters(request)?, &known)?;
    let options = ListOptions {
        api: request.version().documents(),
        all: request.is_set("all"),
        details: true,
        shared_size: request.is_set("shared-size"),
    };
    let mut images =
        value_of(&image::list(call.host.home(), &filters, options, &call.host.now())?)?;
    if request.version() < COUNTS_CONTAINERS
        && let Some(images) = images.as_array_mut()
    {
        images.iter_mut().for_each(|image| image["Containers"] = json!(-1));
    }
    Ok(images.into())
}

/// The image that the path names.
fn named(call: &mut Call<'_>) -> Result<Image, ApiError> {
    let (name, platform) = (call.request.parameter(0).to_owned(), platform(call.request)?);
    let name = call.host.meant(&name);
    call.host.prepare(&name)?;
    let home = call.host.home();
    // A name that is none is told of as such.
    find_for(home, &name, platform.as_deref())
        .map_err(|error| reference(home, &name).err().unwrap_or(error.into()))
}

/// A platform as text: `linux/arm64`, or in JSON.
fn platform(request: &Request) -> Result<Option<String>, ApiError> {
    let Some(text) = request.given("platform") else { return Ok(None) };
    if !text.starts_with('{') {
        return Ok(Some(text.to_owned()));
    }
    let value: Value = serde_json::from_str(text)?;
    let part = |key: &str| value[key].as_str().filter(|text| !text.is_empty());
    let parts: Vec<&str> =
        [part("os"), part("architecture"), part("variant")].into_iter().flatten().collect();
    Ok(Some(parts.join("/")))
}

pub(crate) fn inspect(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let image = named(call)?;
    Ok(document(call.host.home(), &image, call.request.version().documents())?.into())
}

pub(crate) fn history(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let image = named(call)?;
    Ok(value_of(&image::history(call.host.home(), &image)?)?.into())
}

pub(crate) fn tag(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let Some(repository) = call.request.given("repo") else { return Ok(Answer::Empty(200)) };
    let home = call.host.home();
    let name = reference(home, &with_tag(repository, call.request.given("tag")))?;
    let source = stored_name(home, call.request.parameter(0));
    call.host.brings(&[name.clone().with_default_tag().to_string()]);
    home.images()?.tag(&source, &name)?;
    Ok(Answer::Empty(201))
}

pub(crate) fn remove(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let options = RemoveOptions {
        force: call.request.is_set("force"),
        no_prune: call.request.is_set("noprune"),
    };
    if call.request.given("platforms").is_some() {
        return Err(ApiError::unsupported(
            "platforms",
            "remove the image of that platform by its id",
        ));
    }
    call.host.enter(false)?;
    let home = call.host.home();
    let wanted = stored_name(home, call.request.parameter(0));
    let removed = home.images()?.remove(&wanted, options, &|| home.image_users())?;
    Ok(Value::Array(removed.iter().map(line).collect()).into())
}

fn line(removed: &Removed) -> Value {
    match removed {
        Removed::Untagged(name) => json!({ "Untagged": name }),
        Removed::Deleted(id) => json!({ "Deleted": id.to_string() }),
    }
}

pub(crate) fn prune(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let filters = Filters::new(&filters(call.request)?, image::PRUNE_FILTERS)?;
    let all = filters.truth("dangling")? == Some(false);
    let now = call.host.now();
    call.host.enter(false)?;
    let home = call.host.home();
    let wanted = image::prunable(home.store()?, &filters, &now)?;
    let filter = PruneFilter { all };
    let (report, freed) = home.images()?.prune(&filter, &wanted, &|| home.image_users())?;
    let deleted = match report.is_empty() {
        true => Value::Null,
        false => report.iter().map(line).collect(),
    };
    Ok(json!({ "ImagesDeleted": deleted, "SpaceReclaimed": freed }).into())
}

pub(crate) fn search(_call: &mut Call<'_>) -> Result<Answer, ApiError> {
    Err(ApiError::unsupported(
        "search",
        "registries have no common way of searching; look at the registry's own page",
    ))
}

pub(crate) fn commit(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let request = call.request;
    let id = coracle_view::container::find_id(
        call.host.home(),
        request.query("container").unwrap_or_default(),
    )?;
    let name = new_name(call.host.home(), request)?;
    let mut changes: Vec<String> = request
        .query
        .iter()
        .filter(|(key, value)| key == "changes" && !value.is_empty())
        .flat_map(|(_, value)| value.lines().map(str::to_owned))
        .collect();
    changes.extend(instructions(request.json()?)?);
    let commit = CommitRequest {
        author: request.given("author").map(str::to_owned),
        message: request.given("comment").map(str::to_owned),
        changes,
        pause: request.query("pause").is_none_or(|_| request.is_set("pause")),
        name,
    };
    call.host.enter(false)?;
    call.host.brings(&commit.name.iter().map(ToString::to_string).collect::<Vec<_>>());
    let (engine, session, store) = call.host.home_mut().engine_and_store()?;
    let image = engine.commit(session, store, &id, &commit)?;
    if commit.name.is_none() {
        call.host.brought(&image.to_string());
    }
    Ok(Answer::Json(201, json!({ "Id": image.to_string() })))
}

/// A configuration as the instructions of a Dockerfile that make it.
fn instructions(body: Value) -> Result<Vec<String>, ApiError> {
    if body.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(Vec::new());
    }
    let config = super::create::config(body)?;
    let mut all = Vec::new();
    let list = |words: &[String]| serde_json::to_string(words).unwrap_or_default();
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    for entry in &config.env {
        let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
        all.push(format!("ENV {key}={}", quoted(value)));
    }
    for (key, value) in &config.labels {
        all.push(format!("LABEL {}={}", quoted(key), quoted(value)));
    }
    for port in config.exposed_ports.keys() {
        all.push(format!("EXPOSE {port}"));
    }
    for path in config.volumes.iter().flatten() {
        all.push(format!("VOLUME {}", list(std::slice::from_ref(path.0))));
    }
    for (word, text) in [
        ("USER", &config.user),
        ("WORKDIR", &config.working_dir),
        ("STOPSIGNAL", &config.stop_signal),
    ] {
        if !text.is_empty() {
            all.push(format!("{word} {text}"));
        }
    }
    if let Some(words) = config.entrypoint.as_ref().filter(|words| !words.is_empty()) {
        all.push(format!("ENTRYPOINT {}", list(words)));
    }
    if let Some(words) = config.cmd.as_ref().filter(|words| !words.is_empty()) {
        all.push(format!("CMD {}", list(words)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_instructions() {
        let body = json!({ "Env": ["A=b c"], "Cmd": ["ls", "-l"], "Labels": { "x": "y" }, "User": "nobody" });
        assert_eq!(
            instructions(body).unwrap(),
            ["ENV A=\"b c\"", "LABEL \"x\"=\"y\"", "USER nobody", "CMD [\"ls\",\"-l\"]"]
        );
        assert!(instructions(json!({})).unwrap().is_empty());
    }
}
