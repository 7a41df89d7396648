//! Variables, in the order in which they got their values.

use std::rc::Rc;

/// Names with values, which stages that begin with one another share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Env(Vec<(Rc<str>, Rc<str>)>);

impl Env {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.to_string())
    }

    /// The latest stands last.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Rc<str>>) {
        self.remove(name);
        self.0.push((name.into(), value.into()));
    }

    /// Where it stood, if it was there.
    pub(super) fn set_in_place(&mut self, name: &str, value: impl Into<Rc<str>>) {
        match self.0.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, known)) => *known = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }

    /// `NAME=VALUE`.
    pub(super) fn entries(&self) -> Vec<String> {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| **known != *name);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// All of the other's values.
    pub(super) fn extend(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            self.set(name, value.clone());
        }
    }
}
