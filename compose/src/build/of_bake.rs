//! Compose files as bake reads them: every service with a `build` section is a target of that name.

use coracle_builder::bake::{Config, Entry, Group, Kind, Target};

use super::attributes::Attributes;
use super::target::{args, attest, hosts, secrets};
use super::{BuildFault, fault, read};
use crate::Loaded;
use crate::project::{Project, Service};

/// The targets of a project. It was loaded as written: paths stay relative, all profiles count.
///
/// # Errors
/// When a section says what has no meaning here.
pub fn of_bake(project: &Project, loaded: &Loaded) -> Result<Config, BuildFault> {
    let mut config = Config::default();
    let mut group = Group { name: "default".to_owned(), ..Group::default() };
    for service in project.services.values() {
        let Some(build) = read(service)? else { continue };
        let mut target = target(project, service, &build, loaded)?;
        target.name = service.name.replace('.', "_");
        group.targets.push(target.name.clone());
        config.targets.push(target);
    }
    config.groups.push(group);
    Ok(config)
}

fn target(
    project: &Project,
    service: &Service,
    build: &Attributes,
    loaded: &Loaded,
) -> Result<Target, BuildFault> {
    if service.extensions.get("/build/x-bake").is_some_and(|extra| !extra.is_null()) {
        let (service, attribute) = (service.name.clone(), "x-bake");
        return Err(BuildFault::Unsupported {
            service,
            attribute,
            why: "use a bake file beside the Compose file",
        });
    }
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let entries = |attribute, kind, texts: &[String]| {
        let each = texts.iter().map(|text| Entry::parse(kind, text));
        each.collect::<Result<Vec<_>, _>>().map_err(|why| fault(service, attribute, why))
    };
    let wish = super::Wish { environment: loaded.environment.clone(), ..super::Wish::default() };
    let contexts = build.additional_contexts.iter().map(|(name, context)| {
        let context = match context.strip_prefix("service:") {
            Some(other) => format!("target:{}", other.replace('.', "_")),
            None => context.clone(),
        };
        (name.clone(), context)
    });
    let tags = match (build.tags.is_empty(), &service.image) {
        (true, Some(image)) => vec![image.clone()],
        _ => build.tags.clone(),
    };
    let mut secret = secrets(project, service, build)?;
    for (entry, used) in secret.iter_mut().zip(&build.secrets) {
        entry.fields.insert("id".to_owned(), used.source.clone());
    }
    Ok(Target {
        context: some(&build.context),
        contexts: contexts.collect(),
        dockerfile: some(&build.dockerfile),
        dockerfile_inline: some(&build.dockerfile_inline),
        args: args(build, &wish),
        labels: build.labels.clone(),
        tags: Some(tags),
        cache_from: entries("cache_from", Kind::Cache, &build.cache_from)?,
        cache_to: Some(entries("cache_to", Kind::Cache, &build.cache_to)?),
        target: some(&build.target),
        secret,
        ssh: entries("ssh", Kind::Ssh, &build.ssh)?,
        platforms: Some(build.platforms.clone()).filter(|list| !list.is_empty()),
        pull: Some(build.pull).filter(|yes| *yes),
        no_cache: Some(build.no_cache).filter(|yes| *yes),
        network: some(&build.network),
        shm_size: Some(build.shm_size.0).filter(|size| *size > 0).map(|size| size.to_string()),
        ulimits: build.ulimits.iter().map(|(name, limit)| limit.shown(name)).collect(),
        extra_hosts: hosts(&build.extra_hosts),
        attest: [("sbom", &build.sbom), ("provenance", &build.provenance)]
            .into_iter()
            .filter_map(|(kind, wanted)| attest(kind, wanted))
            .collect(),
        ..Target::default()
    })
}
