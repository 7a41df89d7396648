//! `develop.watch` of services as rules: what of a changed path concerns whom, and what is
//! to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use coracle_builder::ignore::{Patterns, clean};
use serde::{Deserialize, Deserializer};

use super::WatchError;
use crate::project::{Hook, Service};

/// What is done when a path changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Action {
    #[default]
    #[serde(rename = "sync")]
    Sync,
    #[serde(rename = "rebuild")]
    Rebuild,
    #[serde(rename = "restart")]
    Restart,
    #[serde(rename = "sync+restart")]
    SyncRestart,
    #[serde(rename = "sync+exec")]
    SyncExec,
}

impl Action {
    /// Whether files are copied.
    #[must_use]
    pub fn syncs(self) -> bool {
        matches!(self, Self::Sync | Self::SyncRestart | Self::SyncExec)
    }
}

/// One entry of `develop.watch`, as the file has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Trigger {
    action: Action,
    path: PathBuf,
    target: String,
    ignore: Vec<String>,
    include: Vec<String>,
    initial_sync: bool,
    #[serde(deserialize_with = "hook")]
    exec: Hook,
}

/// A command that may be missing: it is there, and null, for every action.
fn hook<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hook, D::Error> {
    let mut value = serde_json::Value::deserialize(deserializer)?;
    if let serde_json::Value::Object(fields) = &mut value {
        fields.retain(|_, field| !field.is_null());
    }
    Hook::deserialize(value).map_err(serde::de::Error::custom)
}

/// A trigger with everything it takes to judge a path.
#[derive(Clone, Debug)]
pub struct Rule {
    pub service: String,
    pub action: Action,
    /// What is watched.
    pub path: PathBuf,
    /// Where it goes in the containers.
    pub target: PathBuf,
    /// What is there at the beginning is copied.
    pub initial_sync: bool,
    /// That was said by its former name.
    pub former_name: bool,
    /// What `sync+exec` runs.
    pub exec: Hook,
    include: Option<Patterns>,
    ignore: Vec<Patterns>,
}

/// Files that editors and tools write for a moment, and the folder of git.
const PASSING: &[&str] = &[
    "**/.git",
    "**/*___jb_old___",
    "**/*___jb_tmp___",
    "**/.idea/**",
    "**/.#*",
    "**/#*#",
    "**/4913",
    "**/*~",
    "**/.*.swp",
    "**/.*.swx",
    "**/.*.swo",
    "**/.*.swn",
    "**/.*.kate-swp",
    "**/*-go-tmp-umask",
];

impl Rule {
    /// The rules of a service. `read` gives the text of a file, if there is one.
    ///
    /// # Errors
    /// When an action cannot be carried out.
    pub fn of_service(
        service: &Service,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Result<Vec<Self>, WatchError> {
        let Some(entries) = service.raw.pointer("/develop/watch") else { return Ok(Vec::new()) };
        let triggers = Vec::<Trigger>::deserialize(entries)
            .map_err(|source| WatchError::Shape { service: service.name.clone(), source })?;
        let of_build = ignore_file(service, read);
        triggers
            .into_iter()
            .enumerate()
            .map(|(index, trigger)| {
                let path = clean(&trigger.path);
                let former = format!("/develop/watch/{index}/x-initialSync");
                let former_sync = service.extensions.get(&former) == Some(&true.into());
                trigger.check(service)?;
                let own = |list: &[String]| Patterns::new(&path, list.iter().map(String::as_str));
                let include = (!trigger.include.is_empty()).then(|| own(&trigger.include));
                let passing = Patterns::new(Path::new("/"), PASSING.iter().copied());
                let ignore =
                    of_build.iter().cloned().chain([passing, own(&trigger.ignore)]).collect();
                Ok(Self {
                    service: service.name.clone(),
                    action: trigger.action,
                    target: PathBuf::from(trigger.target),
                    initial_sync: trigger.initial_sync || former_sync,
                    former_name: former_sync && !trigger.initial_sync,
                    exec: trigger.exec,
                    include,
                    ignore,
                    path,
                })
            })
            .collect()
    }

    /// Whether a path of the host concerns this rule.
    #[must_use]
    pub fn concerns(&self, path: &Path) -> bool {
        path.starts_with(&self.path)
            && self.include.as_ref().is_none_or(|include| include.matches(path))
            && !self.ignore.iter().any(|patterns| patterns.matches(path))
    }

    /// Whether nothing that may come to be in a folder concerns it.
    #[must_use]
    pub fn leaves_out(&self, folder: &Path) -> bool {
        !(folder.starts_with(&self.path) || self.path.starts_with(folder))
            || self.ignore.iter().any(|patterns| patterns.matches_whole(folder))
    }

    /// Where a path of the host is in the containers.
    #[must_use]
    pub fn inside(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.path) {
            Ok(rest) if rest.as_os_str().is_empty() => self.target.clone(),
            Ok(rest) => self.target.join(rest),
            Err(_) => self.target.clone(),
        }
    }
}

