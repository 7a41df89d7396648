//! From names to the targets that are built: groups, `inherits`, `target:NAME`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::entry::{self, Kind};
use super::overrides::Overrides;
use super::{BakeError, Config, Facts, Group, Target};

/// What was asked for; as JSON it is what `--print` shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Selected {
    #[serde(rename = "group", skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Group>,
    #[serde(rename = "target")]
    pub targets: BTreeMap<String, Target>,
}

impl Config {
    /// The targets of `names` – `default` without any –, with what `--set` says.
    ///
    /// # Errors
    /// When a name means nothing, or targets need each other in a circle.
    pub fn select(
        &self,
        names: &[String],
        set: &[String],
        facts: &Facts,
    ) -> Result<Selected, BakeError> {
        let overrides = self.overrides(set, facts)?;
        let mut wanted: Vec<String> = Vec::new();
        for name in names {
            // A service may have a dot in its name.
            for found in self.named(&name.replace('.', "_"))? {
                if !wanted.contains(&found) {
                    wanted.push(found);
                }
            }
        }
        if names.is_empty() {
            wanted.push("default".to_owned());
        }
        let mut selected = Selected::default();
        for name in &wanted {
            let (targets, groups) = self.group(name, &mut BTreeMap::new());
            for name in targets {
                if let Entry::Vacant(free) = selected.targets.entry(name) {
                    let target = self.resolve(free.key(), &overrides)?;
                    free.insert(target);
                }
            }
            for group in self.groups.iter().filter(|group| groups.contains(&group.name)) {
                selected.groups.entry(group.name.clone()).or_insert_with(|| group.clone());
            }
        }
        for name in &wanted {
            if name == "default" && selected.groups.contains_key(name) {
                continue;
            }
            let group = selected.groups.entry("default".to_owned()).or_default();
            group.name = "default".to_owned();
            group.targets.push(name.clone());
        }
        for group in selected.groups.values_mut() {
            let mut seen = BTreeSet::new();
            group.targets.retain(|name| seen.insert(name.clone()));
        }
        if let Some(group) = selected.groups.get_mut("default") {
            group.targets.sort_unstable();
        }
        let roots: Vec<String> = selected.targets.keys().cloned().collect();
        let mut done = BTreeSet::new();
        for name in roots {
            self.link(&name, &mut selected.targets, &overrides, &mut Vec::new(), &mut done)?;
        }
        Ok(selected)
    }

    fn named(&self, pattern: &str) -> Result<Vec<String>, BakeError> {
        if !pattern.contains(['*', '?', '[', ']']) {
            return Ok(vec![pattern.to_owned()]);
        }
        let groups = self.groups.iter().map(|group| &group.name);
        let all = groups.chain(self.targets.iter().map(|target| &target.name));
        let found: Vec<String> = all.filter(|name| matches(pattern, name)).cloned().collect();
        if found.is_empty() {
            return Err(BakeError::plain(format!(
                "could not find any target matching {pattern:?}"
            )));
        }
        Ok(found)
    }

    /// The targets and groups that a name stands for.
    fn group(
        &self,
        name: &str,
        visited: &mut BTreeMap<String, (Vec<String>, Vec<String>)>,
    ) -> (Vec<String>, Vec<String>) {
        if let Some(found) = visited.get(name) {
            return found.clone();
        }
        let Some(group) = self.groups.iter().find(|group| group.name == name) else {
            return (vec![name.to_owned()], Vec::new());
        };
        visited.insert(name.to_owned(), Default::default());
        let (mut targets, mut groups) = (Vec::new(), vec![name.to_owned()]);
        for one in &group.targets {
            // A matrix whose group has the name of one of its targets.
            let (more, inner) = match one == name {
                true => (vec![one.clone()], Vec::new()),
                false => self.group(one, visited),
            };
            targets.extend(more);
            groups.extend(inner);
        }
        visited.insert(name.to_owned(), (targets.clone(), groups.clone()));
        (targets, groups)
    }

    fn resolve(
        &self,
        name: &str,
        overrides: &BTreeMap<String, Overrides>,
    ) -> Result<Target, BakeError> {
        let mut target = self.inherited(name, &mut BTreeMap::new(), overrides)?.unwrap_or_default();
        target.inherits.clear();
        name.clone_into(&mut target.name);
        target.context.get_or_insert_with(|| ".".to_owned());
        if target.dockerfile.as_deref().unwrap_or_default().is_empty() {
            target.dockerfile = Some("Dockerfile".to_owned());
        }
        Ok(target)
    }

