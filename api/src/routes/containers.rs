//! Containers: listed, shown, and what is done to them at once.

use coracle_runtime::engine::{RemoveOptions, UpdateRequest};
use coracle_runtime::model::{Attach, HostConfig, Resources, RestartPolicy, Status};
use coracle_runtime::processes::signals;
use coracle_runtime::wire::Request as MonitorRequest;
use coracle_view::container::{self, ContainerFilters, ContainerSummary, Known, find, find_id};
use coracle_view::filter::Filters;
use coracle_view::image::ImageNames;
use coracle_view::value_of;
use serde_json::{Value, json};

use super::filters;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::json::{keys, read, spelled, take};
use crate::worker::Call;

/// The container that the path names.
pub(crate) fn named(call: &Call<'_>) -> Result<Known, ApiError> {
    Ok(find(call.host.home(), call.request.parameter(0).trim_start_matches('/'))?)
}

/// Its id.
pub(crate) fn id_of(call: &Call<'_>) -> Result<String, ApiError> {
    Ok(find_id(call.host.home(), call.request.parameter(0).trim_start_matches('/'))?)
}

pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let given = filters(call.request)?;
    let chosen = ContainerFilters::new(call.host.home(), &given)?;
    let limit =
        call.request.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(0);
    let all = call.request.is_set("all") || limit > 0 || chosen.imply_all();
    let with_size = call.request.is_set("size");
    if with_size {
        call.host.enter(false)?;
    }
    let known = container::list(call.host.home())?;
    let names = ImageNames::read(call.host.home())?;
    let now = call.host.now();
    let api = call.request.version().documents();
    let count = if limit > 0 { limit } else { usize::MAX };
    let shown = known
        .iter()
        .filter(|one| all || one.state.status.is_running())
        .filter(|one| chosen.accept(one));
    let mut summaries = Vec::new();
    for one in shown.take(count) {
        let size = with_size.then(|| container::size(call.host.home_mut(), one)).transpose()?;
        summaries.push(ContainerSummary::new(one, &known, &names, size, &now).sent(api));
    }
    Ok(value_of(&summaries)?.into())
}

pub(crate) fn inspect(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let known = named(call)?;
    let with_size = call.request.is_set("size");
    if with_size {
        call.host.enter(false)?;
    }
    let api = call.request.version().documents();
    Ok(container::document(call.host.home_mut(), &known, with_size, api)?.into())
}

pub(crate) fn top(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let known = named(call)?;
    if !known.state.status.is_running() {
        return Err(ApiError::new(409, format!("container {} is not running", known.container.id)));
    }
    let options: Vec<String> = call
        .request
        .given("ps_args")
        .unwrap_or("-ef")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let table = call.host.home().engine()?.top(&known.container, &known.life, &options);
    let table = table.map_err(|error| ApiError::from(error).with(500))?;
    Ok(json!({ "Titles": table.titles, "Processes": table.rows }).into())
}

pub(crate) fn changes(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = id_of(call)?;
    call.host.enter(false)?;
    let (engine, session) = call.host.home_mut().engine_in_session()?;
    let kind = |letter: char| match letter {
        'A' => 1,
        'D' => 2,
        _ => 0,
    };
    let changes = engine.diff(session, &id)?;
    let all: Vec<Value> = changes
        .iter()
        .map(|change| json!({ "Path": change.path.to_string_lossy(), "Kind": kind(change.kind.letter()) }))
        .collect();
    Ok(Answer::from(if all.is_empty() { Value::Null } else { all.into() }))
}

/// Starts it: by the request that waits to be attached, if there is one, so that this misses nothing.
pub(crate) fn start(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    if call.request.body.trim().len() > 2 {
        let text = "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24";
        return Err(ApiError::bad(text));
    }
    let known = named(call)?;
    match known.state.status {
        Status::Running | Status::Restarting => return Ok(Answer::Empty(304)),
        Status::Paused => {
            return Err(ApiError::new(409, "cannot start a paused container, try unpause instead"));
        }
        _ => {}
    }
    let waiting = call.channel.ask(format!("attach:{}", known.container.id), json!("start"))?;
    if let Some(status) = waiting["status"].as_u64().and_then(|status| u16::try_from(status).ok()) {
        return match status {
            200 => Ok(Answer::Empty(204)),
            304 => Ok(Answer::Empty(304)),
            _ => Err(ApiError::new(status, waiting["message"].as_str().unwrap_or_default())),
        };
    }
    call.host.enter(true)?;
    let (engine, session) = call.host.home_mut().engine_in_session()?;
    engine.start(session, &known.container.id, Attach::default())?;
    Ok(Answer::Empty(204))
}

fn grace(call: &Call<'_>) -> Result<(Option<i32>, Option<i64>), ApiError> {
    let signal = call.request.given("signal").map(signal).transpose()?;
    Ok((signal, call.request.number("t")?))
}

fn signal(text: &str) -> Result<i32, ApiError> {
    signals::parse(text).ok_or_else(|| ApiError::bad(format!("invalid signal: {text}")))
}

pub(crate) fn stop(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (signal, grace) = grace(call)?;
    let known = named(call)?;
    if !known.state.status.is_running() {
        return Ok(Answer::Empty(304));
    }
    call.host.home().engine()?.stop(&known.container.id, signal, grace)?.wait()?;
    Ok(Answer::Empty(204))
}

