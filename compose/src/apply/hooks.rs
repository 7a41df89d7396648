//! `post_start` and `pre_stop`: processes that run in a container beside its own.

use coracle_runtime::model::{Attach, ExecRequest};

use super::{Apply, ApplyError};
use crate::project::Hook;

impl Apply<'_> {
    pub(super) fn run_hooks(
        &mut self,
        service: &str,
        hooks: &[Hook],
        id: &str,
        name: &str,
    ) -> Result<(), ApplyError> {
        for hook in hooks {
            let env = hook
                .environment
                .iter()
                .filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?)))
                .collect();
            let request = ExecRequest {
                argv: hook.command.clone(),
                env,
                user: hook.user.clone(),
                working_dir: hook.working_dir.clone(),
                privileged: hook.privileged,
                attach: Attach { stdin: false, stdout: true, stderr: true, size: None },
                ..ExecRequest::default()
            };
            let outcome = self.engine.exec_to_end(self.session, id, request)?;
            if outcome.code != 0 {
                let (service, code) = (service.to_owned(), outcome.code);
                return Err(ApplyError::Hook { service, code, output: outcome.output });
            }
            self.watcher.hook_said(name, &outcome.output);
        }
        Ok(())
    }
}
