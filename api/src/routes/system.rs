//! The engine itself: versions, facts, events, what is used.

use std::cell::Cell;
use std::io::Write as _;
use std::ops::ControlFlow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use coracle_image::{Credential, Distribution, Platform, Reference, Secret, TransferError};
use coracle_runtime::events::{Events, Filter, Span};
use coracle_view::Api;
use coracle_view::system::DiskUsage;
use serde_json::{Map, Value, json};

use super::transfers::registries;
use super::{filters, pairs, reference};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::json::{take, text};
use crate::serve::PING;
use crate::version::MIN;
use crate::worker::Call;

/// What the machine is in the swarm is a header.
pub(crate) fn ping(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let swarm = match call.host.manager() {
        Ok(_) => "active/manager",
        Err(error) if error.message == coracle_swarm::command::LOCKED => "locked",
        Err(_) => "inactive",
    };
    let words = if call.method == "HEAD" { "" } else { "OK" };
    let length = words.len().to_string();
    let own = [("swarm", swarm), ("content-length", length.as_str())];
    call.channel.head(200, &[&PING[..], &own[..]].concat())?;
    call.channel.out.write_all(words.as_bytes())?;
    Ok(Answer::Sent)
}

pub(crate) fn version(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    Ok(coracle_view::system::version(&call.host.program(), &MIN.to_string()).into())
}

pub(crate) fn info(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    Ok(call.host.info()?.into())
}

pub(crate) fn plugins(_call: &mut Call<'_>) -> Result<Answer, ApiError> {
    Ok(json!([]).into())
}

/// There are none.
pub(crate) fn no_plugin(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let name = call.request.parameter(0);
    Err(ApiError::new(404, format!("plugin {name:?} not found")))
}

pub(crate) fn make_plugin(_call: &mut Call<'_>) -> Result<Answer, ApiError> {
    Err(ApiError::unsupported("plugins", "what drivers do is done by this program itself"))
}

/// What a registry says of a name.
pub(crate) fn distribution(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let name = reference(call.host.home(), call.request.parameter(0))?;
    let settings = registries(call, &name);
    let found: Cell<Option<Result<Distribution, TransferError>>> = Cell::default();
    let each = |_: &Reference, told| found.set(Some(told));
    coracle_image::distributions(&settings, true, std::slice::from_ref(&name), &each)?;
    let found = found.take().ok_or_else(|| ApiError::new(500, "the registry said nothing"))??;
    let platform = |platform: &Platform| {
        let mut out = json!({ "architecture": platform.architecture, "os": platform.os });
        if !platform.variant.is_empty() {
            out["variant"] = platform.variant.clone().into();
        }
        out
    };
    let platforms: Vec<Value> = found.platforms.iter().map(platform).collect();
    let (media_type, digest) = (&found.media_type, found.digest.to_string());
    let descriptor = json!({ "mediaType": media_type, "digest": digest, "size": found.size });
    Ok(json!({ "Descriptor": descriptor, "Platforms": platforms }).into())
}

pub(crate) fn usage(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (now, api) = (call.host.now(), call.request.version().documents());
    call.host.enter(false)?;
    let usage = DiskUsage::read(call.host.home_mut(), &now)?;
    let mut document = usage.document(call.host.home(), api, call.request.is_set("verbose"))?;
    let kinds = [
        ("container", "Containers"),
        ("image", "Images"),
        ("volume", "Volumes"),
        ("build-cache", "BuildCache"),
    ];
    let wanted: Vec<&str> = call.request.all("type").collect();
    if let Some(other) = wanted.iter().find(|other| !kinds.iter().any(|(kind, _)| kind == *other)) {
        return Err(ApiError::bad(format!("unknown object type: {other}")));
    }
    for (kind, key) in kinds {
        if !wanted.is_empty() && !wanted.contains(&kind) && document.get(key).is_some() {
            document[key] = Value::Null;
        }
    }
    Ok(document.into())
}

