//! The flags that `service update` alone has: what is added to lists, and what is taken from them.

use coracle_runtime::model::Ulimit;
use coracle_swarm::model::task::{NetworkUse, Preference};

use super::flag_values;
use super::flag_values::{FileUse, Ports, Words};
use crate::run_flags::run_values;

// No doc comment: it would replace the description of the command it is part of.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateFlags {
    /// Replacement for the command arguments of the service
    #[arg(long = "args", value_name = "command", value_parser = flag_values::words)]
    pub(crate) new_args: Option<Words>,
    /// Attach a config to the service (source=,target=,uid=,gid=,mode=)
    #[arg(long, value_name = "config", value_parser = flag_values::config)]
    pub(crate) config_add: Vec<FileUse>,
    /// Detach a config by its name
    #[arg(long, value_name = "list")]
    pub(crate) config_rm: Vec<String>,
    /// Add a placement rule
    #[arg(long, value_name = "list")]
    pub(crate) constraint_add: Vec<String>,
    /// Delete a placement rule
    #[arg(long, value_name = "list")]
    pub(crate) constraint_rm: Vec<String>,
    /// Add or overwrite a task-container label
    #[arg(long, value_name = "list")]
    pub(crate) container_label_add: Vec<String>,
    /// Delete a task-container label by key
    #[arg(long, value_name = "list")]
    pub(crate) container_label_rm: Vec<String>,
    /// Add a name server
    #[arg(long, value_name = "list", value_parser = run_values::ip)]
    pub(crate) dns_add: Vec<String>,
    /// Add a resolver option
    #[arg(long, value_name = "list")]
    pub(crate) dns_option_add: Vec<String>,
    /// Delete a resolver option
    #[arg(long, value_name = "list")]
    pub(crate) dns_option_rm: Vec<String>,
    /// Delete a name server
    #[arg(long, value_name = "list")]
    pub(crate) dns_rm: Vec<String>,
    /// Add a search domain
    #[arg(long, value_name = "list")]
    pub(crate) dns_search_add: Vec<String>,
    /// Delete a search domain
    #[arg(long, value_name = "list")]
    pub(crate) dns_search_rm: Vec<String>,
    /// Add or overwrite an environment variable
    #[arg(long, value_name = "list", value_parser = run_values::env)]
    pub(crate) env_add: Vec<String>,
    /// Delete an environment variable by name
    #[arg(long, value_name = "list")]
    pub(crate) env_rm: Vec<String>,
    /// Replace all tasks although the spec is unchanged
    #[arg(long)]
    pub(crate) force: bool,
    /// Add a user-defined resource reservation (not supported)
    #[arg(long, value_name = "list")]
    pub(crate) generic_resource_add: Vec<String>,
    /// Delete a user-defined resource reservation (not supported)
    #[arg(long, value_name = "list")]
    pub(crate) generic_resource_rm: Vec<String>,
    /// Supplementary group name or id
    #[arg(long, value_name = "list")]
    pub(crate) group_add: Vec<String>,
    /// Delete a supplementary group
    #[arg(long, value_name = "list")]
    pub(crate) group_rm: Vec<String>,
    /// Add an extra /etc/hosts entry
    #[arg(long, value_name = "list", value_parser = run_values::add_host)]
    pub(crate) host_add: Vec<String>,
    /// Delete an extra /etc/hosts entry
    #[arg(long, value_name = "list")]
    pub(crate) host_rm: Vec<String>,
    /// New image reference of the service
    #[arg(long, value_name = "string")]
    pub(crate) image: Option<String>,
    /// Add or overwrite a label
    #[arg(long, value_name = "list")]
    pub(crate) label_add: Vec<String>,
    /// Delete a label by key
    #[arg(long, value_name = "list")]
    pub(crate) label_rm: Vec<String>,
    /// Add or replace a mount, same key=value form
    #[arg(long, value_name = "mount", value_parser = run_values::mount)]
    pub(crate) mount_add: Vec<String>,
    /// Delete a mount by its target path
    #[arg(long, value_name = "list")]
    pub(crate) mount_rm: Vec<String>,
    /// Join a further network
    #[arg(long, value_name = "network", value_parser = flag_values::network)]
    pub(crate) network_add: Vec<NetworkUse>,
    /// Leave a network
    #[arg(long, value_name = "list")]
    pub(crate) network_rm: Vec<String>,
    /// Append a placement preference
    #[arg(long, value_name = "pref", value_parser = flag_values::preference)]
    pub(crate) placement_pref_add: Vec<Preference>,
    /// Delete a placement preference
    #[arg(long, value_name = "pref", value_parser = flag_values::preference)]
    pub(crate) placement_pref_rm: Vec<Preference>,
    /// Add or replace a published port, long or short form
    #[arg(long, value_name = "port", value_parser = flag_values::ports)]
    pub(crate) publish_add: Vec<Ports>,
    /// Delete a published port by its target port
    #[arg(long, value_name = "port", value_parser = flag_values::ports)]
    pub(crate) publish_rm: Vec<Ports>,
    /// Return to the previous service spec
    #[arg(long)]
    pub(crate) rollback: bool,
    /// Attach a secret (source=,target=,uid=,gid=,mode=)
    #[arg(long, value_name = "secret", value_parser = flag_values::secret)]
    pub(crate) secret_add: Vec<FileUse>,
    /// Detach a secret by name
    #[arg(long, value_name = "list")]
    pub(crate) secret_rm: Vec<String>,
    /// Add or overwrite a kernel parameter
    #[arg(long, value_name = "list")]
    pub(crate) sysctl_add: Vec<String>,
    /// Delete a kernel parameter
    #[arg(long, value_name = "list")]
    pub(crate) sysctl_rm: Vec<String>,
    /// Add or overwrite a resource limit
    #[arg(long, value_name = "ulimit", value_parser = run_values::ulimit)]
    pub(crate) ulimit_add: Vec<Ulimit>,
    /// Delete a resource limit
    #[arg(long, value_name = "list")]
    pub(crate) ulimit_rm: Vec<String>,
}
