//! Networks as lists show them.

use coracle_runtime::EngineError;
use coracle_runtime::networks::{Network, NetworkError};
use coracle_view::{container, network};

use crate::app::App;
use crate::error::CliError;
use crate::format::{Columns, Row, units};

pub(crate) const COLUMNS: Columns = Columns {
    titles: &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("CreatedAt", "CREATED AT"),
    ],
    table: "ID Name Driver Scope",
    quiet: "ID",
    raw: "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
};

pub(crate) fn row(network: &Network, full: bool) -> Row {
    let id = if full { network.id.as_str() } else { units::short_id(&network.id) };
    let created = network.created.datetime();
    let mut row = Row::new("*formatter.networkContext");
    row.set("ID", id)
        .set("Name", network.name.as_str())
        .set("Driver", network.driver.as_str())
        .set("Scope", network.scope())
        .set("IPv4", network.enable_ipv4.to_string())
        .set("IPv6", network.enable_ipv6.to_string())
        .set("Internal", network.internal.to_string())
        .set("CreatedAt", units::go_time(created))
        .set_labels(network.labels.clone());
    row
}

/// Bridges of users are the machine's: on a rehearsal node there are none to be made or changed.
pub(crate) fn local_only(app: &App, what: &str) -> Result<(), CliError> {
    match app.settings.node.as_deref().filter(|_| app.node.is_some_and(|number| number > 0)) {
        None => Ok(()),
        Some(node) => {
            let why = "it has the networks of the swarm, and those that every node has";
            Err(CliError::unsupported(&format!("{what} on the node {node}"), why))
        }
    }
}

/// The network that a container of the node that is asked may join: also one of the swarm that it does not list yet.
pub(crate) fn joinable(app: &App, reference: &str) -> Result<(), CliError> {
    if app.node.is_none_or(|number| number == 0) {
        return Ok(());
    }
    match app.engine()?.networks.find(reference) {
        Ok(network) if network.swarm => Ok(()),
        Ok(_) => Ok(network::find(&app.home, reference).map(drop)?),
        Err(failure) => Err(error(failure)),
    }
}

/// What the node that is asked calls so; without one, whoever looks next says what is not there.
pub(crate) fn container_of(app: &App, reference: &str) -> Result<String, CliError> {
    match app.node {
        None => Ok(reference.to_owned()),
        Some(_) => Ok(container::find_id(&app.home, reference)?),
    }
}

pub(crate) fn error(error: NetworkError) -> CliError {
    CliError::from(EngineError::from(error))
}

#[cfg(test)]
mod tests {
    use coracle_words::template::Fields as _;

    use crate::commands::network::rows::*;
    use crate::format::Listing;

    fn network() -> Network {
        Network {
            name: "n1".to_owned(),
            id: "9fe25c5032cd37872e004b477c4791f93741fd31782b8b6bd04a7e7d1a58b077".to_owned(),
            created: "2026-11-20T23:59:02.691678802Z".parse().unwrap(),
            driver: "bridge".to_owned(),
            enable_ipv4: true,
            ..Network::default()
        }
    }

    #[test]
    fn the_json_line_is_the_recorded_one() {
        assert_eq!(
            row(&network(), false).json(),
            r#"{"CreatedAt":"2026-11-20 23:59:02.691678802 +0000 UTC","Driver":"bridge","ID":"9fe25c5032cd","IPv4":"true","IPv6":"false","Internal":"false","Labels":"","Name":"n1","Scope":"local"}"#
        );
    }

    #[test]
    fn the_table_is_the_recorded_one() {
        let text = Listing::new(&COLUMNS, None, false).unwrap();
        assert_eq!(
            text.render([&row(&network(), false)]).unwrap(),
            "NETWORK ID     NAME      DRIVER    SCOPE\n\
             9fe25c5032cd   n1        bridge    local\n"
        );
        let full = text.render([&row(&network(), true)]).unwrap();
        assert!(full.contains("9fe25c5032cd37872e004b477c4791f93741fd31782b8b6bd04a7e7d1a58b077"));
    }
}
