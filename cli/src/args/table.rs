//! The table of commands, as the reader of the command line is given it.

use super::spec::{Group, Spec};

/// The commands of one kind of object, and the word that groups them.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) commands: &'static [Spec],
}

/// Every command there is.
#[derive(Debug)]
pub(crate) struct Table {
    /// `compose` itself: its options stand before its commands.
    pub(crate) compose: &'static Spec,
    /// By name.
    pub(crate) sections: &'static [&'static Section],
}

impl Table {
    /// Every command, section by section.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static Spec> + use<> {
        self.sections.iter().flat_map(|section| section.commands)
    }

    /// Every command, in the order of the general help.
    pub(crate) fn in_order(&self) -> Vec<&'static Spec> {
        let mut all: Vec<_> = self.commands().collect();
        all.sort_by_key(|spec| match spec.group {
            Group::Common(place) => (0, place, ""),
            Group::Other => (1, 0, spec.names[0]),
            // As the sections have them.
            Group::Inner | Group::Hidden => (2, 0, ""),
        });
        all
    }

    /// The command of that name, which may have two words.
    pub(crate) fn by_name(&self, wanted: &str) -> Option<&'static Spec> {
        self.commands().find(|spec| spec.names.contains(&wanted))
    }

    /// Whether a word groups commands, as `container` does.
    pub(super) fn is_section(&self, word: &str) -> bool {
        self.sections.iter().any(|section| section.name == word)
    }
}
