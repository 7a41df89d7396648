//! From the flags of services to what specs are made and changed by.

use coracle_image::{DEFAULT_TAG, Reference};
use coracle_runtime::model::Mount;
use coracle_runtime::mounts;
use coracle_swarm::edit::{
    EditError, Given, GivenHealth, GivenResources, GivenRestart, GivenUpdate, Lists, Removals,
};
use coracle_swarm::model::PortConfig;
use coracle_view::ViewError;
use coracle_view::network::not_for_services;

use super::create::ServiceCreateArgs;
use super::flag_values::{FileUse, Ports};
use super::flags::ServiceFlags;
use super::update_flags::UpdateFlags;
use crate::app::App;
use crate::error::CliError;
use crate::run_flags;
use crate::settings::Environment;

impl From<EditError> for CliError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Client(words) => Self::plain(words),
            EditError::Engine(words) => Self::engine(words),
        }
    }
}

/// What is said beyond lists.
pub(super) fn given(flags: &ServiceFlags) -> Result<Given, CliError> {
    if flags.credential_spec.as_ref().is_some_and(|spec| !spec.is_empty()) {
        let why = "credential specs are for Windows containers";
        return Err(CliError::unsupported("--credential-spec", why));
    }
    Ok(Given {
        image: None,
        args: None,
        entrypoint: flags.entrypoint.clone().map(|words| words.0),
        hostname: flags.hostname.clone(),
        workdir: flags.workdir.clone(),
        user: flags.user.clone(),
        stop_signal: flags.stop_signal.clone(),
        isolation: flags.isolation.clone(),
        init: flags.init,
        tty: flags.tty,
        read_only: flags.read_only,
        stop_grace_period: flags.stop_grace_period,
        oom_score_adj: flags.oom_score_adj,
        resources: GivenResources {
            limit_cpu: flags.limit_cpu,
            limit_memory: flags.limit_memory,
            limit_pids: flags.limit_pids,
            reserve_cpu: flags.reserve_cpu,
            reserve_memory: flags.reserve_memory,
            swap: flags.memory_swap,
            swappiness: flags.memory_swappiness,
        },
        restart: GivenRestart {
            condition: flags.restart_condition.clone(),
            delay: flags.restart_delay,
            max_attempts: flags.restart_max_attempts,
            window: flags.restart_window,
        },
        update: GivenUpdate {
            parallelism: flags.update_parallelism,
            delay: flags.update_delay,
            monitor: flags.update_monitor,
            failure_action: flags.update_failure_action.clone(),
            max_failure_ratio: flags.update_max_failure_ratio,
            order: flags.update_order.clone(),
        },
        rollback: GivenUpdate {
            parallelism: flags.rollback_parallelism,
            delay: flags.rollback_delay,
            monitor: flags.rollback_monitor,
            failure_action: flags.rollback_failure_action.clone(),
            max_failure_ratio: flags.rollback_max_failure_ratio,
            order: flags.rollback_order.clone(),
        },
        health: GivenHealth {
            cmd: flags.health_cmd.clone(),
            interval: flags.health_interval,
            timeout: flags.health_timeout,
            start_period: flags.health_start_period,
            start_interval: flags.health_start_interval,
            retries: flags.health_retries,
            none: flags.no_healthcheck,
        },
        endpoint_mode: flags.endpoint_mode.clone(),
        log_driver: flags.log_driver.clone(),
        log_opts: flags.log_opt.clone(),
        replicas: flags.replicas,
        max_concurrent: flags.max_concurrent,
        max_replicas: flags.replicas_max_per_node,
        cap_add: flags.cap_add.clone(),
        cap_drop: flags.cap_drop.clone(),
    })
}

/// The lists of a new service.
pub(super) fn lists(app: &App, args: &ServiceCreateArgs) -> Result<Lists, CliError> {
    refuse_generic("--generic-resource", &args.generic_resource)?;
    let environment = &app.settings.environment;
    // Variables of files come first, so that those that are typed win.
    let mut env = run_flags::environment(&args.env_file, &[], environment)?;
    env.extend(variables(&args.env, environment));
    Ok(Lists {
        labels: args.label.clone(),
        container_labels: args.container_label.clone(),
        env,
        sysctls: args.sysctl.clone(),
        ulimits: args.ulimit.clone(),
        mounts: mounts(&args.mount)?,
        groups: args.group.clone(),
        constraints: args.constraint.clone(),
        preferences: args.placement_pref.clone(),
        ports: ports(&args.publish),
        networks: args.network.clone(),
        dns: args.dns.clone(),
        dns_search: args.dns_search.clone(),
        dns_options: args.dns_option.clone(),
        hosts: args.host.clone(),
        secrets: args.secret.iter().map(FileUse::secret).collect(),
        configs: args.config.iter().map(FileUse::config).collect(),
    })
}

