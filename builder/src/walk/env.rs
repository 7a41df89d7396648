//! Variables, in the order in which they got their values.

use std::collections::HashMap;
use std::rc::Rc;

/// Names with values, which stages that begin with one another share until one sets something.
#[derive(Debug, Clone, Default)]
pub(super) struct Env(Rc<Values>);

#[derive(Debug, Clone, Default)]
struct Values {
    /// With the place of each among the others.
    by_name: HashMap<Rc<str>, (u64, Rc<str>)>,
    next: u64,
}

impl Env {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.by_name.get(name).map(|(_, value)| value.to_string())
    }

    /// The latest stands last.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Rc<str>>) {
        let values = Rc::make_mut(&mut self.0);
        values.by_name.insert(name.into(), (values.next, value.into()));
        values.next += 1;
    }

    /// Where it stood, if it was there.
    pub(super) fn set_in_place(&mut self, name: &str, value: impl Into<Rc<str>>) {
        let values = Rc::make_mut(&mut self.0);
        match values.by_name.get_mut(name) {
            Some((_, known)) => *known = value.into(),
            None => self.set(name, value),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.by_name.len()
    }

    pub(super) fn remove(&mut self, name: &str) {
        if self.0.by_name.contains_key(name) {
            Rc::make_mut(&mut self.0).by_name.remove(name);
        }
    }

    /// `NAME=VALUE`.
    pub(super) fn entries(&self) -> Vec<String> {
        self.in_order().map(|(name, value)| format!("{name}={value}")).collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.in_order().map(|(name, _)| &**name)
    }

    /// All of the other's values.
    pub(super) fn extend(&mut self, other: &Self) {
        for (name, value) in other.in_order() {
            self.set(name, Rc::clone(value));
        }
    }

    fn in_order(&self) -> impl Iterator<Item = (&Rc<str>, &Rc<str>)> {
        let by_name = self.0.by_name.iter();
        let mut all: Vec<_> = by_name.map(|(name, (at, value))| (*at, name, value)).collect();
        all.sort_unstable_by_key(|(at, ..)| *at);
        all.into_iter().map(|(_, name, value)| (name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::Env;

    #[test]
    fn the_order_is_that_of_the_values() {
        let mut env = Env::default();
        env.set("A", "1");
        env.set("B", "2");
        let before = env.clone();
        env.set("A", "3");
        env.set_in_place("B", "4");
        env.set_in_place("C", "5");
        assert_eq!(env.entries(), ["B=4", "A=3", "C=5"]);
        assert_eq!(before.entries(), ["A=1", "B=2"]);
        env.remove("A");
        assert_eq!((env.get("A"), env.get("C"), env.len()), (None, Some("5".into()), 2));
    }
}
