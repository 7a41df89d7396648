//! The limits that `run`, `create` and `update` share.
//!
//! They are two structs, not one: the help lists flags in their order here, and others stand
//! between those of the processor and those of memory.

use coracle_runtime::model::Resources;

use crate::args::values;

// No doc comments here: they would replace the description of the command they are part of.
#[derive(Debug, clap::Args)]
pub(crate) struct CpuFlags {
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
}

#[derive(Debug, clap::Args)]
pub(crate) struct MemoryFlags {
    /// Hard memory limit, at least 6m on Linux
    #[arg(long, short = 'm', value_name = "bytes", value_parser = values::bytes)]
    pub(crate) memory: Option<i64>,
    /// Soft memory limit
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) memory_reservation: Option<i64>,
    /// Memory plus swap limit; -1 is unlimited
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) memory_swap: Option<i64>,
}

impl CpuFlags {
    pub(crate) fn is_given(&self) -> bool {
        let numbers = [
            self.cpu_period,
            self.cpu_quota,
            self.cpu_rt_period,
            self.cpu_rt_runtime,
            self.cpu_shares,
            self.cpus,
        ];
        let lists = [&self.cpuset_cpus, &self.cpuset_mems];
        numbers.iter().any(Option::is_some) || lists.iter().any(|list| list.is_some())
    }

    /// As the engine takes them; zero and nothing leave a limit as it is.
    pub(crate) fn put(&self, resources: &mut Resources) {
        resources.cpu_shares = self.cpu_shares.unwrap_or(0);
        resources.nano_cpus = self.cpus.unwrap_or(0);
        resources.cpu_period = self.cpu_period.unwrap_or(0);
        resources.cpu_quota = self.cpu_quota.unwrap_or(0);
        resources.cpuset_cpus = self.cpuset_cpus.clone().unwrap_or_default();
        resources.cpuset_mems = self.cpuset_mems.clone().unwrap_or_default();
    }
}

impl MemoryFlags {
    pub(crate) fn is_given(&self) -> bool {
        [self.memory, self.memory_reservation, self.memory_swap].iter().any(Option::is_some)
    }

    /// As the engine takes them; zero leaves a limit as it is.
    pub(crate) fn put(&self, resources: &mut Resources) {
        resources.memory = self.memory.unwrap_or(0);
        resources.memory_reservation = self.memory_reservation.unwrap_or(0);
        resources.memory_swap = self.memory_swap.unwrap_or(0);
    }
}
