//! Builds, as the classic builder has them: an archive comes, lines of JSON go.
//!
//! # Limits
//!
//! There is no BuildKit protocol: what needs a session of the client (secrets, agents, outputs that are files) is
//! refused, and so are networks that are somebody's.

use std::collections::BTreeMap;
use std::io::Write as _;

use coracle_builder::exec::{BuildError, Built};
use coracle_builder::flags::pairs;
use coracle_builder::ignore::{Fits, Ignore};
use coracle_builder::request::{BuildRequest, Network};
use coracle_image::Reference;
use coracle_view::build_cache::{Room, Wanted, shown_id};
use serde_json::{Value, json};

use super::system::all_credentials;
use super::transfers::{END, failure};
use super::{filters, reference};
use crate::answer::Answer;
use crate::channel::Channel;
use crate::error::ApiError;
use crate::host::Located;
use crate::json::take;
use crate::request::Request;
use crate::steps::Steps;
use crate::worker::Call;

/// Of the classic builder: what limits its containers.
const WITHOUT_EFFECT: [&str; 9] = [
    "memory",
    "memswap",
    "cpushares",
    "cpuperiod",
    "cpuquota",
    "cpusetcpus",
    "cpusetmems",
    "cgroupparent",
    "securityopt",
];
const NO_SESSION: &str = "there are no sessions of BuildKit; send the context as an archive";

pub(crate) fn build(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let request = call.request;
    refuse_what_is_not_here(request)?;
    let mut order = order(request)?;
    order.names = names(call)?;
    if let Some(told) = all_credentials(request.header("x-registry-config")) {
        call.host.set_credentials(told);
    }
    let file = request.given("dockerfile").unwrap_or("Dockerfile");
    let located = match request.given("remote") {
        Some(address) => call.host.fetch(address, file)?,
        None => call.host.unpack(&mut call.channel.body(), file)?,
    };
    let Located { context, dockerfile, modified, kept } = located;
    if dockerfile.text.trim().is_empty() {
        return Err(ApiError::bad(format!("the Dockerfile ({file}) cannot be empty")));
    }
    order.context = context;
    order.dockerfile = dockerfile;
    order.dockerfile.ignore =
        order.dockerfile.ignore.as_deref().and_then(|text| own_files(text, file));
    order.is_fetched = true;
    order.context_modified = modified;
    let mut lines = Lines { channel: &mut *call.channel, is_quiet: request.is_set("q") };
    lines.warn(request);
    call.host.brings(&order.names.iter().map(ToString::to_string).collect::<Vec<_>>());
    let built = {
        let mut say = |text: &str| lines.say(text);
        let mut steps = Steps::new(&order.dockerfile.text, order.target.as_deref(), &mut say);
        let built = call.host.build_image(&order, &mut steps);
        steps.finish(built.as_ref().err());
        built
    };
    drop(kept);
    match built {
        Ok(built) => {
            if let Some((id, _)) = built.image.as_ref().filter(|_| built.names.is_empty()) {
                call.host.brought(&id.to_string());
            }
            lines.end(&built, request)
        }
        Err(error) => lines.failed(&error),
    }
}

/// The lines of the answer; its head comes with the first.
struct Lines<'a> {
    channel: &'a mut Channel,
    /// Only the id, or why there is none.
    is_quiet: bool,
}

