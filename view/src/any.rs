//! Finding whatever has a name: what `inspect` does when no kind is said.

use coracle_image::Image;
use coracle_runtime::networks::{Network, NetworkError};
use coracle_runtime::volumes::VolumeError;
use coracle_runtime::{EngineError, Home};

use crate::container::{self, Known};
use crate::{ViewError, image, network, volume};

/// What was found under a name.
#[derive(Debug)]
pub enum Found {
    Container(Box<Known>),
    Image(Box<Image>),
    Network(Box<Network>),
    Volume,
}

/// Containers come before images, then networks, then volumes. What is there and cannot be read
/// is an error, not the next kind's turn.
///
/// # Errors
/// When nothing has that name.
pub fn find_any(home: &Home, name: &str, node: Option<u8>) -> Result<Found, ViewError> {
    match container::find(home, name) {
        Ok(known) => return Ok(Found::Container(Box::new(known))),
        Err(error) if container::find_id(home, name).is_ok() => return Err(error),
        Err(_) => {}
    }
    let unreadable_index = match image::find(home, name) {
        Ok(image) => return Ok(Found::Image(Box::new(image))),
        Err(ViewError::Image(error)) if error.is_index_unreadable() => Some(error),
        Err(ViewError::Image(_)) => None,
        Err(error) => return Err(error),
    };
    match network::find(home, name) {
        Ok(network) => return Ok(Found::Network(Box::new(network))),
        Err(error @ ViewError::Engine(EngineError::Network(NetworkError::Damaged { .. }))) => {
            return Err(error);
        }
        Err(_) => {}
    }
    match (volume::find(home, name, node), unreadable_index) {
        (Ok(_), _) => Ok(Found::Volume),
        (Err(error @ ViewError::Engine(EngineError::Volume(VolumeError::Damaged { .. }))), _) => {
            Err(error)
        }
        // It may be an image.
        (Err(_), Some(error)) => Err(error.into()),
        (Err(_), None) => Err(ViewError::NoSuchObject { name: name.to_owned() }),
    }
}
