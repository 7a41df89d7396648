//! Which services come before which: dependency order, waves, selection.

use std::collections::{BTreeMap, BTreeSet};

use super::{Project, ProjectError};

/// Services in waves: each wave needs only those before it.
///
/// # Errors
/// When services depend on each other in a circle.
pub fn waves(project: &Project) -> Result<Vec<Vec<String>>, ProjectError> {
    let mut left: BTreeMap<&str, BTreeSet<&str>> = project
        .services
        .iter()
        .map(|(name, service)| {
            let known = service.depends_on.keys().filter(|on| project.services.contains_key(*on));
            (name.as_str(), known.map(String::as_str).collect())
        })
        .collect();
    let mut waves = Vec::new();
    while !left.is_empty() {
        let wave: Vec<&str> =
            left.iter().filter(|(_, on)| on.is_empty()).map(|(name, _)| *name).collect();
        if wave.is_empty() {
            return Err(ProjectError::Cycle { path: circle(&left) });
        }
        for name in &wave {
            left.remove(name);
        }
        for on in left.values_mut() {
            on.retain(|name| !wave.contains(name));
        }
        waves.push(wave.into_iter().map(str::to_owned).collect());
    }
    Ok(waves)
}

fn circle(left: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut path: Vec<&str> = Vec::new();
    let mut at = left.keys().next().copied().unwrap_or_default();
    while !path.contains(&at) {
        path.push(at);
        // Everything that is left depends on something that is left.
        at = left.get(at).and_then(|on| on.first().copied()).unwrap_or_default();
    }
    path.push(at);
    let first = path.iter().position(|name| *name == at).unwrap_or(0);
    path[first..].iter().map(|name| (*name).to_owned()).collect()
}

/// The project with only these services and, if asked for, what they depend on. No name
/// means all services.
///
/// # Errors
/// When a name is of no service.
pub fn select(
    project: &Project,
    names: &[String],
    with_dependencies: bool,
) -> Result<Project, ProjectError> {
    if names.is_empty() {
        return Ok(project.clone());
    }
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut next: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in names {
        project.service(name)?;
    }
    while let Some(name) = next.pop() {
        let Some(service) = project.services.get(name) else { continue };
        if wanted.insert(name) && with_dependencies {
            next.extend(service.depends_on.keys().map(String::as_str));
        }
    }
    let mut chosen = project.clone();
    chosen.services.retain(|name, _| wanted.contains(name.as_str()));
    if !with_dependencies {
        for service in chosen.services.values_mut() {
            service.depends_on.retain(|on, _| wanted.contains(on.as_str()));
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::project::Source;

    fn project(services: &serde_json::Value) -> Project {
        Project::from_canonical(&json!({"name": "p", "services": services}), Source::default())
            .unwrap()
    }

    fn on(names: &[&str]) -> serde_json::Value {
        let map: serde_json::Map<String, serde_json::Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        json!({"image": "x", "depends_on": map})
    }

    #[test]
    fn what_needs_nothing_comes_first_and_together() {
        let project = project(
            &json!({"web": on(&["api", "db"]), "api": on(&["db"]), "db": on(&[]), "mq": on(&[])}),
        );
        assert_eq!(waves(&project).unwrap(), [vec!["db", "mq"], vec!["api"], vec!["web"]]);
    }

    #[test]
    fn a_circle_is_named() {
        let project = project(&json!({"a": on(&["b"]), "b": on(&["c"]), "c": on(&["b"])}));
        assert_eq!(waves(&project).unwrap_err().to_string(), "cycle found: b -> c -> b");
    }

    #[test]
    fn selection_takes_dependencies_along_or_not() {
        let project = project(&json!({"web": on(&["db"]), "db": on(&[]), "mq": on(&[])}));
        let names = |with| {
            let chosen = select(&project, &["web".to_owned()], with).unwrap();
            chosen.services.into_keys().collect::<Vec<_>>().join(" ")
        };
        assert_eq!((names(true), names(false)), ("db web".to_owned(), "web".to_owned()));
        assert!(select(&project, &["zz".to_owned()], true).is_err());
    }
}
