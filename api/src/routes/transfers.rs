//! Images come and go: from registries and archives, to registries and archives.
//!
//! What is told on the way are lines of JSON that end with CR LF. Once there was one the status is 200: what fails
//! then is a line too.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Mutex;

use coracle_image::archive::{ImportOptions, Input, LoadOptions};
use coracle_image::{
    LayerEvent, Platform, Progress, ProgressEvent, ProgressSink, PullOptions, Reference,
    RegistrySettings,
};
use coracle_view::image::stored_name;
use serde_json::{Value, json};

use super::system::credentials;
use super::{new_name, reference, with_tag};
use crate::answer::Answer;
use crate::channel::Channel;
use crate::error::ApiError;
use crate::worker::Call;

/// The end of a line.
pub(crate) const END: &str = "\r\n";

/// Pulls an image, or makes one of an archive.
pub(crate) fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    match (call.request.given("fromImage"), call.request.given("fromSrc")) {
        (Some(name), _) => {
            let name = name.to_owned();
            pull(call, &name)
        }
        (None, Some("-")) => import(call),
        (None, Some(_)) => Err(ApiError::unsupported(
            "fromSrc with an address",
            "download it and send it as the body",
        )),
        (None, None) => Err(ApiError::bad("no image specified: fromImage or fromSrc is needed")),
    }
}

/// How the registry of an image is reached, with what the client sent for it.
pub(crate) fn registries(call: &Call<'_>, name: &Reference) -> RegistrySettings {
    let mut settings = call.host.registries();
    let registry = match name.domain() {
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
    };
    if let Some(told) = credentials(call.request.header("x-registry-auth"), registry) {
        settings.auth.inline_json = Some(told);
    }
    settings
}

fn platform(call: &Call<'_>) -> Result<Option<Platform>, ApiError> {
    let given = call.request.given("platform");
    Ok(coracle_view::image::platform(given)?)
}

fn pull(call: &mut Call<'_>, name: &str) -> Result<Answer, ApiError> {
    let name = match call.request.given("tag") {
        Some(digest) if digest.contains(':') => format!("{name}@{digest}"),
        tag => with_tag(name, tag),
    };
    let name = call.host.meant(&name);
    let reference = reference(call.host.home(), &name)?.with_default_tag();
    if reference.domain() == "coracle.local" {
        // It is part of this program.
        call.host.image(&name, None)?;
        call.begin_lines()?;
        let line = json!({ "status": format!("Status: Image is up to date for {}", reference.familiar()) });
        call.line(&line, END)?;
        return Ok(Answer::Sent);
    }
    let options = PullOptions { platform: platform(call)?, all_platforms: false };
    let settings = registries(call, &reference);
    call.host.enter(false)?;
    call.host.brings(&[reference.to_string()]);
    let lines = Lines(Mutex::new(call.channel));
    let outcome = call.host.home().images()?.pull(&settings, &reference, &options, &lines);
    match outcome {
        Ok(outcome) => {
            lines.tell(&json!({ "status": outcome.status() }));
            call.host.home().sweep_store();
            Ok(Answer::Sent)
        }
        Err(error) => lines.failed(error.into()),
    }
}

pub(crate) fn push(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let name = with_tag(call.request.parameter(0), call.request.given("tag"));
    let reference = reference(call.host.home(), &name)?.with_default_tag();
    let settings = registries(call, &reference);
    let platform = platform(call)?;
    call.begin_lines()?;
    let lines = Lines(Mutex::new(call.channel));
    match call.host.home().images()?.push(&settings, &reference, platform.as_ref(), &lines) {
        Ok(outcome) => {
            let tag = reference.tag().unwrap_or_default();
            let (digest, size) = (outcome.digest.to_string(), outcome.size);
            lines.tell(&json!({ "status": format!("{tag}: digest: {digest} size: {size}") }));
            lines.tell(&json!({ "progressDetail": {}, "aux": { "Tag": tag, "Digest": digest, "Size": size } }));
            Ok(Answer::Sent)
        }
        Err(error) => lines.failed(error.into()),
    }
}

fn import(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let request = call.request;
    let options = ImportOptions {
        names: new_name(call.host.home(), request)?.into_iter().collect(),
        message: request.given("message").map(str::to_owned),
        changes: request
            .query
            .iter()
            .filter(|(key, _)| key == "changes")
            .map(|(_, value)| value.clone())
            .collect(),
        platform: platform(call)?,
    };
    call.host.enter(false)?;
    call.host.brings(&options.names.iter().map(ToString::to_string).collect::<Vec<_>>());
    let images = call.host.home().images()?;
    let imported = images.import(&mut call.channel.body(), &options, &|_: Progress| {});
    call.host.home().sweep_store();
    let imported = imported?;
    if options.names.is_empty() {
        call.host.brought(&imported.id.to_string());
    }
    call.begin_lines()?;
    call.line(&json!({ "status": imported.id.to_string() }), END)?;
    Ok(Answer::Sent)
}

