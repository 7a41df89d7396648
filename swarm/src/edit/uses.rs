//! Networks, secrets and configs of a service: names become ids.

use super::{EditError, Known};
use crate::model::secret::named;
use crate::model::task::NetworkUse;
use crate::model::{ConfigUse, Secret, SecretUse};

/// New networks, in the order of their ids.
pub(super) fn networks(
    list: &mut Vec<NetworkUse>,
    add: &[NetworkUse],
    remove: &[String],
    known: &Known<'_>,
) -> Result<(), EditError> {
    if add.is_empty() && remove.is_empty() {
        return Ok(());
    }
    for name in remove {
        let id = (known.network)(name)?;
        list.retain(|network| network.target != id);
    }
    for wanted in add {
        let target = (known.network)(&wanted.target)?;
        if list.iter().any(|network| network.target == target) {
            let name = &wanted.target;
            return EditError::client(format!("service is already attached to network {name}"));
        }
        list.push(NetworkUse { target, ..wanted.clone() });
    }
    list.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(())
}

/// What secrets and configs have in common.
trait Use: Clone {
    const KIND: &'static str;
    fn name(&self) -> &str;
    fn target(&self) -> &str;
    fn with_id(self, known: &Known<'_>) -> Option<Self>;
    /// What is used.
    fn object<'a>(&self, known: &Known<'a>) -> Option<&'a Secret>;
}

impl Use for SecretUse {
    const KIND: &'static str = "secret";
    fn name(&self) -> &str {
        &self.secret_name
    }
    fn target(&self) -> &str {
        self.file.as_ref().map(|file| file.name.as_str()).unwrap_or_default()
    }
    fn with_id(mut self, known: &Known<'_>) -> Option<Self> {
        let found = named(&known.state.secrets, &self.secret_name)?;
        self.secret_id.clone_from(&found.id);
        self.secret_name.clone_from(&found.spec.name);
        Some(self)
    }
    fn object<'a>(&self, known: &Known<'a>) -> Option<&'a Secret> {
        known.state.secrets.get(&self.secret_id)
    }
}

impl Use for ConfigUse {
    const KIND: &'static str = "config";
    fn name(&self) -> &str {
        &self.config_name
    }
    fn target(&self) -> &str {
        self.file.as_ref().map(|file| file.name.as_str()).unwrap_or_default()
    }
    fn with_id(mut self, known: &Known<'_>) -> Option<Self> {
        let found = named(&known.state.configs, &self.config_name)?;
        self.config_id.clone_from(&found.id);
        self.config_name.clone_from(&found.spec.name);
        Some(self)
    }
    fn object<'a>(&self, known: &Known<'a>) -> Option<&'a Secret> {
        known.state.configs.get(&self.config_id)
    }
}

pub(super) fn secrets(
    list: &mut Vec<SecretUse>,
    add: &[SecretUse],
    remove: &[String],
    known: &Known<'_>,
) -> Result<(), EditError> {
    uses(list, add, remove, known)
}

pub(super) fn configs(
    list: &mut Vec<ConfigUse>,
    add: &[ConfigUse],
    remove: &[String],
    known: &Known<'_>,
) -> Result<(), EditError> {
    uses(list, add, remove, known)
}

fn uses<T: Use>(
    list: &mut Vec<T>,
    add: &[T],
    remove: &[String],
    known: &Known<'_>,
) -> Result<(), EditError> {
    for (at, wanted) in add.iter().enumerate() {
        if add[..at].iter().any(|other| other.target() == wanted.target()) {
            let name = wanted.name();
            return EditError::client(format!(
                "duplicate {} target for {name} not allowed",
                T::KIND
            ));
        }
    }
    list.retain(|used| {
        // By the name that a version stands for too.
        let stands_for = used.object(known).map_or(used.name(), Secret::stands_for);
        !remove.iter().any(|name| name == used.name() || name == stands_for)
    });
    for wanted in add {
        let Some(found) = wanted.clone().with_id(known) else {
            return EditError::client(format!("{} not found: {}", T::KIND, wanted.name()));
        };
        list.push(found);
    }
    Ok(())
}