impl Trigger {
    fn check(&self, service: &Service) -> Result<(), WatchError> {
        let service_name = || service.name.clone();
        if self.action == Action::Rebuild && service.build.is_none() {
            return Err(WatchError::NoBuild { service: service_name() });
        }
        if self.action == Action::SyncExec && self.exec.command.is_empty() {
            return Err(WatchError::NoCommand { service: service_name() });
        }
        if self.action.syncs() && self.target.is_empty() {
            return Err(WatchError::NoTarget { service: service_name() });
        }
        Ok(())
    }
}

/// The volume of a service that has a path mounted already: there is nothing to copy.
#[must_use]
pub fn is_mounted(service: &Service, path: &Path) -> bool {
    service
        .volumes
        .iter()
        .filter(|volume| volume.kind == "bind")
        .any(|volume| path.starts_with(clean(Path::new(&volume.source))))
}

/// What the build of a service leaves out.
fn ignore_file(service: &Service, read: &dyn Fn(&Path) -> Option<String>) -> Option<Patterns> {
    let build = service.build.as_ref()?;
    let context = Path::new(build.get("context")?.as_str()?);
    let file = build.get("dockerfile").and_then(serde_json::Value::as_str).unwrap_or("Dockerfile");
    let own = context.join(format!("{file}.dockerignore"));
    let text = read(&own).or_else(|| read(&context.join(".dockerignore")))?;
    Some(Patterns::of_file(context, &text))
}

/// What there is to do after some paths have changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Work {
    pub rebuild: BTreeSet<String>,
    /// By service: paths of the host, and where they go.
    pub sync: BTreeMap<String, BTreeSet<(PathBuf, PathBuf)>>,
    pub restart: BTreeSet<String>,
    /// Rules whose command is run, once each.
    pub exec: BTreeSet<usize>,
}

