//! Which routes there are.
//!
//! `{x}` in a path is one part of it, `{x...}` one or more: names of images have slashes.

use crate::answer::Answer;
use crate::error::ApiError;
use crate::routes::{
    build, containers, create, exec, files, images, networks, streams, swarm, system, transfers,
    volumes,
};
use crate::worker::Call;

/// What a route does.
pub(crate) type Handler = fn(&mut Call<'_>) -> Result<Answer, ApiError>;

/// How a request comes to its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With its whole body. The work is done to its end, whether or not the client waits.
    Whole,
    /// The same, and the work ends when the client goes.
    Watch,
    /// The body comes after it.
    Body,
    /// The same, and the work is asked to end (SIGTERM) when the client goes.
    Task,
}

/// A route.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    pub(crate) handler: Handler,
}

const fn route(method: &'static str, path: &'static str, kind: Kind, handler: Handler) -> Route {
    Route { method, path, kind, handler }
}

use Kind::{Body, Task, Watch, Whole};

/// All of them. Where there is no swarm, `/_ping` is answered by the service itself.
pub(crate) const ROUTES: &[Route] = &[
    route("GET", "/_ping", Whole, system::ping),
    route("HEAD", "/_ping", Whole, system::ping),
    route("GET", "/version", Whole, system::version),
    route("GET", "/info", Whole, system::info),
    route("GET", "/events", Watch, system::events),
    route("GET", "/system/df", Whole, system::usage),
    route("POST", "/auth", Whole, system::auth),
    route("GET", "/plugins", Whole, system::plugins),
    route("GET", "/plugins/privileges", Whole, system::make_plugin),
    route("POST", "/plugins/pull", Whole, system::make_plugin),
    route("POST", "/plugins/create", Whole, system::make_plugin),
    route("GET", "/plugins/{name...}/json", Whole, system::no_plugin),
    route("POST", "/plugins/{name...}/enable", Whole, system::no_plugin),
    route("POST", "/plugins/{name...}/disable", Whole, system::no_plugin),
    route("POST", "/plugins/{name...}/upgrade", Whole, system::no_plugin),
    route("POST", "/plugins/{name...}/push", Whole, system::no_plugin),
    route("POST", "/plugins/{name...}/set", Whole, system::no_plugin),
    route("DELETE", "/plugins/{name...}", Whole, system::no_plugin),
    route("GET", "/distribution/{name...}/json", Whole, system::distribution),
    route("POST", "/build", Task, build::build),
    route("POST", "/build/prune", Whole, build::prune),
    route("POST", "/build/cancel", Whole, build::cancel),
    route("GET", "/containers/json", Whole, containers::list),
    route("POST", "/containers/create", Whole, create::create),
    route("POST", "/containers/prune", Whole, containers::prune),
    route("GET", "/containers/{id}/json", Whole, containers::inspect),
    route("GET", "/containers/{id}/top", Whole, containers::top),
    route("GET", "/containers/{id}/changes", Whole, containers::changes),
    route("POST", "/containers/{id}/start", Whole, containers::start),
    route("POST", "/containers/{id}/stop", Whole, containers::stop),
    route("POST", "/containers/{id}/restart", Whole, containers::restart),
    route("POST", "/containers/{id}/kill", Whole, containers::kill),
    route("POST", "/containers/{id}/pause", Whole, containers::pause),
    route("POST", "/containers/{id}/unpause", Whole, containers::unpause),
    route("POST", "/containers/{id}/rename", Whole, containers::rename),
    route("POST", "/containers/{id}/update", Whole, containers::update),
    route("POST", "/containers/{id}/resize", Whole, containers::resize),
    route("DELETE", "/containers/{name...}", Whole, containers::remove),
    route("GET", "/containers/{id}/logs", Watch, streams::logs),
    route("GET", "/containers/{id}/stats", Watch, streams::stats),
    route("POST", "/containers/{id}/wait", Watch, streams::wait),
    route("POST", "/containers/{id}/attach", Watch, streams::attach),
    route("GET", "/containers/{id}/attach/ws", Watch, streams::attach_web),
    route("HEAD", "/containers/{id}/archive", Whole, files::stat),
    route("GET", "/containers/{id}/archive", Watch, files::read),
    route("PUT", "/containers/{id}/archive", Body, files::write),
    route("GET", "/containers/{id}/export", Watch, files::export),
    route("POST", "/containers/{id}/exec", Whole, exec::create),
    route("POST", "/exec/{id}/start", Watch, exec::start),
    route("POST", "/exec/{id}/resize", Whole, exec::resize),
    route("GET", "/exec/{id}/json", Whole, exec::inspect),
    route("GET", "/images/json", Whole, images::list),
    route("POST", "/images/create", Body, transfers::create),
    route("POST", "/images/load", Body, transfers::load),
    route("GET", "/images/get", Watch, transfers::save),
    route("POST", "/images/prune", Whole, images::prune),
    route("GET", "/images/search", Whole, images::search),
    route("GET", "/images/{name...}/json", Whole, images::inspect),
    route("GET", "/images/{name...}/history", Whole, images::history),
    route("GET", "/images/{name...}/get", Watch, transfers::save_one),
    route("POST", "/images/{name...}/tag", Whole, images::tag),
    route("POST", "/images/{name...}/push", Watch, transfers::push),
    route("DELETE", "/images/{name...}", Whole, images::remove),
    route("POST", "/commit", Whole, images::commit),
    route("GET", "/networks", Whole, networks::list),
    route("POST", "/networks/create", Whole, networks::create),
    route("POST", "/networks/prune", Whole, networks::prune),
    route("GET", "/networks/{id}", Whole, networks::inspect),
    route("DELETE", "/networks/{id}", Whole, networks::remove),
    route("POST", "/networks/{id}/connect", Whole, networks::connect),
    route("POST", "/networks/{id}/disconnect", Whole, networks::disconnect),
    route("GET", "/volumes", Whole, volumes::list),
    route("POST", "/volumes/create", Whole, volumes::create),
    route("POST", "/volumes/prune", Whole, volumes::prune),
    route("GET", "/volumes/{name}", Whole, volumes::inspect),
    route("PUT", "/volumes/{name}", Whole, volumes::update),
    route("DELETE", "/volumes/{name}", Whole, volumes::remove),
    route("GET", "/swarm", Whole, swarm::inspect),
    route("POST", "/swarm/init", Whole, swarm::init),
    route("POST", "/swarm/join", Whole, swarm::join),
    route("POST", "/swarm/leave", Whole, swarm::leave),
    route("POST", "/swarm/update", Whole, swarm::update),
    route("GET", "/swarm/unlockkey", Whole, swarm::unlock_key),
    route("POST", "/swarm/unlock", Whole, swarm::unlock),
    route("GET", "/services", Whole, swarm::services),
    route("POST", "/services/create", Whole, swarm::create_service),
    route("GET", "/services/{id}", Whole, swarm::service),
    route("POST", "/services/{id}/update", Whole, swarm::update_service),
    route("DELETE", "/services/{id}", Whole, swarm::remove_service),
    route("GET", "/services/{id}/logs", Watch, streams::service_logs),
    route("GET", "/tasks", Whole, swarm::tasks),
    route("GET", "/tasks/{id}", Whole, swarm::task),
    route("GET", "/tasks/{id}/logs", Watch, streams::service_logs),
    route("GET", "/nodes", Whole, swarm::nodes),
    route("GET", "/nodes/{id}", Whole, swarm::node),
    route("POST", "/nodes/{id}/update", Whole, swarm::update_node),
    route("DELETE", "/nodes/{id}", Whole, swarm::remove_node),
    route("GET", "/secrets", Whole, swarm::secrets),
    route("POST", "/secrets/create", Whole, swarm::create_secret),
    route("GET", "/secrets/{id}", Whole, swarm::secret),
    route("POST", "/secrets/{id}/update", Whole, swarm::update_secret),
    route("DELETE", "/secrets/{id}", Whole, swarm::remove_secret),
    route("GET", "/configs", Whole, swarm::secrets),
    route("POST", "/configs/create", Whole, swarm::create_secret),
    route("GET", "/configs/{id}", Whole, swarm::secret),
    route("POST", "/configs/{id}/update", Whole, swarm::update_secret),
    route("DELETE", "/configs/{id}", Whole, swarm::remove_secret),
];

