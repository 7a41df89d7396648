//! The containers of this user, as commands look at them.

use std::collections::BTreeMap;

use coracle_image::ImageError;
use coracle_image::store::ImageUser;
use coracle_runtime::engine::Summary;
use coracle_runtime::model::{Container, State};
use coracle_runtime::records::Life;

use crate::app::App;
use crate::error::CliError;
use crate::format::units;

/// A log beyond this is warned of: most who have one forgot it.
const LARGE_LOG_BYTES: u64 = 1_000_000_000;

/// A container and where it is in its life.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) container: Container,
    pub(crate) state: State,
    pub(crate) life: Life,
}

impl From<Summary> for Known {
    fn from(Summary { container, life }: Summary) -> Self {
        Self { container, state: life.state.clone(), life }
    }
}

/// All containers, newest first.
pub(crate) fn list(app: &App) -> Result<Vec<Known>, CliError> {
    Ok(app.engine()?.list()?.into_iter().map(Known::from).collect())
}

/// The container with this name, id, or unique beginning of an id.
pub(crate) fn find(app: &App, reference: &str) -> Result<Known, CliError> {
    let id = find_id(app, reference)?;
    Ok(app.engine()?.summary(&id)?.into())
}

/// The id of that container.
pub(crate) fn find_id(app: &App, reference: &str) -> Result<String, CliError> {
    let found = app.engine()?.records.find(reference);
    found.map_err(|error| CliError::from(coracle_runtime::EngineError::from(error)))
}

/// Bytes of a container's log, with what was rotated.
pub(crate) fn log_size(app: &App, known: &Known) -> Result<u64, CliError> {
    let path = app.engine()?.paths().log(&known.container.id);
    Ok(coracle_runtime::logs::size(&path))
}

/// A warning for each container whose log is larger than anybody wants it.
pub(crate) fn large_logs(app: &App, known: &[Known]) -> Result<Vec<String>, CliError> {
    let mut warnings = Vec::new();
    for known in known {
        let bytes = log_size(app, known)?;
        if bytes > LARGE_LOG_BYTES {
            warnings.push(format!(
                "the log of container {} takes {}; `rm` of the container frees it, and \
                 `--log-opt max-size=10m` or \"log-opts\" in the settings bound the next",
                known.container.name,
                units::human_size(bytes)
            ));
        }
    }
    Ok(warnings)
}

/// Bytes a container has written, and with its image.
pub(crate) fn size(app: &mut App, known: &Known) -> Result<(u64, u64), CliError> {
    app.store()?;
    let (engine, session, store) = app.engine_and_store()?;
    let size = engine.size(session, store, &known.container);
    Ok((size.rw, size.root_fs))
}

/// The containers that keep images in use. Of a record that only a newer version reads, its
/// image and layers are known all the same.
pub(crate) fn image_users(app: &App) -> Result<Vec<ImageUser>, ImageError> {
    let engine =
        app.engine().map_err(|error| ImageError::Users { source: error.message.into() })?;
    let all = engine.list().map_err(|error| ImageError::Users { source: Box::new(error) })?;
    let unreadable = engine.unreadable_image_users();
    let all = all.into_iter().map(Known::from);
    let mut users: Vec<ImageUser> = all
        .flat_map(|Known { container, state, .. }| {
            let mounted = container.mounts.iter().map(|mount| (&mount.image, &mount.layers));
            // One that is mounted twice, or is the container's own, is used once.
            let images: BTreeMap<_, _> =
                mounted.chain([(&container.image, &container.layers)]).collect();
            let running = state.status.is_running();
            let user = |(image, layers): (&String, &Vec<String>)| {
                image_user(&container.id, running, image, layers)
            };
            images.into_iter().filter_map(user).collect::<Vec<_>>()
        })
        .collect();
    users.extend(
        unreadable
            .iter()
            .filter_map(|(container, image, layers)| image_user(container, false, image, layers)),
    );
    Ok(users)
}

fn image_user(container: &str, running: bool, image: &str, layers: &[String]) -> Option<ImageUser> {
    Some(ImageUser {
        running,
        image: image.parse().ok()?,
        layers: layers.iter().filter_map(|id| id.parse().ok()).collect(),
        container: container.to_owned(),
    })
}