/// Judges changed paths.
#[must_use]
pub fn work<'a>(rules: &[Rule], changed: impl IntoIterator<Item = &'a Path>) -> Work {
    let mut work = Work::default();
    for path in changed {
        for (number, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.concerns(path)) {
            let service = || rule.service.clone();
            if rule.action.syncs() {
                let pair = (path.to_owned(), rule.inside(path));
                work.sync.entry(service()).or_default().insert(pair);
            }
            match rule.action {
                Action::Sync => {}
                Action::Rebuild => _ = work.rebuild.insert(service()),
                Action::Restart | Action::SyncRestart => _ = work.restart.insert(service()),
                Action::SyncExec => _ = work.exec.insert(number),
            }
        }
    }
    work
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(name: &str, develop: &Value, build: Option<Value>) -> Service {
        let raw = json!({"develop": {"watch": develop}});
        Service { name: name.to_owned(), raw, build, ..Service::default() }
    }

    fn rules(service: &Service) -> Vec<Rule> {
        Rule::of_service(service, &|_| None).unwrap()
    }

    #[test]
    fn each_action_has_its_work() {
        let entries = json!([
            {"action": "sync", "path": "/src/html", "target": "/html", "ignore": ["*.tmp"]},
            {"action": "sync+restart", "path": "/src/etc", "target": "/etc/web",
             "exec": {"command": null}},
            {"action": "restart", "path": "/src/flag"},
            {"action": "sync+exec", "path": "/src/sql", "target": "/sql",
             "exec": {"command": ["reload"]}},
        ]);
        let rules = rules(&service("web", &entries, None));
        let paths = [
            "/src/html/a/b",
            "/src/html/x.tmp",
            "/src/html/.a.swp",
            "/src/etc/c",
            "/src/sql/1",
            "/src/sql/2",
            "/src/other",
        ];
        let found = work(&rules, paths.map(Path::new));
        let pair = |a: &str, b: &str| (PathBuf::from(a), PathBuf::from(b));
        assert_eq!(
            found.sync["web"],
            BTreeSet::from([
                pair("/src/html/a/b", "/html/a/b"),
                pair("/src/etc/c", "/etc/web/c"),
                pair("/src/sql/1", "/sql/1"),
                pair("/src/sql/2", "/sql/2"),
            ])
        );
        assert_eq!(found.restart, BTreeSet::from(["web".to_owned()]));
        assert_eq!(found.exec, BTreeSet::from([3]));
        let flag = work(&rules, [Path::new("/src/flag")]);
        assert!(flag.sync.is_empty() && flag.restart.contains("web"));
    }

    #[test]
    fn a_single_file_keeps_its_target() {
        let entries = json!([{"action": "sync", "path": "/src/a.conf", "target": "/etc/b.conf"}]);
        let rules = rules(&service("web", &entries, None));
        assert_eq!(rules[0].inside(Path::new("/src/a.conf")), Path::new("/etc/b.conf"));
    }

    #[test]
    fn include_narrows_and_the_ignore_file_of_the_build_counts() {
        let entries = json!([
            {"action": "sync", "path": "/ctx", "target": "/app", "include": ["**/*.js"]},
            {"action": "rebuild", "path": "/ctx/package.json"},
        ]);
        let build = json!({"context": "/ctx", "dockerfile": "Dockerfile"});
        let service = service("web", &entries, Some(build));
        let read = |path: &Path| {
            (path == Path::new("/ctx/.dockerignore")).then(|| "node_modules\n".to_owned())
        };
        let rules = Rule::of_service(&service, &read).unwrap();
        let concerns = |path: &str| rules[0].concerns(Path::new(path));
        assert!(concerns("/ctx/a/b.js"));
        assert!(!concerns("/ctx/a/b.css") && !concerns("/ctx/node_modules/x/y.js"));
        assert!(!concerns("/ctx/.git/hooks/x.js") && !concerns("/other/a.js"));
        assert!(rules[0].leaves_out(Path::new("/ctx/node_modules")));
        assert!(!rules[0].leaves_out(Path::new("/ctx/src")));
        assert!(!rules[0].leaves_out(Path::new("/")) && rules[0].leaves_out(Path::new("/other")));
        assert_eq!(work(&rules, [Path::new("/ctx/package.json")]).rebuild.len(), 1);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let refused = |entry: Value| {
            let service = service("web", &json!([entry]), None);
            Rule::of_service(&service, &|_| None).unwrap_err().to_string()
        };
        assert_eq!(
            refused(json!({"action": "rebuild", "path": "/a"})),
            "can't watch service \"web\" with action rebuild without a build context"
        );
        assert_eq!(
            refused(json!({"action": "sync+exec", "path": "/a", "target": "/b"})),
            "can't watch with action \"sync+exec\" on service web without a command"
        );
        assert_eq!(
            refused(json!({"action": "sync", "path": "/a"})),
            "services.web.develop.watch: a sync needs a target"
        );
    }

    #[test]
    fn mounted_paths_are_known() {
        let volume = crate::project::VolumeUse {
            kind: "bind".to_owned(),
            source: "/src/html".to_owned(),
            ..Default::default()
        };
        let service = Service { volumes: vec![volume], ..Service::default() };
        assert!(is_mounted(&service, Path::new("/src/html/a")));
        assert!(!is_mounted(&service, Path::new("/src/htmlx")));
    }
}