pub(crate) fn restart(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (signal, grace) = grace(call)?;
    let id = id_of(call)?;
    call.host.home().engine()?.stop_to_restart(&id, signal, grace)?.wait()?;
    call.host.enter(true)?;
    let (engine, session) = call.host.home_mut().engine_in_session()?;
    engine.start_again(session, &id, Attach::default())?;
    Ok(Answer::Empty(204))
}

pub(crate) fn kill(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let number = signal(call.request.given("signal").unwrap_or("KILL"))?;
    let id = id_of(call)?;
    call.host
        .home()
        .engine()?
        .kill(&id, number)
        .and_then(coracle_runtime::engine::Ending::wait)
        .map_err(|error| {
            let error = ApiError::from(error);
            ApiError::new(
                error.status,
                format!("cannot kill container: {}: {}", call.request.parameter(0), error.message),
            )
        })?;
    Ok(Answer::Empty(204))
}

pub(crate) fn pause(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = id_of(call)?;
    call.host.home().engine()?.pause(&id, true)?;
    Ok(Answer::Empty(204))
}

/// Docker answers 500 where `pause` is answered with 409.
pub(crate) fn unpause(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let id = id_of(call)?;
    let done = call.host.home().engine()?.pause(&id, false);
    done.map_err(|error| ApiError::from(error).with(500))?;
    Ok(Answer::Empty(204))
}

pub(crate) fn rename(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let known = named(call)?;
    let name = call.request.query("name").unwrap_or_default().trim_start_matches('/');
    if name.is_empty() {
        let old = call.request.version().documents() < coracle_view::Api::V1_55;
        let words =
            if old { "Neither old nor new names may be empty" } else { "new name cannot be blank" };
        return Err(ApiError::bad(words));
    }
    if name == known.container.name {
        return Err(ApiError::bad("Renaming a container with the same name as its current name"));
    }
    call.host.home().engine()?.rename(&known.container.id, name)?;
    Ok(Answer::Empty(204))
}

pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.object()?;
    let policy = take(&mut body, "RestartPolicy");
    let resources: Resources =
        read(Value::Object(spelled(body, &keys(&Resources::default(), &[]))), "resources")?;
    let policy = restart_policy(policy)?.filter(|policy| !policy.name.is_empty());
    let id = id_of(call)?;
    let request = UpdateRequest { resources, restart_policy: policy };
    call.host.home().engine()?.update(&id, &request)?;
    Ok(json!({ "Warnings": null }).into())
}

/// A restart policy, whose name may be empty.
pub(crate) fn restart_policy(value: Value) -> Result<Option<RestartPolicy>, ApiError> {
    if value.is_null() {
        return Ok(None);
    }
    let members = spelled(value, &keys(&RestartPolicy::default(), &[]));
    if members.is_empty() {
        return Ok(None);
    }
    let mut policy: RestartPolicy = read(Value::Object(members.clone()), "RestartPolicy")?;
    if !members.contains_key("Name") {
        policy.name.clear();
    }
    if !matches!(policy.name.as_str(), "" | "no" | "always" | "unless-stopped" | "on-failure") {
        let text = "must be one of 'no', 'always', 'on-failure', or 'unless-stopped'";
        return Err(ApiError::bad(format!(
            "invalid restart policy: unknown policy '{}'; {text}",
            policy.name
        )));
    }
    Ok(Some(policy))
}

pub(crate) fn resize(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let (columns, rows) = size(call)?;
    let known = named(call)?;
    let connection = call.host.home().engine()?.connect(&known.container.id)?;
    let not_running =
        || ApiError::new(409, format!("container {} is not running", known.container.id));
    connection.ok_or_else(not_running)?.send(&MonitorRequest::Resize { columns, rows })?;
    Ok(Answer::Empty(200))
}

/// The size of a terminal that the query gives, in characters.
pub(crate) fn size(call: &Call<'_>) -> Result<(u16, u16), ApiError> {
    let number = |name: &str| {
        let number = call.request.number(name)?.and_then(|number| u16::try_from(number).ok());
        number.ok_or_else(|| {
            ApiError::bad(format!("invalid resize {name}: a whole number is needed"))
        })
    };
    Ok((number("w")?, number("h")?))
}

pub(crate) fn remove(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    if call.request.is_set("link") {
        return Err(ApiError::new(500, "a link cannot be taken from its container"));
    }
    let options =
        RemoveOptions { force: call.request.is_set("force"), volumes: call.request.is_set("v") };
    let id = id_of(call)?;
    call.host.enter(false)?;
    let (engine, session) = call.host.home_mut().engine_in_session()?;
    engine.remove(session, &id, options)?;
    super::exec::forget(call.host.home(), &id);
    Ok(Answer::Empty(204))
}

pub(crate) fn prune(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let filters = Filters::new(&filters(call.request)?, container::PRUNE_FILTERS)?;
    let now = call.host.now();
    call.host.enter(false)?;
    let chosen = container::prunable(call.host.home(), &filters, &now)?;
    let (engine, session) = call.host.home_mut().engine_in_session()?;
    let (removed, freed) = engine.prune_containers(session, &chosen)?;
    let removed = if removed.is_empty() { Value::Null } else { removed.into() };
    Ok(json!({ "ContainersDeleted": removed, "SpaceReclaimed": freed }).into())
}

/// The keys that a host's configuration has.
pub(crate) fn host_keys() -> Vec<String> {
    keys(
        &HostConfig::default(),
        &["Annotations", "StorageOpt", "Tmpfs", "Sysctls", "Mounts", "Init"],
    )
}
