//! The volumes that a list has.

use coracle_runtime::Home;
use coracle_runtime::volumes::{Filter as VolumeFilter, Volume};

use crate::ViewError;
use crate::filter::Filter;

/// The volumes that pass the filters of `volume ls`.
///
/// # Errors
/// For a filter that there is not, or when the records cannot be read.
pub fn list(home: &Home, filters: &[Filter]) -> Result<Vec<Volume>, ViewError> {
    let pairs = filters.iter().map(|f| (f.key.as_str(), f.value.as_str()));
    let filter = VolumeFilter::for_list(pairs)?;
    let engine = home.engine()?;
    let users = engine.users_of_volumes()?;
    let mut volumes = engine.volumes.list()?;
    volumes.retain(|volume| filter.matches(volume, || !users.of(volume).is_empty()));
    Ok(volumes)
}
