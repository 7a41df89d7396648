//! Which images and layers the containers keep in use.

use std::collections::BTreeMap;

use coracle_image::store::ImageUser;
use coracle_image::{Digest, ImageError};

use crate::Engine;

/// The containers that keep images in use. Of a record that only a newer version reads, its
/// image and layers are known all the same.
///
/// # Errors
/// When the records cannot be read: then nobody can tell.
pub fn image_users(engine: &Engine) -> Result<Vec<ImageUser>, ImageError> {
    let all = engine.list().map_err(|error| ImageError::Users { source: Box::new(error) })?;
    let mut users: Vec<ImageUser> = all
        .into_iter()
        .flat_map(|summary| {
            let container = summary.container;
            let mounted = container.mounts.iter().map(|mount| (&mount.image, &mount.layers));
            // One that is mounted twice, or is the container's own, is used once.
            let images: BTreeMap<_, _> =
                mounted.chain([(&container.image, &container.layers)]).collect();
            let running = summary.life.state.status.is_running();
            let user = |(image, layers): (&String, &Vec<Digest>)| {
                image_user(&container.id, running, image, layers.clone())
            };
            images.into_iter().filter_map(user).collect::<Vec<_>>()
        })
        .collect();
    users.extend(
        engine
            .unreadable_image_users()
            .into_iter()
            .filter_map(|(container, image, layers)| image_user(&container, false, &image, layers)),
    );
    Ok(users)
}

fn image_user(
    container: &str,
    running: bool,
    image: &str,
    layers: Vec<Digest>,
) -> Option<ImageUser> {
    Some(ImageUser { running, image: image.parse().ok()?, layers, container: container.to_owned() })
}
