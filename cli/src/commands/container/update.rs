//! `update`: change limits and restart policy of containers.

use coracle_runtime::engine::UpdateRequest;
use coracle_runtime::model::Resources;

use crate::app::App;
use crate::args::Runnable;
use crate::args::values;
use crate::commands::each;
use crate::error::{CliError, CommandResult};
use crate::run_flags::restart_policy;
use coracle_view::container::find_id;

/// Change limits and restart policy of containers
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// Relative block-IO share, 10..1000; 0 leaves it unset
    #[arg(long, value_name = "uint16", value_parser = values::uint16)]
    pub(crate) blkio_weight: Option<u16>,
    /// CFS period in microseconds
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) cpu_period: Option<i64>,
    /// CFS quota in microseconds per period
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) cpu_quota: Option<i64>,
    /// Real-time scheduler period in microseconds (not supported)
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) cpu_rt_period: Option<i64>,
    /// Real-time scheduler runtime in microseconds (not supported)
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) cpu_rt_runtime: Option<i64>,
    /// Relative CPU weight (1024 is the kernel default)
    #[arg(long, short = 'c', value_name = "int64", value_parser = values::int)]
    pub(crate) cpu_shares: Option<i64>,
    /// Number of CPUs as a decimal; shorthand for quota/period
    #[arg(long, value_name = "decimal", value_parser = values::cpus)]
    pub(crate) cpus: Option<i64>,
    /// CPUs the container may run on (0-3, 0,1)
    #[arg(long, value_name = "string")]
    pub(crate) cpuset_cpus: Option<String>,
    /// NUMA memory node list or range
    #[arg(long, value_name = "string")]
    pub(crate) cpuset_mems: Option<String>,
    /// Hard memory limit, at least 6m on Linux
    #[arg(long, short = 'm', value_name = "bytes", value_parser = values::bytes)]
    pub(crate) memory: Option<i64>,
    /// Soft memory limit
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) memory_reservation: Option<i64>,
    /// Memory plus swap limit; -1 is unlimited
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) memory_swap: Option<i64>,
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
            ("--cpu-rt-period", self.cpu_rt_period.is_some()),
            ("--cpu-rt-runtime", self.cpu_rt_runtime.is_some()),
        ];
        if let Some((flag, _)) = refused.iter().find(|(_, given)| *given) {
            return Err(CliError::unsupported(flag, "cgroup v2 has no such setting"));
        }
        each(app, &self.args, |app, name| self.update(app, name))
    }
}

impl UpdateArgs {
    fn gives_something(&self) -> bool {
        let numbers = [
            self.cpu_period,
            self.cpu_quota,
            self.cpu_rt_period,
            self.cpu_rt_runtime,
            self.cpu_shares,
            self.cpus,
            self.memory,
            self.memory_reservation,
            self.memory_swap,
            self.pids_limit,
            self.kernel_memory,
        ];
        let words = [&self.cpuset_cpus, &self.cpuset_mems, &self.restart];
        self.blkio_weight.is_some()
            || numbers.iter().any(Option::is_some)
            || words.iter().any(|word| word.is_some())
    }

    fn update(&self, app: &App, name: &str) -> Result<(), CliError> {
        let id = find_id(&app.home, name)?;
        Ok(app.engine()?.update(&id, &self.request()?)?)
    }

    fn request(&self) -> Result<UpdateRequest, CliError> {
        let number = |given: Option<i64>| given.unwrap_or(0);
        let resources = Resources {
            cpu_shares: number(self.cpu_shares),
            nano_cpus: number(self.cpus),
            cpu_period: number(self.cpu_period),
            cpu_quota: number(self.cpu_quota),
            memory: number(self.memory),
            memory_reservation: number(self.memory_reservation),
            memory_swap: number(self.memory_swap),
            blkio_weight: self.blkio_weight.unwrap_or(0),
            pids_limit: self.pids_limit,
            cpuset_cpus: self.cpuset_cpus.clone().unwrap_or_default(),
            cpuset_mems: self.cpuset_mems.clone().unwrap_or_default(),
            ..Resources::default()
        };
        let policy = self.restart.as_deref().map(|text| restart_policy(Some(text))).transpose()?;
        Ok(UpdateRequest { resources, restart_policy: policy })
    }
}