    /// A target on top of those that it inherits; nothing for one that is being looked at already.
    fn inherited(
        &self,
        name: &str,
        visited: &mut BTreeMap<String, Option<Target>>,
        overrides: &BTreeMap<String, Overrides>,
    ) -> Result<Option<Target>, BakeError> {
        if let Some(found) = visited.get(name) {
            return Ok(found.clone());
        }
        visited.insert(name.to_owned(), None);
        let Some(own) = self.targets.iter().find(|target| target.name == name) else {
            return Err(BakeError::plain(format!("failed to find target {name}")));
        };
        let mut target = Target::default();
        for other in &own.inherits {
            if let Some(other) = self.inherited(other, visited, overrides)? {
                target.merge(&other);
            }
        }
        target.merge(own);
        if let Some(given) = overrides.get(name) {
            target.take(given).map_err(BakeError::plain)?;
        }
        target.tidy();
        visited.insert(name.to_owned(), Some(target.clone()));
        Ok(Some(target))
    }

    /// Adds what a target has as `target:NAME` among its contexts.
    fn link(
        &self,
        name: &str,
        targets: &mut BTreeMap<String, Target>,
        overrides: &BTreeMap<String, Overrides>,
        visited: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Result<(), BakeError> {
        if done.contains(name) {
            return Ok(());
        }
        visited.push(name.to_owned());
        let contexts: Vec<String> = targets[name].contexts.values().cloned().collect();
        for other in contexts.iter().filter_map(|context| context.strip_prefix("target:")) {
            if other == name {
                return Err(BakeError::plain(format!("target {other} cannot link to itself")));
            }
            if visited.iter().any(|one| one == other) {
                return Err(BakeError::plain(format!("infinite loop from {name} to {other}")));
            }
            if !targets.contains_key(other) {
                let mut target = self.resolve(other, overrides)?;
                let fields = [("type".to_owned(), "cacheonly".to_owned())].into();
                target.output = Some(vec![entry::Entry { kind: Kind::Output, fields }]);
                target.is_linked = true;
                targets.insert(other.to_owned(), target);
            }
            self.link(other, targets, overrides, visited, done)?;
            let theirs = targets[other].entitlements.clone();
            if let Some(mine) = targets.get_mut(name) {
                mine.entitlements.extend(theirs);
                mine.tidy();
            }
        }
        visited.pop();
        done.insert(name.to_owned());
        Ok(())
    }
}

impl Selected {
    /// Names in an order in which each comes after those that it takes as contexts.
    #[must_use]
    pub fn order(&self) -> Vec<&Target> {
        fn visit<'a>(
            all: &'a BTreeMap<String, Target>,
            one: &'a Target,
            out: &mut Vec<&'a Target>,
        ) {
            if out.iter().any(|other| other.name == one.name) {
                return;
            }
            for context in one.contexts.values() {
                let other = context.strip_prefix("target:").and_then(|name| all.get(name));
                if let Some(other) = other {
                    visit(all, other, out);
                }
            }
            out.push(one);
        }
        let mut out = Vec::new();
        self.targets.values().for_each(|target| visit(&self.targets, target, &mut out));
        out
    }
}

/// `*`, `?` and `[…]`, as in names of files.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    fn rest(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', more @ ..], _) => (0..=name.len()).any(|at| rest(more, &name[at..])),
            (['?', more @ ..], [_, after @ ..]) => rest(more, after),
            (['[', more @ ..], [letter, after @ ..]) => {
                let Some(end) = more.iter().position(|one| *one == ']') else { return false };
                let (class, more) = (&more[..end], &more[end + 1..]);
                let (not, class) = match class {
                    ['^', class @ ..] => (true, class),
                    class => (false, class),
                };
                let mut found = false;
                let mut at = 0;
                while at < class.len() {
                    let high = match class.get(at + 1..at + 3) {
                        Some(['-', high]) => *high,
                        _ => class[at],
                    };
                    found |= (class[at]..=high).contains(letter);
                    at += if high == class[at] { 1 } else { 3 };
                }
                found != not && rest(more, after)
            }
            ([one, more @ ..], [letter, after @ ..]) => one == letter && rest(more, after),
            _ => false,
        }
    }
    // More stars than this are one star: no pattern takes long.
    let pattern: Vec<char> = pattern.chars().take(256).collect();
    let mut short: Vec<char> = Vec::new();
    for letter in pattern {
        if letter != '*' || short.last() != Some(&'*') {
            short.push(letter);
        }
    }
    if short.iter().filter(|letter| **letter == '*').count() > 8 {
        return false;
    }
    rest(&short, &name.chars().collect::<Vec<_>>())
}
