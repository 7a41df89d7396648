//! `update`: other limits and another restart policy for a container that exists.

use super::Engine;
use crate::cgroup;
use crate::error::EngineError;
use crate::model::{HostConfig, Resources, RestartPolicy};

/// What to change; zero, empty and `None` leave a setting as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateRequest {
    pub resources: Resources,
    pub restart_policy: Option<RestartPolicy>,
}

impl Engine {
    /// Changes limits and restart policy of a container; a running one feels them at once.
    ///
    /// # Errors
    /// When the settings contradict each other or what is set already, or the kernel
    /// refuses a limit; nothing is changed then.
    pub fn update(&self, id: &str, request: &UpdateRequest) -> Result<(), EngineError> {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        // Swap without memory is checked below: the memory may have been set before.
        let alone = Resources { memory_swap: 0, ..request.resources.clone() };
        cgroup::validate(&alone, cpus).map_err(|error| EngineError::Refuse(error.to_string()))?;
        let refuse =
            |why: String| EngineError::Refuse(format!("Cannot update container {id}: {why}"));
        // One that is being started would get the old limits.
        let held = self.hold(id)?;
        let lock = self.records.lock()?;
        let mut container = self.records.load(id)?;
        let life = self.records.life(id)?;
        merge(&mut container.host_config, request).map_err(|why| refuse(why.to_owned()))?;
        let resources = &container.host_config.resources;
        cgroup::validate(resources, cpus).map_err(|error| refuse(error.to_string()))?;
        if life.state.status.is_running() && request.resources != Resources::default() {
            let applied = match &life.cgroup {
                Some(path) => cgroup::update(path, resources),
                None => Err(cgroup::CgroupError::NotDelegated {
                    wanted: vec!["resources"],
                    why: "it was started without a cgroup of its own".to_owned(),
                    on_v1: cgroup::any_on_v1(&cgroup::CONTROLLERS),
                }),
            };
            applied.map_err(|error| EngineError::Limit { id: id.to_owned(), source: error })?;
        }
        self.records.save(&container)?;
        drop((lock, held));
        self.tell_monitor(id)?;
        self.events.container(&container, "update", &[]);
        Ok(())
    }
}

/// Takes over what is asked for; the text says what stands against it.
fn merge(host: &mut HostConfig, request: &UpdateRequest) -> Result<(), &'static str> {
    let (old, new) = (&mut host.resources, &request.resources);
    check_cpu(old, new)?;
    let number = |field: &mut i64, value: i64| {
        if value != 0 {
            *field = value;
        }
    };
    number(&mut old.cpu_shares, new.cpu_shares);
    number(&mut old.nano_cpus, new.nano_cpus);
    number(&mut old.cpu_period, new.cpu_period);
    number(&mut old.cpu_quota, new.cpu_quota);
    number(&mut old.cpu_realtime_period, new.cpu_realtime_period);
    number(&mut old.cpu_realtime_runtime, new.cpu_realtime_runtime);
    number(&mut old.memory_reservation, new.memory_reservation);
    if new.memory_swap == 0 && old.memory_swap > 0 && new.memory > old.memory_swap {
        return Err("Memory limit should be smaller than already set memoryswap limit, update \
                    the memoryswap at the same time");
    }
    number(&mut old.memory, new.memory);
    number(&mut old.memory_swap, new.memory_swap);
    if new.blkio_weight != 0 {
        old.blkio_weight = new.blkio_weight;
    }
    for (field, value) in
        [(&mut old.cpuset_cpus, &new.cpuset_cpus), (&mut old.cpuset_mems, &new.cpuset_mems)]
    {
        if !value.is_empty() {
            field.clone_from(value);
        }
    }
    old.pids_limit = new.pids_limit.or(old.pids_limit);
    if let Some(policy) = &request.restart_policy {
        if host.auto_remove && !matches!(policy.name.as_str(), "" | "no") {
            return Err("Restart policy cannot be updated because AutoRemove is enabled for the \
                        container");
        }
        host.restart_policy.clone_from(policy);
    }
    Ok(())
}

