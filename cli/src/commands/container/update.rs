//! `update`: change limits and restart policy of containers.

use coracle_runtime::engine::UpdateRequest;
use coracle_runtime::model::Resources;

use crate::app::App;
use crate::args::Runnable;
use crate::args::values;
use crate::commands::each;
use crate::error::{CliError, CommandResult};
use crate::run_flags::{CpuFlags, MemoryFlags, restart_policy};
use coracle_view::container::find_id;

/// Change limits and restart policy of containers
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// Relative block-IO share, 10..1000; 0 leaves it unset
    #[arg(long, value_name = "uint16", value_parser = values::uint16)]
    pub(crate) blkio_weight: Option<u16>,
    #[command(flatten)]
    pub(crate) cpu: CpuFlags,
    #[command(flatten)]
    pub(crate) memory: MemoryFlags,
    /// Process-count cap; -1 is unlimited
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) pids_limit: Option<i64>,
    /// Restart policy: no, on-failure[:N], always, unless-stopped
    #[arg(long, value_name = "string")]
    pub(crate) restart: Option<String>,
    /// Ignored, no effect (deprecated)
    #[arg(long, value_parser = values::bytes, hide = true)]
    pub(crate) kernel_memory: Option<i64>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for UpdateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        if !self.gives_something() {
            let text = "you must provide one or more flags when using this command";
            return Err(CliError::plain(text));
        }
        let refused = [
            ("--cpu-rt-period", self.cpu.cpu_rt_period.is_some()),
            ("--cpu-rt-runtime", self.cpu.cpu_rt_runtime.is_some()),
        ];
        if let Some((flag, _)) = refused.iter().find(|(_, given)| *given) {
            return Err(CliError::unsupported(flag, "cgroup v2 has no such setting"));
        }
        each(app, &self.args, |app, name| self.update(app, name))
    }
}

impl UpdateArgs {
    fn gives_something(&self) -> bool {
        self.cpu.is_given()
            || self.memory.is_given()
            || self.blkio_weight.is_some()
            || self.pids_limit.is_some()
            || self.kernel_memory.is_some()
            || self.restart.is_some()
    }

    fn update(&self, app: &App, name: &str) -> Result<(), CliError> {
        let id = find_id(&app.home, name)?;
        Ok(app.engine()?.update(&id, &self.request()?)?)
    }

    fn request(&self) -> Result<UpdateRequest, CliError> {
        let mut resources = Resources {
            blkio_weight: self.blkio_weight.unwrap_or(0),
            pids_limit: self.pids_limit,
            ..Resources::default()
        };
        self.cpu.put(&mut resources);
        self.memory.put(&mut resources);
        let policy = self.restart.as_deref().map(|text| restart_policy(Some(text))).transpose()?;
        Ok(UpdateRequest { resources, restart_policy: policy })
    }
}
