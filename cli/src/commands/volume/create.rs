//! `volume create`: create a volume.

use std::io::Write as _;

use coracle_runtime::volumes::{ANONYMOUS_LABEL, CreateVolume};
use coracle_swarm::container::volumes;
use coracle_words::pairs;

use crate::app::App;
use crate::args::Runnable;
use crate::args::values;
use crate::error::{CliError, CommandResult, ExitStatus};

/// Create a volume
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeCreateArgs {
    /// Cluster-volume availability: active, pause or drain (not supported)
    #[arg(long, value_name = "string")]
    pub(crate) availability: Option<String>,
    /// Volume driver
    #[arg(long, short = 'd', value_name = "string")]
    pub(crate) driver: Option<String>,
    /// Cluster-volume group name (not supported)
    #[arg(long, value_name = "string")]
    pub(crate) group: Option<String>,
    /// KEY=VALUE label of the volume
    #[arg(long, value_name = "list")]
    pub(crate) label: Vec<String>,
    /// CSI limit_bytes: upper size bound (the help text calls it a minimum) (not supported)
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) limit_bytes: Option<i64>,
    /// The name, as before Docker took it as an argument
    #[arg(long, value_name = "string", hide = true)]
    pub(crate) name: Option<String>,
    /// Driver option key=value
    #[arg(long, short = 'o', value_name = "map")]
    pub(crate) opt: Vec<String>,
    /// CSI required_bytes: lower size bound (the help text calls it a maximum) (not supported)
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) required_bytes: Option<i64>,
    /// Cluster-volume access: single or multi node (not supported)
    #[arg(long, value_name = "string")]
    pub(crate) scope: Option<String>,
    /// Secret handed to the CSI driver, key=name (not supported)
    #[arg(long, value_name = "map")]
    pub(crate) secret: Vec<String>,
    /// Cluster-volume sharing: none, readonly, onewriter or all (not supported)
    #[arg(long, value_name = "string")]
    pub(crate) sharing: Option<String>,
    /// Topology segment preferred for a cluster volume (not supported)
    #[arg(long, value_name = "list")]
    pub(crate) topology_preferred: Vec<String>,
    /// Topology segment demanded for a cluster volume (not supported)
    #[arg(long, value_name = "list")]
    pub(crate) topology_required: Vec<String>,
    /// Cluster-volume access type: mount or block (not supported)
    #[arg(long = "type", value_name = "string")]
    pub(crate) kind: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for VolumeCreateArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        self.refuse_cluster()?;
        if self.name.is_some() && !self.args.is_empty() {
            return Err(CliError::plain(
                "conflicting options: cannot specify a volume-name through both --name and as a \
                 positional arg",
            ));
        }
        let mut request = CreateVolume {
            name: self.name.clone().or_else(|| self.args.first().cloned()),
            driver: self.driver.clone().unwrap_or_default(),
            labels: pairs(&self.label),
            options: pairs(&self.opt),
            passing: false,
        };
        let shown = of_node(app, &mut request)?;
        let volume = app.engine()?.create_volume(request)?;
        writeln!(app.ui.data(), "{}", shown.unwrap_or(volume.name))?;
        Ok(ExitStatus::Success)
    }
}

/// Makes it the chosen node's own; gives what it is called there.
fn of_node(app: &App, request: &mut CreateVolume) -> Result<Option<String>, CliError> {
    let Some(number) = app.node.filter(|number| *number > 0) else { return Ok(None) };
    let name = match request.name.take().filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => {
            request.labels.insert(ANONYMOUS_LABEL.to_owned(), String::new());
            app.engine()?.random_id()?
        }
    };
    request.labels.extend(volumes::labels(number, &name));
    request.name = Some(volumes::stored_name(number, &name));
    Ok(Some(name))
}

impl VolumeCreateArgs {
    /// The flags of cluster volumes ask for what a single machine does not have.
    fn refuse_cluster(&self) -> Result<(), CliError> {
        let given = [
            ("--availability", self.availability.is_some()),
            ("--group", self.group.is_some()),
            ("--limit-bytes", self.limit_bytes.is_some()),
            ("--required-bytes", self.required_bytes.is_some()),
            ("--scope", self.scope.is_some()),
            ("--secret", !self.secret.is_empty()),
            ("--sharing", self.sharing.is_some()),
            ("--topology-preferred", !self.topology_preferred.is_empty()),
            ("--topology-required", !self.topology_required.is_empty()),
            ("--type", self.kind.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(CliError::unsupported(flag, "there are no cluster volumes")),
            None => Ok(()),
        }
    }
}