impl Lines<'_> {
    fn tell(&mut self, line: &Value) {
        let headed = self.channel.is_headed()
            || self.channel.head(200, &[("content-type", "application/json")]).is_ok();
        if headed {
            // A client that is gone has its build ended by the service.
            self.channel.out.write_all(format!("{line}{END}").as_bytes()).unwrap_or_default();
        }
    }

    fn say(&mut self, text: &str) {
        if !self.is_quiet {
            self.tell(&json!({ "stream": text }));
        }
    }

    /// Limits mean protection: that they have no effect is told.
    fn warn(&mut self, request: &Request) {
        for name in WITHOUT_EFFECT {
            if request.given(name).is_some_and(|value| !matches!(value, "0" | "[]" | "null")) {
                self.say(&format!(
                    "[Warning] {name} has no effect: steps have no limits of their own\n"
                ));
            }
        }
    }

    fn end(&mut self, built: &Built, request: &Request) -> Result<Answer, ApiError> {
        let Some((id, _)) = &built.image else {
            return Err(ApiError::new(500, "the build made no image"));
        };
        let id = id.to_string();
        if self.is_quiet {
            self.tell(&json!({ "stream": format!("{id}\n") }));
            return Ok(Answer::Sent);
        }
        let mut aux = json!({ "aux": { "ID": id } });
        if request.query("version") == Some("2") {
            aux["id"] = "moby.image.id".into();
        }
        self.tell(&aux);
        self.say(&format!("Successfully built {}\n", coracle_image::short_id(&id)));
        for name in &built.names {
            self.say(&format!("Successfully tagged {}\n", name.familiar()));
        }
        Ok(Answer::Sent)
    }

    /// What fails before there is a line has a status.
    fn failed(&mut self, error: &BuildError) -> Result<Answer, ApiError> {
        let command =
            error.step.as_ref().and_then(|step| step.command.as_ref().zip(step.exit_code));
        let (message, code) = match command {
            Some((command, code)) => {
                let command = command.join(" ");
                let words = format!("The command '{command}' returned a non-zero code: {code}");
                (words, Some(code))
            }
            None => (error.message.clone(), None),
        };
        let error = ApiError::new(error.kind().status(), message);
        if !self.channel.is_headed() {
            return Err(error);
        }
        let mut line = failure(&error);
        if let Some(code) = code {
            line["errorDetail"]["code"] = code.into();
        }
        self.tell(&line);
        Ok(Answer::Sent)
    }
}

/// What Docker has and this program has not.
fn refuse_what_is_not_here(request: &Request) -> Result<(), ApiError> {
    if request.is_set("squash") {
        return Err(ApiError::bad("squash is only supported with experimental mode"));
    }
    if request.given("outputs").is_some_and(|outputs| !matches!(outputs, "[]" | "null")) {
        return Err(ApiError::unsupported(
            "outputs",
            "an image is made; `coracle build -o` writes files",
        ));
    }
    if request.given("remote") == Some("client-session") {
        return Err(ApiError::unsupported("remote=client-session", NO_SESSION));
    }
    let isolation = request.given("isolation").unwrap_or("default");
    if isolation != "default" {
        return Err(ApiError::bad(format!("Unsupported isolation: {isolation:?}")));
    }
    Ok(())
}

/// What the query wants, but for context, Dockerfile and names.
fn order(request: &Request) -> Result<BuildRequest, ApiError> {
    let network = match request.given("networkmode").unwrap_or("default") {
        "default" | "bridge" => Network::Default,
        "host" => Network::Host,
        "none" => Network::None,
        other => {
            let what = format!("networkmode {other}");
            return Err(ApiError::unsupported(&what, "steps have default, host or none"));
        }
    };
    let mut build_args = BTreeMap::new();
    for (name, value) in members::<Option<String>>(request, "buildargs")? {
        build_args.extend(value.map(|value| (name, value)));
    }
    let hosts = request.all("extrahosts").map(pairs::host);
    let bad = |error: coracle_builder::flags::FlagError| ApiError::bad(error.to_string());
    let shm_size = request.number("shmsize")?.and_then(|size| u64::try_from(size).ok());
    let platform = request.given("platform").map(str::parse).transpose();
    Ok(BuildRequest {
        target: request.given("target").map(str::to_owned),
        build_args,
        platform: platform.map_err(|_| ApiError::bad("invalid platform"))?,
        labels: members(request, "labels")?,
        no_cache: request.is_set("nocache"),
        pull: request.is_set("pull"),
        network,
        allow: if network == Network::Host { vec!["network.host".to_owned()] } else { Vec::new() },
        add_hosts: hosts.collect::<Result<_, _>>().map_err(bad)?,
        shm_size: shm_size.filter(|size| *size > 0),
        ulimits: ulimits(request)?,
        ..BuildRequest::default()
    })
}

/// A map that is JSON in the query.
fn members<T: serde::de::DeserializeOwned>(
    request: &Request,
    name: &str,
) -> Result<BTreeMap<String, T>, ApiError> {
    let text = request.given(name).unwrap_or("{}");
    let map: Option<BTreeMap<String, T>> = serde_json::from_str(text)
        .map_err(|error| ApiError::bad(format!("error reading {name}: {error}")))?;
    Ok(map.unwrap_or_default())
}

fn ulimits(request: &Request) -> Result<Vec<String>, ApiError> {
    let text = request.given("ulimits").unwrap_or("[]");
    let all: Option<Vec<Value>> = serde_json::from_str(text)
        .map_err(|error| ApiError::bad(format!("error reading ulimits: {error}")))?;
    let limit = |mut limit: Value| {
        let name = crate::json::text(&mut limit, "Name");
        let (soft, hard) = (take(&mut limit, "Soft"), take(&mut limit, "Hard"));
        format!(
            "{name}={}:{}",
            soft.as_i64().unwrap_or_default(),
            hard.as_i64().unwrap_or_default()
        )
    };
    Ok(all.unwrap_or_default().into_iter().map(limit).collect())
}

