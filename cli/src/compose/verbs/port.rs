//! `compose port`: the address under which a port of a service is published.

use std::io::Write as _;

use crate::app::App;
use crate::args::{Runnable, values};
use crate::compose::project::target;
use crate::error::{CliError, CommandResult, ExitStatus};
use coracle_view::container::Known;
use coracle_words::strconv;

/// Show the address under which a port of a service is published
#[derive(Debug, clap::Args)]
pub(crate) struct ComposePortArgs {
    /// Number of the container in its service (default: the first that runs)
    #[arg(long, value_name = "int", value_parser = values::int)]
    index: Option<i64>,
    /// tcp or udp
    #[arg(long, value_name = "string")]
    protocol: Option<String>,
    #[arg(value_name = "ARG", hide = true)]
    args: Vec<String>,
}

impl Runnable for ComposePortArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let word = &self.args[1];
        let port =
            strconv::parse_uint16(word).map_err(|error| CliError::plain(error.to_string()))?;
        let protocol = self.protocol.as_deref().unwrap_or("tcp").to_lowercase();
        let project = target::project(app)?;
        let index = self.index.unwrap_or(0);
        let known = target::running(app, &project.name, &self.args[0], index)?;
        let ports = published(&known);
        let wanted = ports.iter().find(|one| one.private == port && one.protocol == protocol);
        let Some(found) = wanted else {
            let there: Vec<String> =
                ports.iter().map(|one| format!("{}/{}", one.private, one.protocol)).collect();
            let name = &known.container.name;
            let there = there.join(", ");
            let text = format!("no port {port}/{protocol} for container {name}: {there}");
            return Err(CliError::plain(text));
        };
        writeln!(app.ui.data(), "{}:{}", found.ip, found.public)?;
        Ok(ExitStatus::Success)
    }
}

/// One line of the ports of a container.
struct Published {
    private: u16,
    protocol: String,
    ip: String,
    /// Zero when it is only exposed.
    public: u16,
}

fn published(known: &Known) -> Vec<Published> {
    let mut all = Vec::new();
    for (port, bindings) in &known.container.network_settings.ports {
        let one = |ip: &str, public: &str| Published {
            private: port.number().unwrap_or(0),
            protocol: port.protocol().to_owned(),
            ip: ip.to_owned(),
            public: public.parse().unwrap_or(0),
        };
        match bindings {
            Some(bindings) if !bindings.is_empty() => {
                all.extend(bindings.iter().map(|b| one(&b.host_ip, &b.host_port)));
            }
            _ => all.push(one("", "")),
        }
    }
    all.sort_by_key(|one| one.private);
    all
}