/// What an update adds.
pub(super) fn added(app: &App, flags: &UpdateFlags) -> Result<Lists, CliError> {
    refuse_generic("--generic-resource-add", &flags.generic_resource_add)?;
    Ok(Lists {
        labels: flags.label_add.clone(),
        container_labels: flags.container_label_add.clone(),
        env: variables(&flags.env_add, &app.settings.environment).collect(),
        sysctls: flags.sysctl_add.clone(),
        ulimits: flags.ulimit_add.clone(),
        mounts: mounts(&flags.mount_add)?,
        groups: flags.group_add.clone(),
        constraints: flags.constraint_add.clone(),
        preferences: flags.placement_pref_add.clone(),
        ports: ports(&flags.publish_add),
        networks: flags.network_add.clone(),
        dns: flags.dns_add.clone(),
        dns_search: flags.dns_search_add.clone(),
        dns_options: flags.dns_option_add.clone(),
        hosts: flags.host_add.clone(),
        secrets: flags.secret_add.iter().map(FileUse::secret).collect(),
        configs: flags.config_add.iter().map(FileUse::config).collect(),
    })
}

/// What an update takes away.
pub(super) fn removed(flags: &UpdateFlags) -> Result<Removals, CliError> {
    refuse_generic("--generic-resource-rm", &flags.generic_resource_rm)?;
    Ok(Removals {
        labels: flags.label_rm.clone(),
        container_labels: flags.container_label_rm.clone(),
        env: flags.env_rm.clone(),
        sysctls: flags.sysctl_rm.clone(),
        ulimits: flags.ulimit_rm.clone(),
        mounts: flags.mount_rm.clone(),
        groups: flags.group_rm.clone(),
        constraints: flags.constraint_rm.clone(),
        preferences: flags.placement_pref_rm.clone(),
        ports: ports(&flags.publish_rm),
        networks: flags.network_rm.clone(),
        dns: flags.dns_rm.clone(),
        dns_search: flags.dns_search_rm.clone(),
        dns_options: flags.dns_option_rm.clone(),
        hosts: flags.host_rm.clone(),
        secrets: flags.secret_rm.clone(),
        configs: flags.config_rm.clone(),
    })
}

/// An image as a spec names it: with the tag that is meant where none is said.
pub(super) fn tagged(image: &str) -> String {
    match Reference::parse(image) {
        Ok(read) if read.tag().is_none() && read.digest().is_none() => {
            format!("{}:{DEFAULT_TAG}", read.familiar())
        }
        Ok(read) => read.familiar(),
        // An id, or nothing that the engine takes.
        Err(_) => image.to_owned(),
    }
}

/// The id of a network that tasks can be on.
pub(super) fn network(app: &App, name: &str) -> Result<String, EditError> {
    let refused = |error: CliError| {
        const ENGINE: &str = "Error response from daemon: ";
        EditError::Engine(error.message.trim_start_matches(ENGINE).to_owned())
    };
    let engine = app.engine().map_err(refused)?;
    let network =
        engine.networks.find(name).map_err(|error| refused(ViewError::from(error).into()))?;
    if network.scope() != "swarm" && !matches!(network.name.as_str(), "host" | "bridge" | "none") {
        return Err(EditError::Engine(not_for_services(&network)));
    }
    Ok(network.id)
}

/// Whether anything is said beyond lists.
pub(super) fn is_said(given: &Given) -> bool {
    *given != Given::default()
}

/// Whether anything is added to a list or taken from one.
pub(super) fn is_any(flags: &UpdateFlags, app: &App) -> Result<bool, CliError> {
    Ok(added(app, flags)? != Lists::default() || removed(flags)? != Removals::default())
}

fn refuse_generic(flag: &str, given: &[String]) -> Result<(), CliError> {
    match given.is_empty() {
        true => Ok(()),
        false => Err(CliError::unsupported(flag, "nodes have no resources of that kind")),
    }
}

fn variables(given: &[String], environment: &Environment) -> impl Iterator<Item = String> {
    given.iter().filter_map(|entry| run_flags::completed(entry, environment))
}

fn ports(given: &[Ports]) -> Vec<PortConfig> {
    given.iter().flat_map(|ports| ports.0.iter().cloned()).collect()
}

fn mounts(given: &[String]) -> Result<Vec<Mount>, CliError> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let here = std::env::current_dir()
        .map_err(|error| CliError::plain(format!("cannot tell the current folder: {error}")))?;
    let mount = |option: &String| {
        let mount = mounts::mount_flag(option, &here).map_err(run_flags::mount_error)?;
        // No task could start with it, so it is refused before there is one.
        match mount.target.is_empty() {
            true => Err(CliError::engine(format!(
                "invalid mount config for type \"{}\": field Target must not be empty",
                mount.kind
            ))),
            false => Ok(mount),
        }
    };
    given.iter().map(mount).collect()
}