/// Docker answers 500 to a name that is none.
fn names(call: &Call<'_>) -> Result<Vec<Reference>, ApiError> {
    let given = call.request.query.iter().filter(|(key, value)| key == "t" && !value.is_empty());
    let name = |(_, name): &(String, String)| {
        let name = reference(call.host.home(), name).map_err(|error| error.with(500))?;
        Ok(name.with_default_tag())
    };
    given.map(name).collect()
}

/// What clients leave out is left out already; they send their ignore file and the Dockerfile in any case.
fn own_files(ignore: &str, dockerfile: &str) -> Option<String> {
    let filter = Ignore::parse(ignore).filter().ok()?;
    let left_out = |name: &&str| filter.matches_alone(name, &mut Fits::new());
    let own: Vec<&str> = [".dockerignore", dockerfile].into_iter().filter(left_out).collect();
    (!own.is_empty()).then(|| own.join("\n"))
}

/// Docker answers 200 whether or not there is such a build. Ours end with their client.
pub(crate) fn cancel(_call: &mut Call<'_>) -> Result<Answer, ApiError> {
    Ok(Answer::Empty(200))
}

pub(crate) fn prune(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let given = filters(call.request)?;
    // Entries have no labels, so none has that one.
    if given.iter().any(|filter| filter.key.starts_with("label")) {
        return Ok(json!({ "CachesDeleted": null, "SpaceReclaimed": 0 }).into());
    }
    let wanted = Wanted::new(&given, &call.host.now())?;
    let bytes = |names: [&str; 2]| -> Result<u64, ApiError> {
        let given = names.into_iter().find(|name| call.request.given(name).is_some());
        let number = given.map(|name| call.request.number(name)).transpose()?.flatten();
        Ok(number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default())
    };
    let room = Room {
        reserved: bytes(["reserved-space", "keep-storage"])?,
        used_max: bytes(["max-used-space", ""])?,
        free_min: bytes(["min-free-space", ""])?,
    };
    let all = call.request.is_set("all");
    call.host.enter(false)?;
    let went = call.host.prune_builds(all, &wanted, room)?;
    let ids: Vec<Value> = went.entries.iter().map(|entry| shown_id(entry).into()).collect();
    let ids = if ids.is_empty() { Value::Null } else { ids.into() };
    Ok(json!({ "CachesDeleted": ids, "SpaceReclaimed": went.freed }).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::parse_query;

    fn with(query: &str) -> Request {
        Request { query: parse_query(query), ..Request::default() }
    }

    #[test]
    fn a_query_is_an_order() {
        let query = "buildargs=%7B%22A%22%3A%221%22%2C%22B%22%3Anull%7D&labels=%7B%22l%22%3A%22m%22%7D&nocache=1&pull=False\
                     &extrahosts=a:1.2.3.4&networkmode=host&shmsize=64&target=t&ulimits=\
                     %5B%7B%22Name%22%3A%22nofile%22%2C%22Soft%22%3A1%2C%22Hard%22%3A2%7D%5D";
        let order = order(&with(query)).unwrap();
        assert_eq!(order.build_args, BTreeMap::from([("A".to_owned(), "1".to_owned())]));
        assert_eq!(order.labels["l"], "m");
        assert_eq!((order.no_cache, order.pull, order.network), (true, false, Network::Host));
        assert_eq!((order.add_hosts, order.shm_size), (vec!["a:1.2.3.4".to_owned()], Some(64)));
        assert_eq!(order.ulimits, ["nofile=1:2"]);
        assert_eq!(super::order(&with("networkmode=mine")).unwrap_err().status, 501);
        assert_eq!(super::order(&with("buildargs=x")).unwrap_err().status, 400);
        for refused in ["squash=1", "remote=client-session", "isolation=hyperv", "outputs=[{}]"] {
            assert!(refuse_what_is_not_here(&with(refused)).is_err(), "{refused}");
        }
    }

    #[test]
    fn only_the_files_of_the_build_are_left_out_again() {
        assert_eq!(own_files("*\n!src\n", "Dockerfile").unwrap(), ".dockerignore\nDockerfile");
        assert_eq!(own_files("node_modules\n", "Dockerfile"), None);
    }
}