/// The route of a request, and what stands in its path for the parts in braces.
pub(crate) fn find(method: &str, path: &str) -> Option<(usize, Vec<String>)> {
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    ROUTES.iter().enumerate().find_map(|(at, route)| {
        let matched = matched(route.path, &parts).filter(|_| route.method == method)?;
        Some((at, matched))
    })
}

fn matched(pattern: &str, parts: &[&str]) -> Option<Vec<String>> {
    let wanted: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
    let many = wanted.iter().any(|part| part.ends_with("...}"));
    if parts.len() < wanted.len() || !many && parts.len() > wanted.len() {
        return None;
    }
    let spare = parts.len() - wanted.len();
    let mut rest = parts.iter();
    let mut out = Vec::new();
    for part in wanted {
        let count = if part.ends_with("...}") { spare + 1 } else { 1 };
        let own: Vec<&str> = rest.by_ref().take(count).copied().collect();
        match part.starts_with('{') {
            true if own.iter().all(|part| !part.is_empty()) => {
                out.push(crate::request::unescape(&own.join("/"), false));
            }
            false if own == [part] => {}
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `docs/api.md`, as it is to be.
    #[test]
    fn all_routes_are_documented() {
        let document =
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md")).to_owned();
        let (_, table) = document.rsplit_once("| --- | --- |\n").expect("it ends with a table");
        let row = |route: &Route| format!("| `{}` | `{}` |\n", route.method, route.path);
        let wanted: String = ROUTES.iter().map(row).collect();
        assert_eq!(table, wanted, "docs/api.md has another table");
    }

    fn found(method: &str, path: &str) -> Option<(&'static str, Vec<String>)> {
        find(method, path).map(|(at, parameters)| (ROUTES[at].path, parameters))
    }

    #[test]
    fn routes_are_found_by_method_and_path() {
        let owned = |name: &str| vec![name.to_owned()];
        assert_eq!(
            found("GET", "/containers/web/json"),
            Some(("/containers/{id}/json", owned("web")))
        );
        assert_eq!(found("GET", "/containers/json"), Some(("/containers/json", vec![])));
        assert_eq!(
            found("GET", "/images/127.0.0.1:5000/a/b%3Ac/json"),
            Some(("/images/{name...}/json", owned("127.0.0.1:5000/a/b:c")))
        );
        assert_eq!(found("DELETE", "/images/a"), Some(("/images/{name...}", owned("a"))));
        for (method, path) in [
            ("POST", "/info"),
            ("GET", "/info/"),
            ("GET", "/nothing"),
            ("GET", "/containers//json"),
            ("GET", ""),
        ] {
            assert_eq!(found(method, path), None, "{method} {path}");
        }
    }
}