/// A number of CPUs and a share of a period are two ways to say the same.
fn check_cpu(old: &Resources, new: &Resources) -> Result<(), &'static str> {
    if new.nano_cpus > 0 && old.cpu_period > 0 {
        return Err(
            "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set",
        );
    }
    if new.nano_cpus > 0 && old.cpu_quota > 0 {
        return Err(
            "Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set",
        );
    }
    if new.cpu_period > 0 && old.nano_cpus > 0 {
        return Err(
            "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set",
        );
    }
    if new.cpu_quota > 0 && old.nano_cpus > 0 {
        return Err(
            "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: i64 = 1024 * 1024;

    fn host(resources: Resources) -> HostConfig {
        HostConfig { resources, ..HostConfig::default() }
    }

    fn request(resources: Resources) -> UpdateRequest {
        UpdateRequest { resources, restart_policy: None }
    }

    #[test]
    fn only_what_is_given_changes() {
        let old = Resources {
            memory: 64 * MIB,
            memory_swap: 128 * MIB,
            pids_limit: Some(5),
            cpuset_cpus: "0".to_owned(),
            ..Resources::default()
        };
        let mut host = host(old);
        merge(&mut host, &request(Resources { memory: 96 * MIB, ..Resources::default() })).unwrap();
        let now = &host.resources;
        assert_eq!((now.memory, now.memory_swap), (96 * MIB, 128 * MIB));
        assert_eq!((now.pids_limit, now.cpuset_cpus.as_str()), (Some(5), "0"));
        let more = Resources { pids_limit: Some(-1), cpu_shares: 7, ..Resources::default() };
        merge(&mut host, &request(more)).unwrap();
        assert_eq!((host.resources.pids_limit, host.resources.cpu_shares), (Some(-1), 7));
    }

    #[test]
    fn memory_must_fit_the_swap_that_is_set() {
        let old = Resources { memory: MIB, memory_swap: 256 * MIB, ..Resources::default() };
        let more = request(Resources { memory: 512 * MIB, ..Resources::default() });
        let error = merge(&mut host(old.clone()), &more).unwrap_err();
        assert_eq!(
            error,
            "Memory limit should be smaller than already set memoryswap limit, update the \
             memoryswap at the same time"
        );
        let both = Resources { memory_swap: -1, ..more.resources.clone() };
        assert!(merge(&mut host(old), &request(both)).is_ok());
        assert!(merge(&mut host(Resources::default()), &more).is_ok());
    }

    #[test]
    fn two_ways_to_limit_cpus_exclude_each_other() {
        let by_number = Resources { nano_cpus: 1, ..Resources::default() };
        let by_quota = Resources { cpu_quota: 5000, ..Resources::default() };
        assert_eq!(
            merge(&mut host(by_number.clone()), &request(by_quota.clone())).unwrap_err(),
            "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set"
        );
        assert_eq!(
            merge(&mut host(by_quota), &request(by_number)).unwrap_err(),
            "Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set"
        );
    }

    #[test]
    fn a_container_that_removes_itself_is_not_restarted() {
        let always = RestartPolicy { name: "always".to_owned(), maximum_retry_count: 0 };
        let request = UpdateRequest { restart_policy: Some(always), ..UpdateRequest::default() };
        let mut host = HostConfig { auto_remove: true, ..HostConfig::default() };
        assert_eq!(
            merge(&mut host, &request).unwrap_err(),
            "Restart policy cannot be updated because AutoRemove is enabled for the container"
        );
        host.auto_remove = false;
        merge(&mut host, &request).unwrap();
        assert_eq!(host.restart_policy.name, "always");
        let no = UpdateRequest {
            restart_policy: Some(RestartPolicy::default()),
            ..UpdateRequest::default()
        };
        host.auto_remove = true;
        assert!(merge(&mut host, &no).is_ok());
    }
}
