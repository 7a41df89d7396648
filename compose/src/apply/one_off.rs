//! Containers of `run`: one more of a service, under a name of its own, that nobody counts.

use std::collections::BTreeMap;

use coracle_runtime::engine::CreateRequest;

use super::wait::Wait;
use super::{Apply, ApplyError, Kind, Turn};
use crate::project::{Service, labels};

/// How such a container is called and found.
#[derive(Clone, Debug, Default)]
pub struct OneOff {
    pub name: String,
    /// Random digits; those of the name are their beginning.
    pub slug: String,
    /// On its networks it is also found under the names of the service.
    pub aliases: bool,
}

impl Apply<'_> {
    /// What the engine is to be asked for. Nothing is made yet.
    ///
    /// # Errors
    /// When the service asks for what cannot be had.
    pub fn one_off(
        &mut self,
        service: &Service,
        one: &OneOff,
    ) -> Result<CreateRequest, ApplyError> {
        let mut service = service.clone();
        service.container_name = Some(one.name.clone());
        service.restart.clear();
        service.deploy.restart_policy = None;
        let mut request = self.request(&service, 0, BTreeMap::new())?;
        let own = &mut request.config.labels;
        own.remove(labels::NUMBER);
        own.insert(labels::ONE_OFF.to_owned(), "True".to_owned());
        own.insert(labels::SLUG.to_owned(), one.slug.clone());
        if !one.aliases {
            for aliases in request.networks.iter_mut().filter_map(|(_, end)| end.aliases.as_mut()) {
                aliases.retain(|alias| *alias == one.name);
            }
        }
        Ok(request)
    }

    /// Waits until what a service depends on is as the service wants it.
    ///
    /// # Errors
    /// When that will not come.
    pub fn wait_for_dependencies(&mut self, service: &str) -> Result<(), ApplyError> {
        let mut waits = self.waits_of(service)?;
        self.wait_until(&mut waits)
    }

    /// Waits until all of this is there.
    pub(super) fn wait_until(&mut self, waits: &mut [Wait]) -> Result<(), ApplyError> {
        for wait in &*waits {
            self.follow(&wait.id);
            self.watcher.tell(Kind::Container, &wait.name, "Waiting");
        }
        while !self.check(waits)? {
            self.wait_for(&[])?;
            if self.watcher.turn() == Turn::Interrupted {
                return Err(ApplyError::Interrupted);
            }
        }
        Ok(())
    }

    /// Runs the hooks that follow the start of a container.
    ///
    /// # Errors
    /// The first that fails.
    pub fn after_start(
        &mut self,
        service: &Service,
        id: &str,
        name: &str,
    ) -> Result<(), ApplyError> {
        self.run_hooks(&service.name, &service.post_start, id, name)
    }
}
