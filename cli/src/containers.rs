//! The containers of this user, as commands look at them.

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
    Ok(app.engine()?.log_size(&known.container))
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
    let (engine, session, store) = app.home.engine_and_store()?;
    let size = engine.size(session, store, &known.container);
    Ok((size.rw, size.root_fs))
}