pub(crate) fn events(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let now = call.host.now();
    let filters = filters(call.request)?;
    let filter = Filter::new(pairs(&filters)).map_err(|error| ApiError::bad(error.to_string()))?;
    let moment = |name: &str| {
        // Docker answers 500 to a moment that is none.
        let bad = |error: coracle_view::ViewError| ApiError::new(500, error.to_string());
        call.request.given(name).map(|text| now.moment(text).map_err(bad)).transpose()
    };
    let span = Span { since: moment("since")?, until: moment("until")? };
    if let (Some(since), Some(until)) = (span.since, span.until)
        && since > until
    {
        let given = |name: &str| call.request.given(name).unwrap_or_default();
        return Err(ApiError::bad(format!(
            "`since` time ({}) cannot be after `until` time ({})",
            given("since"),
            given("until")
        )));
    }
    let api = call.request.version().documents();
    let settings = call.host.home().settings();
    let events = Events::new(settings.data_root.join("events.jsonl")).of(settings.owner.as_deref());
    let kind = if api < Api::V1_55 {
        "application/json"
    } else {
        kind_of_lines(call.request.header("accept"))
    };
    // What begins each of them, by RFC 7464.
    let mark = if kind == "application/json-seq" { "\x1e" } else { "" };
    call.begin_lines_as(kind)?;
    let (home, out) = (call.host.home(), &mut call.channel.out);
    let read = events.read(span, &filter, &mut |event| {
        if event.action == "die" {
            super::streams::settle(home, &event.actor.id, event.moment());
        }
        let event = coracle_view::event::document(event, api).unwrap_or_default();
        match out.write_all(format!("{mark}{event}\n").as_bytes()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    // The head is sent: a history that cannot be read ends the answer.
    drop(read);
    Ok(Answer::Sent)
}

/// The first of the kinds of lines of JSON that a client accepts, or else what Docker 29 sends.
fn kind_of_lines(accepted: Option<&str>) -> &'static str {
    const KINDS: [&str; 4] =
        ["application/jsonl", "application/x-ndjson", "application/json-seq", "application/json"];
    let accepted = accepted.unwrap_or_default().split(',');
    let mut names = accepted.map(|one| one.split(';').next().unwrap_or_default().trim());
    names.find_map(|name| KINDS.into_iter().find(|kind| *kind == name)).unwrap_or(KINDS[0])
}

/// Tries a password at its registry. Docker answers 500 to a wrong one.
pub(crate) fn auth(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    let registry = text(&mut body, "serveraddress");
    let (user, password) = (text(&mut body, "username"), text(&mut body, "password"));
    let token = text(&mut body, "identitytoken");
    let registry = if registry.is_empty() { "docker.io".to_owned() } else { registry };
    let credential = match token.is_empty() {
        true => Credential::basic(user, password),
        false => Credential::IdentityToken(Secret::new(token)),
    };
    coracle_image::login(&call.host.registries(), &registry, &credential)
        .map_err(|error| ApiError::from(error).with(500))?;
    Ok(json!({ "IdentityToken": "", "Status": "Login Succeeded" }).into())
}

/// What a client sends as `X-Registry-Auth`, in the form of a credentials file for `registry`; `None` without one.
pub(crate) fn credentials(header: Option<&str>, registry: &str) -> Option<String> {
    let entry = entry(decoded(header)?)?;
    Some(json!({ "auths": { registry: entry } }).to_string())
}

/// The same for `X-Registry-Config`, which has those of many registries.
pub(crate) fn all_credentials(header: Option<&str>) -> Option<String> {
    let mut all = decoded(header)?;
    // As docker-py sends them.
    let inner = take(&mut all, "auths");
    let all = if inner.is_object() { inner } else { all };
    let Value::Object(all) = all else { return None };
    let entries: Map<String, Value> =
        all.into_iter().filter_map(|(registry, auth)| Some((registry, entry(auth)?))).collect();
    (!entries.is_empty()).then(|| json!({ "auths": entries }).to_string())
}

fn decoded(header: Option<&str>) -> Option<Value> {
    let header = header.filter(|text| !text.is_empty())?;
    let bytes =
        [URL_SAFE, URL_SAFE_NO_PAD, STANDARD].iter().find_map(|form| form.decode(header).ok())?;
    serde_json::from_slice(&bytes).ok()
}

/// An entry of a credentials file.
fn entry(mut auth: Value) -> Option<Value> {
    let (user, password) = (text(&mut auth, "username"), text(&mut auth, "password"));
    let token = text(&mut auth, "identitytoken");
    let mut entry = Map::new();
    if !user.is_empty() {
        entry.insert("auth".to_owned(), STANDARD.encode(format!("{user}:{password}")).into());
    }
    if !token.is_empty() {
        entry.insert("identitytoken".to_owned(), token.into());
    }
    (!entry.is_empty()).then_some(Value::Object(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_in_a_header() {
        let header = |text: &str| base64::engine::general_purpose::URL_SAFE.encode(text);
        let some = header(r#"{"username":"ann","password":"p?>","serveraddress":"r"}"#);
        let told: Value =
            serde_json::from_str(&credentials(Some(&some), "r:5000").unwrap()).unwrap();
        assert_eq!(told, json!({ "auths": { "r:5000": { "auth": "YW5uOnA/Pg==" } } }));
        for nothing in ["", "e30=", "%%%"] {
            assert_eq!(credentials(Some(nothing), "r"), None, "{nothing}");
            assert_eq!(all_credentials(Some(nothing)), None, "{nothing}");
        }
        let entries = r#"{"r:5000":{"username":"ann","password":"p?>"},"other":{}}"#;
        for all in [entries.to_owned(), format!("{{\"auths\":{entries}}}")] {
            let read: Value =
                serde_json::from_str(&all_credentials(Some(&header(&all))).unwrap()).unwrap();
            assert_eq!(read, told, "{all}");
        }
    }
}
