//! The labels of a container.

use std::collections::BTreeMap;

use super::Facts;
use crate::project::{Condition, Project, Service, labels};

/// Every label of a container: the service's own, then those Compose finds it by.
#[must_use]
pub fn compose_labels(
    project: &Project,
    service: &Service,
    facts: &Facts,
) -> BTreeMap<String, String> {
    let source = &project.source;
    let mut all = service.labels.clone();
    let mut put = |key: &str, value: String| all.insert(key.to_owned(), value);
    put(labels::PROJECT, project.name.clone());
    put(labels::SERVICE, service.name.clone());
    put(labels::NUMBER, facts.number.to_string());
    put(labels::ONE_OFF, "False".to_owned());
    put(labels::VERSION, labels::COMPOSE_VERSION.to_owned());
    put(labels::WORKING_DIR, source.working_dir.clone());
    put(labels::CONFIG_FILES, source.config_files.join(","));
    if !source.env_files.is_empty() {
        put(labels::ENVIRONMENT_FILE, source.env_files.join(","));
    }
    let first = |name: &str| Some(facts.peers.get(name)?.first()?.id.clone());
    put(labels::CONFIG_HASH, service.hash(&first));
    put(labels::IMAGE, facts.image.id.clone());
    let mounted = service.volumes.iter().filter(|volume| volume.kind == "image");
    let mut mounted: Vec<String> = mounted
        .filter_map(|volume| {
            let image = facts.image.mounted.get(&volume.source)?;
            Some(format!("{}={}", volume.target, image.id))
        })
        .collect();
    mounted.sort();
    if !mounted.is_empty() {
        put(labels::MOUNTED_IMAGES, mounted.join(","));
    }
    let depends: Vec<String> = service
        .depends_on
        .iter()
        .map(|(name, on)| format!("{name}:{}:{}", on.condition.as_str(), on.restart))
        .collect();
    put(labels::DEPENDS_ON, depends.join(","));
    all
}

/// One dependency as a label tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyLabel {
    pub service: String,
    pub condition: Condition,
    pub restart: bool,
}

/// Reads the label of dependencies: what a container depends on when no file is there.
#[must_use]
pub fn dependency_labels(text: &str) -> Vec<DependencyLabel> {
    text.split(',')
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let mut words = entry.split(':');
            let service = words.next().unwrap_or_default().to_owned();
            let condition = match words.next() {
                Some("service_healthy") => Condition::ServiceHealthy,
                Some("service_completed_successfully") => Condition::ServiceCompletedSuccessfully,
                _ => Condition::ServiceStarted,
            };
            DependencyLabel { service, condition, restart: words.next() == Some("true") }
        })
        .collect()
}
