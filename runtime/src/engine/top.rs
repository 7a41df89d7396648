//! `top`: the processes of a container.

use super::Engine;
use crate::error::EngineError;
use crate::model::Container;
use crate::processes::find;
use crate::processes::top;
use crate::processes::top::Table;
use crate::records::Life;

impl Engine {
    /// The processes of a running container, as `ps` with these options lists them.
    ///
    /// # Errors
    /// When it does not run, or runs elsewhere; or `ps` refuses the options.
    pub fn top(
        &self,
        container: &Container,
        life: &Life,
        options: &[String],
    ) -> Result<Table, EngineError> {
        let not_running = || EngineError::NotRunning { id: container.id.clone() };
        let runs = life.state.status.is_running();
        let init = life.init.filter(|_| runs).ok_or_else(not_running)?;
        if !life.is_of_here() {
            let (what, name) = ("list processes".to_owned(), container.name.clone());
            return Err(EngineError::Elsewhere { what, name });
        }
        let list = find::of_container(life.cgroup.as_deref(), init.pid)
            .map_err(EngineError::io("list the processes"))?;
        let table = top::top(&list, options)?;
        self.events.container(container, "top", &[]);
        Ok(table)
    }
}
