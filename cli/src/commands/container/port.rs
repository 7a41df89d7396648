//! `port`: list the published ports of a container.

use std::io::Write as _;

use coracle_runtime::model::PortBinding;
use coracle_words::port::{self, PortKey};

use crate::app::App;
use crate::args::Runnable;
use crate::error::{CliError, CommandResult, ExitStatus};
use crate::run_flags::port_error;
use coracle_view::container::find;
use coracle_words::natural;

/// List the published ports of a container
#[derive(Debug, clap::Args)]
pub(crate) struct PortArgs {
    #[arg(value_name = "ARG", hide = true)]
    pub(crate) args: Vec<String>,
}

impl Runnable for PortArgs {
    fn execute(self, app: &mut App) -> CommandResult {
        let known = find(&app.home, &self.args[0])?;
        let ports = &known.container.network_settings.ports;
        let Some(wanted) = self.args.get(1) else {
            let mut lines = Vec::new();
            for (port, bindings) in ports {
                for binding in bindings.iter().flatten() {
                    lines.push(format!("{port} -> {}", address(binding)));
                }
            }
            lines.sort_by_key(|line| natural(line));
            for line in lines {
                writeln!(app.ui.data(), "{line}")?;
            }
            return Ok(ExitStatus::Success);
        };
        let (number, protocol) = port::split(wanted);
        let Some(port) = PortKey::from(wanted.as_str()).number() else {
            let why = port_error(number).unwrap_or("invalid syntax");
            return Err(CliError::plain(format!("invalid port '{number}': {why}")));
        };
        let bindings = ports.get(&PortKey::new(port, protocol)).cloned().flatten();
        let Some(bindings) = bindings.filter(|bindings| !bindings.is_empty()) else {
            let name = &self.args[0];
            return Err(CliError::plain(format!("no public port '{wanted}' published for {name}")));
        };
        for binding in &bindings {
            writeln!(app.ui.data(), "{}", address(binding))?;
        }
        Ok(ExitStatus::Success)
    }
}

fn address(binding: &PortBinding) -> String {
    let ip = match binding.host_ip.as_str() {
        "" => "0.0.0.0".to_owned(),
        ip if ip.contains(':') => format!("[{ip}]"),
        ip => ip.to_owned(),
    };
    format!("{ip}:{}", binding.host_port)
}
