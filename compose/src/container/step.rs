//! The container of a step of `pre_start`: one of its own, beside those of the service.
//!
//! It is on the networks of the service, with its names there, and has the volumes of the
//! service's first container. What the file says of the service's own program – its entry point,
//! limits, capabilities, health – does not concern it.
//!
//! Whom it runs as and where is what the specification says, which Docker Compose 5.5 passes
//! over: without `user`, as the service where the image is the service's; without `working_dir`,
//! where the service's program runs. But an image of its own that names a folder keeps it,
//! unless the file names one for the service.

use std::collections::BTreeMap;

use coracle_runtime::engine::CreateRequest;
use coracle_runtime::model::Container;

use super::{ContainerError, Defaults, Facts, request};
use crate::project::{Hook, Project, Service, labels};

/// What labels call it.
const PRE_START: &str = "pre_start";

/// What the engine is asked for. `facts.image` is the image of the step; `beside` is the
/// service's first container.
///
/// # Errors
/// When the service asks for what cannot be had.
pub fn step_request(
    project: &Project,
    service: &Service,
    step: &Hook,
    facts: Facts,
    beside: &Container,
    defaults: &Defaults,
) -> Result<CreateRequest, ContainerError> {
    let image = step_image(project, service, step);
    let own = image == project.image_name(service);
    let first = |texts: [&str; 3]| {
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
    };
    let of_service = service.user.as_deref().filter(|_| own).unwrap_or_default();
    let user = first([&step.user, of_service, ""]);
    let homeless = !own && facts.image.config.working_dir.is_empty();
    let of_program = if homeless { beside.config.working_dir.as_str() } else { "" };
    let working_dir = first([&step.working_dir, &service.working_dir, of_program]);
    let mut environment = service.environment.clone();
    environment.extend(step.environment.clone());
    let alone = Service {
        name: service.name.clone(),
        image: Some(image),
        command: (!step.command.is_empty()).then(|| step.command.clone()),
        privileged: step.privileged,
        user: (!user.is_empty()).then_some(user),
        working_dir,
        environment,
        networks: service.networks.clone(),
        network_mode: service.network_mode.clone(),
        dns: service.dns.clone(),
        dns_opt: service.dns_opt.clone(),
        dns_search: service.dns_search.clone(),
        extra_hosts: service.extra_hosts.clone(),
        ..Service::default()
    };
    let mut asked = request(project, &alone, facts, defaults)?;
    asked.name = None;
    asked.origin = serde_json::Value::Null;
    asked.host_config.volumes_from = Some(vec![beside.id.clone()]);
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    asked.config.labels = BTreeMap::from([
        label(labels::PROJECT, &project.name),
        label(labels::SERVICE, &service.name),
        label(labels::VERSION, labels::COMPOSE_VERSION),
        label(labels::HOOK, PRE_START),
    ]);
    Ok(asked)
}

/// The name of the image that a step runs in.
#[must_use]
pub fn step_image(project: &Project, service: &Service, step: &Hook) -> String {
    match step.image.as_str() {
        "" => project.image_name(service),
        image => image.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::project::Source;

    fn asked(service: &serde_json::Value, image_dir: &str) -> CreateRequest {
        let canonical = json!({"name": "app", "services": {"web": service},
            "networks": {"default": {"name": "app_default"}}});
        let project = Project::from_canonical(&canonical, Source::default()).unwrap();
        let service = &project.services["web"];
        let mut facts = Facts::default();
        image_dir.clone_into(&mut facts.image.config.working_dir);
        let mut beside = Container { id: "b".repeat(64), ..Container::default() };
        "/app".clone_into(&mut beside.config.working_dir);
        let defaults = Defaults::default();
        step_request(&project, service, &service.pre_start[0], facts, &beside, &defaults).unwrap()
    }

    fn web(step: serde_json::Value) -> serde_json::Value {
        json!({"image": "web", "user": "1000", "entrypoint": ["serve"], "restart": "always",
               "environment": {"A": "service", "B": "service"}, "cap_add": ["NET_ADMIN"],
               "networks": {"default": {"aliases": ["www"]}}, "pre_start": [step]})
    }

    #[test]
    fn it_is_the_services_neighbour_and_nothing_else_of_it() {
        let step = json!({"command": ["migrate"], "environment": {"B": "step"}});
        let asked = asked(&web(step), "/image");
        assert_eq!(asked.name, None);
        assert_eq!(asked.config.cmd, Some(vec!["migrate".to_owned()]));
        assert_eq!(asked.config.entrypoint, None);
        assert_eq!(asked.config.env, ["A=service", "B=step"]);
        assert_eq!(asked.host_config.volumes_from, Some(vec!["b".repeat(64)]));
        assert_eq!(asked.host_config.cap_add, None);
        assert_eq!(asked.host_config.restart_policy.name, "no");
        let (network, wish) = &asked.networks[0];
        assert_eq!(network, "app_default");
        assert!(wish.aliases.as_ref().unwrap().iter().any(|alias| alias == "web"));
        assert!(wish.aliases.as_ref().unwrap().iter().any(|alias| alias == "www"));
        let labels: Vec<&String> = asked.config.labels.keys().collect();
        assert_eq!(
            labels,
            [
                "com.docker.compose.hook",
                "com.docker.compose.project",
                "com.docker.compose.service",
                "com.docker.compose.version",
            ]
        );
    }

    #[test]
    fn user_and_folder_are_those_the_specification_says() {
        let who = |step, dir: &str| {
            let config = asked(&web(step), dir).config;
            (config.user, config.working_dir)
        };
        let pair = |user: &str, dir: &str| (user.to_owned(), dir.to_owned());
        // In the service's image, as the service; its folder is the image's.
        assert_eq!(who(json!({"image": "web"}), "/image"), pair("1000", ""));
        // In another, as that one says; in the folder of the service's program if it says none.
        assert_eq!(who(json!({"image": "tool"}), "/tool"), pair("", ""));
        assert_eq!(who(json!({"image": "tool"}), ""), pair("", "/app"));
        let all = json!({"image": "tool", "user": "root", "working_dir": "/w"});
        assert_eq!(who(all, "/tool"), pair("root", "/w"));
        let mut named = web(json!({"image": "tool"}));
        named["working_dir"] = json!("/srv");
        assert_eq!(asked(&named, "/tool").config.working_dir, "/srv");
    }
}
