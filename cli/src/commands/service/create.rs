//! `service create`: create a service.

use std::io::Write as _;

use coracle_runtime::model::Ulimit;
use coracle_swarm::edit::{self, Known, NewService};
use coracle_swarm::model::task::{NetworkUse, Preference};
use coracle_swarm::protocol::Request;
use coracle_swarm::state::State;

use super::flag_values;
use super::flag_values::{FileUse, Ports};
use super::flags::ServiceFlags;
use super::{converge, said};
use crate::app::App;
use crate::args::Runnable;
use crate::digests::Digests;
use crate::error::{CommandResult, ExitStatus};
use crate::run_flags::run_values;

/// Create a service
#[derive(Debug, clap::Args)]
#[command(mut_args(|arg| arg.display_order(0)))]
pub(crate) struct ServiceCreateArgs {
    #[command(flatten)]
    pub(crate) flags: ServiceFlags,
    /// Config to mount: NAME or source=,target=,uid=,gid=,mode=
    #[arg(long, value_name = "config", value_parser = flag_values::config)]
    pub(crate) config: Vec<FileUse>,
    /// Placement rule such as node.role==manager or node.labels.k!=v; repeatable, all must hold
    #[arg(long, value_name = "list")]
    pub(crate) constraint: Vec<String>,
    /// Label put on the task containers rather than on the service
    #[arg(long, value_name = "list")]
    pub(crate) container_label: Vec<String>,
    /// Name server address
    #[arg(long, value_name = "list", value_parser = run_values::ip)]
    pub(crate) dns: Vec<String>,
    /// Resolver option such as ndots:2
    #[arg(long, value_name = "list")]
    pub(crate) dns_option: Vec<String>,
    /// Search domain (. empties the list)
    #[arg(long, value_name = "list")]
    pub(crate) dns_search: Vec<String>,
    /// KEY=VALUE; bare KEY copies the value from the client environment
    #[arg(long, short = 'e', value_name = "list", value_parser = run_values::env)]
    pub(crate) env: Vec<String>,
    /// File of KEY=VALUE lines; repeatable, later files win, --env wins over files
    #[arg(long, value_name = "list")]
    pub(crate) env_file: Vec<String>,
    /// Reservation of a user-defined resource, NAME=N (not supported)
    #[arg(long, value_name = "list")]
    pub(crate) generic_resource: Vec<String>,
    /// Supplementary group for the process
    #[arg(long, value_name = "list")]
    pub(crate) group: Vec<String>,
    /// Extra /etc/hosts entry NAME:IP
    #[arg(long, value_name = "list", value_parser = run_values::add_host)]
    pub(crate) host: Vec<String>,
    /// KEY=VALUE metadata
    #[arg(long, short = 'l', value_name = "list")]
    pub(crate) label: Vec<String>,
    /// How tasks are made: replicated, global, replicated-job or global-job
    #[arg(long, value_name = "string")]
    pub(crate) mode: Option<String>,
    /// Mount in key=value form: type=bind|volume|tmpfs|image|npipe|cluster,source,target,readonly,...
    #[arg(long, value_name = "mount", value_parser = run_values::mount)]
    pub(crate) mount: Vec<String>,
    /// Service name; generated when absent
    #[arg(long, value_name = "string")]
    pub(crate) name: Option<String>,
    /// Swarm-scope network, NAME or name=,alias=,driver-opt=
    #[arg(long, value_name = "network", value_parser = flag_values::network)]
    pub(crate) network: Vec<NetworkUse>,
    /// Soft rule strategy=expression; only spread=<label> exists
    #[arg(long, value_name = "pref", value_parser = flag_values::preference)]
    pub(crate) placement_pref: Vec<Preference>,
    /// Published port: HOST:TARGET[/PROTO] or published=,target=,protocol=,mode=ingress|host
    #[arg(long, short = 'p', value_name = "port", value_parser = flag_values::ports)]
    pub(crate) publish: Vec<Ports>,
    /// Secret to mount: NAME or source=,target=,uid=,gid=,mode=
    #[arg(long, value_name = "secret", value_parser = flag_values::secret)]
    pub(crate) secret: Vec<FileUse>,
    /// Namespaced kernel parameter key=value
    #[arg(long, value_name = "list")]
    pub(crate) sysctl: Vec<String>,
    /// NAME=SOFT[:HARD]
    #[arg(long, value_name = "ulimit", value_parser = run_values::ulimit)]
    pub(crate) ulimit: Vec<Ulimit>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for ServiceCreateArgs {
    fn execute(mut self, app: &mut App) -> CommandResult {
        let swarm = app.manager()?;
        let mut words = std::mem::take(&mut self.args).into_iter();
        let mut given = said::given(&self.flags)?;
        given.image = words.next().map(|image| said::tagged(&image));
        given.args = Some(words.collect());
        let new = NewService {
            name: self.name.take().unwrap_or_else(|| free_name(&swarm.state)),
            mode: self.mode.take().unwrap_or_else(|| "replicated".to_owned()),
        };
        let added = said::lists(app, &self)?;
        let network = |name: &str| said::network(app, name);
        let known = Known { state: &swarm.state, network: &network };
        let mut spec = Box::new(edit::create(&new, &given, &added, &known)?);
        let mut warning = None;
        if !self.flags.no_resolve_image {
            let image = spec.task_template.container_spec.image.clone();
            let digests = Digests::ask(app, [image], self.flags.with_registry_auth)?;
            warning = digests.pin(&mut spec);
        }
        let id = app.order(&Request::CreateService { spec })?;
        if let Some(warning) = warning {
            writeln!(app.ui.status(), "{warning}")?;
        }
        writeln!(app.ui.data(), "{id}")?;
        app.ui.flush()?;
        match self.flags.detach {
            true => Ok(ExitStatus::Success),
            false => converge::wait(app, &id, &id, self.flags.quiet),
        }
    }
}

/// A made-up name that no service has.
fn free_name(state: &State) -> String {
    loop {
        let name = coracle_runtime::names::generate(coracle_runtime::id::random);
        if state.services.values().all(|service| service.spec.name != name) {
            return name;
        }
    }
}