/// Docker answers a broken archive with 200 and a line.
pub(crate) fn load(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let options = LoadOptions { platforms: platform(call)?.into_iter().collect() };
    call.host.enter(false)?;
    let before = names(call)?;
    let images = call.host.home().images()?;
    let loaded = images.load(Input::Stream(&mut call.channel.body()), &options, &|_, _| {});
    if loaded.is_err() {
        call.host.home().sweep_store();
    }
    call.begin_lines()?;
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            let error = ApiError::from(error);
            call.line(&failure(&error), END)?;
            return Ok(Answer::Sent);
        }
    };
    for image in loaded {
        let names = image.names.iter().map(ToString::to_string);
        names.filter(|name| !before.contains(name)).for_each(|name| call.host.brought(&name));
        if image.names.is_empty() {
            call.host.brought(&image.id.to_string());
            call.line(&json!({ "stream": format!("Loaded image ID: {}\n", image.id) }), END)?;
        }
        for name in &image.names {
            call.line(&json!({ "stream": format!("Loaded image: {}\n", name.familiar()) }), END)?;
        }
    }
    Ok(Answer::Sent)
}

/// Names that lead to images.
fn names(call: &Call<'_>) -> Result<BTreeSet<String>, ApiError> {
    let images = call.host.home().store()?.images()?;
    Ok(images.iter().flat_map(|image| &image.names).map(ToString::to_string).collect())
}

pub(crate) fn save(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let names: Vec<String> = call.request.all("names").map(str::to_owned).collect();
    write(call, &names)
}

pub(crate) fn save_one(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let names = [call.request.parameter(0).to_owned()];
    write(call, &names)
}

fn write(call: &mut Call<'_>, names: &[String]) -> Result<Answer, ApiError> {
    if names.is_empty() {
        return Err(ApiError::bad("no images were specified"));
    }
    for name in names {
        call.host.image(name, None)?;
    }
    let home = call.host.home();
    let stored: Vec<String> = names.iter().map(|given| stored_name(home, given)).collect();
    call.channel.head(200, &[("content-type", "application/x-tar")])?;
    let out = &mut call.channel.out;
    // The head is sent: what fails now ends the answer.
    drop(home.images()?.save(&stored, out, |out| out.flush().map_err(ApiError::from)));
    Ok(Answer::Sent)
}

/// A failure as a line.
pub(crate) fn failure(error: &ApiError) -> Value {
    json!({ "errorDetail": { "message": error.message }, "error": error.message })
}

/// Tells how far a transfer is; the head comes with the first line.
struct Lines<'a>(Mutex<&'a mut Channel>);

impl Lines<'_> {
    fn tell(&self, line: &Value) {
        let Ok(mut channel) = self.0.lock() else { return };
        let headed = channel.is_headed()
            || channel.head(200, &[("content-type", "application/json")]).is_ok();
        if headed {
            // The transfer goes on for a client that is gone: it may come again.
            channel.out.write_all(format!("{line}{END}").as_bytes()).unwrap_or_default();
        }
    }

    fn failed(&self, error: ApiError) -> Result<Answer, ApiError> {
        let begun = self.0.lock().is_ok_and(|channel| channel.is_headed());
        if !begun {
            return Err(error);
        }
        self.tell(&failure(&error));
        Ok(Answer::Sent)
    }
}

impl ProgressSink for Lines<'_> {
    fn event(&self, event: &ProgressEvent<'_>) {
        match event {
            ProgressEvent::PullingFrom { what, repository } => {
                self.tell(&json!({ "status": format!("Pulling from {repository}"), "id": what }));
            }
            ProgressEvent::PushingTo { repository } => {
                self.tell(
                    &json!({ "status": format!("The push refers to repository [{repository}]") }),
                );
            }
            ProgressEvent::Layer { id, event } => self.tell(&of_layer(id, event)),
            ProgressEvent::Digest { digest } => {
                self.tell(&json!({ "status": format!("Digest: {digest}") }))
            }
            ProgressEvent::Warning { text } => {
                self.tell(&json!({ "status": format!("warning: {text}") }))
            }
            _ => {}
        }
    }
}

fn of_layer(id: &str, event: &LayerEvent) -> Value {
    let plain = |status: &str| json!({ "status": status, "progressDetail": {}, "id": id });
    let moving = |status: &str, current: u64, total: u64| json!({ "status": status, "progressDetail": { "current": current, "total": total }, "id": id });
    match event {
        LayerEvent::PullingFsLayer => plain("Pulling fs layer"),
        LayerEvent::Waiting => plain("Waiting"),
        LayerEvent::Downloading { current, total } => moving("Downloading", *current, *total),
        LayerEvent::DownloadComplete => plain("Download complete"),
        LayerEvent::Extracting { current, total } => moving("Extracting", *current, *total),
        LayerEvent::PullComplete => plain("Pull complete"),
        LayerEvent::AlreadyExists => plain("Already exists"),
        LayerEvent::Compressing { current, total } => moving("Compressing", *current, *total),
        LayerEvent::Pushing { current, total } => moving("Pushing", *current, *total),
        LayerEvent::Pushed => plain("Pushed"),
        LayerEvent::LayerAlreadyExists => plain("Layer already exists"),
        LayerEvent::MountedFrom { repository } => plain(&format!("Mounted from {repository}")),
        LayerEvent::Retrying { after } => {
            plain(&format!("Retrying in {} seconds", after.as_secs()))
        }
        _ => plain("Waiting"),
    }
}
