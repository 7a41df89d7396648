//! Secrets and configs on their way into a container: opened, expanded, handed to the engine, wiped.

use coracle_runtime::engine::TaskFile;

use super::Agent;
use super::serve::{is_template, told};
use crate::container::payload::{Contents, Payload, files};
use crate::model::{ContainerSpec, Task};

struct Opened<'a, 'b>(&'a Agent<'b>);

impl Contents for Opened<'_, '_> {
    fn secret(&self, id: &str) -> Option<Payload> {
        let secret = self.0.journal.state.secrets.get(id)?;
        let content = self.0.secret(id).ok()?;
        Some(Payload { content, template: is_template(&secret.spec) })
    }

    fn config(&self, id: &str) -> Option<Payload> {
        let config = self.0.journal.state.configs.get(id)?;
        let content = self.0.config(id).ok()?;
        Some(Payload { content, template: is_template(&config.spec) })
    }
}

impl Agent<'_> {
    /// What is there but cannot be opened is told as that.
    fn check_key(&self, spec: &ContainerSpec) -> Result<(), String> {
        let state = &self.journal.state;
        let secrets = spec.secrets.iter().map(|it| &it.secret_id);
        for id in secrets.filter(|id| state.secrets.contains_key(*id)) {
            self.secret(id).map_err(|error| told(&error))?;
        }
        let configs = spec.configs.iter().map(|it| &it.config_id);
        for id in configs.filter(|id| state.configs.contains_key(*id)) {
            self.config(id).map_err(|error| told(&error))?;
        }
        Ok(())
    }

    /// Puts what a task mounts of secrets and configs where its container finds it.
    pub(super) fn deliver(&mut self, task: &Task, container: &str) -> Result<(), String> {
        let spec = &task.spec.container_spec;
        if spec.secrets.is_empty() && spec.configs.is_empty() {
            return Ok(());
        }
        let node = self.journal.state.nodes.get(&task.node_id).cloned().unwrap_or_default();
        self.check_key(spec)?;
        let contents = files(task, &node, &Opened(self)).map_err(|error| error.to_string())?;
        let files: Vec<TaskFile<'_>> = contents
            .iter()
            .map(|content| TaskFile { target: &content.target, content: &content.content })
            .collect();
        let (engine, session) =
            self.host.home_mut().engine_in_session().map_err(|error| error.to_string())?;
        engine.deliver_task(session, container, &files).map_err(|error| error.to_string())
    }
}
