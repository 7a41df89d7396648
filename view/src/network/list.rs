//! The networks that a list has.

use coracle_runtime::Home;
use coracle_runtime::networks::{Filter as NetworkFilter, Network};
use coracle_words::natural;

use crate::ViewError;
use crate::filter::Filter;

/// The networks that pass the filters of `network ls`, by name.
///
/// # Errors
/// For a filter that there is not, or when the records cannot be read.
pub fn list(home: &Home, filters: &[Filter]) -> Result<Vec<Network>, ViewError> {
    let pairs = filters.iter().map(|f| (f.key.as_str(), f.value.as_str()));
    let filter = NetworkFilter::for_list(pairs)?;
    let engine = home.engine()?;
    let mut networks = super::all(home)?;
    networks
        .retain(|network| filter.matches(network, || !engine.network_users(network).is_empty()));
    networks.sort_by_key(|network| natural(&network.name));
    Ok(networks)
}
