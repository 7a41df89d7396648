//! The containers of a project and of its services, among all that the engine has.
//!
//! Commands that work on containers that are there already begin here.

use std::collections::BTreeMap;

use coracle_runtime::engine::Summary;

use super::{Dependency, Service, labels};

/// Which containers of a project are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// None means all services.
    pub services: Vec<String>,
    /// Also containers of `run`.
    pub one_off: bool,
    /// Also those that do not run.
    pub stopped: bool,
    /// Only the container with this number in its service; zero means any.
    pub number: u32,
    /// Those of `pre_start` steps that failed, instead of the services' own.
    pub steps: bool,
}

/// A label of a container; empty when it has none of that name.
#[must_use]
pub fn label<'a>(summary: &'a Summary, key: &str) -> &'a str {
    summary.container.config.labels.get(key).map_or("", String::as_str)
}

/// The number of a container in its service; zero for one of `run`.
#[must_use]
pub fn number(summary: &Summary) -> u32 {
    label(summary, labels::NUMBER).parse().unwrap_or(0)
}

/// Whether `run` made it.
#[must_use]
pub fn is_one_off(summary: &Summary) -> bool {
    label(summary, labels::ONE_OFF) == "True"
}

/// Whether a step of `pre_start` ran in it.
#[must_use]
pub fn is_step(summary: &Summary) -> bool {
    !label(summary, labels::HOOK).is_empty()
}

/// The containers of a project, by name.
#[must_use]
pub fn containers(all: Vec<Summary>, project: &str, wanted: &Wanted) -> Vec<Summary> {
    let mut found: Vec<Summary> = all
        .into_iter()
        .filter(|summary| label(summary, labels::PROJECT) == project)
        .filter(|summary| wanted.accepts(summary))
        .collect();
    found.sort_by(|a, b| {
        let key = |summary: &Summary| (label(summary, labels::SERVICE).to_owned(), number(summary));
        key(a).cmp(&key(b)).then_with(|| a.container.name.cmp(&b.container.name))
    });
    found
}

/// What containers say of their services where no file does: the order in which they start and stop, and their hooks.
#[must_use]
pub fn services(containers: &[Summary]) -> BTreeMap<String, Service> {
    let mut services = BTreeMap::new();
    for summary in containers {
        let name = label(summary, labels::SERVICE).to_owned();
        let on = crate::container::dependency_labels(label(summary, labels::DEPENDS_ON));
        let depends_on = on.into_iter().map(|one| {
            let (condition, restart) = (one.condition, one.restart);
            (one.service, Dependency { condition, restart, ..Dependency::default() })
        });
        let hooks = summary.container.origin.get("post_start").cloned().unwrap_or_default();
        let post_start = serde_json::from_value(hooks).unwrap_or_default();
        let depends_on = depends_on.collect();
        services
            .insert(name.clone(), Service { name, depends_on, post_start, ..Service::default() });
    }
    services
}

impl Wanted {
    fn accepts(&self, summary: &Summary) -> bool {
        let service = label(summary, labels::SERVICE);
        (self.services.is_empty() || self.services.iter().any(|name| name == service))
            && self.steps == is_step(summary)
            && (self.one_off || !is_one_off(summary))
            && (self.stopped || summary.life.state.status.is_running())
            && (self.number == 0 || self.number == number(summary))
    }
}

#[cfg(test)]
mod tests {
    use coracle_runtime::model::{Container, Status};
    use coracle_runtime::records::Life;

    use super::*;

    fn container(name: &str, service: &str, number: u32, status: Status) -> Summary {
        let mut container = Container { name: name.to_owned(), ..Container::default() };
        let labels = &mut container.config.labels;
        labels.insert(labels::PROJECT.to_owned(), "app".to_owned());
        labels.insert(labels::SERVICE.to_owned(), service.to_owned());
        match number {
            0 => labels.insert(labels::ONE_OFF.to_owned(), "True".to_owned()),
            number => labels.insert(labels::NUMBER.to_owned(), number.to_string()),
        };
        let mut life = Life::default();
        life.state.status = status;
        Summary { container, life }
    }

    #[test]
    fn services_are_known_without_a_file() {
        let mut web = container("app-web-1", "web", 1, Status::Exited);
        let on = "db:service_healthy:true,mq:service_started:false".to_owned();
        web.container.config.labels.insert(labels::DEPENDS_ON.to_owned(), on);
        web.container.origin = serde_json::json!({"post_start": [{"command": ["x"]}]});
        let services = services(&[web, container("app-db-1", "db", 1, Status::Exited)]);
        assert_eq!(services.keys().collect::<Vec<_>>(), ["db", "web"]);
        let web = &services["web"];
        assert_eq!(web.depends_on.keys().collect::<Vec<_>>(), ["db", "mq"]);
        assert!(web.depends_on["db"].restart && !web.depends_on["mq"].restart);
        assert_eq!(web.post_start[0].command, ["x"]);
    }

    #[test]
    fn a_project_is_found_by_labels_and_in_order() {
        let all = || {
            vec![
                container("app-web-10", "web", 10, Status::Running),
                container("app-web-2", "web", 2, Status::Running),
                container("app-web-run-1", "web", 0, Status::Running),
                container("app-db-1", "db", 1, Status::Exited),
                Summary { container: Container::default(), life: Life::default() },
            ]
        };
        let names = |wanted: &Wanted| {
            let found = containers(all(), "app", wanted);
            found.into_iter().map(|one| one.container.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&Wanted::default()), "app-web-2 app-web-10");
        let everything = Wanted { stopped: true, one_off: true, ..Wanted::default() };
        assert_eq!(names(&everything), "app-db-1 app-web-run-1 app-web-2 app-web-10");
        assert_eq!(names(&Wanted { number: 2, ..Wanted::default() }), "app-web-2");
        let db = Wanted { services: vec!["db".to_owned()], ..Wanted::default() };
        assert_eq!(names(&db), "");
    }
}
