//! The containers of this user: all of them, one by its name, and what they take.

use coracle_runtime::Home;
use coracle_runtime::engine::Summary;
use coracle_runtime::model::{Container, State};
use coracle_runtime::records::{Life, RecordError};

use super::seen;
use crate::ViewError;

/// A log beyond this is told of: most who have one forgot it.
const LARGE_LOG_BYTES: u64 = 1_000_000_000;

/// A container and where it is in its life.
#[derive(Debug, Clone)]
pub struct Known {
    pub container: Container,
    pub state: State,
    pub life: Life,
}

impl From<Summary> for Known {
    fn from(Summary { container, life }: Summary) -> Self {
        Self { container, state: life.state.clone(), life }
    }
}

/// All containers that the home shows, newest first.
pub fn list(home: &Home) -> Result<Vec<Known>, ViewError> {
    let all = home.engine()?.list()?.into_iter().map(Known::from);
    let owner = &home.settings().owner;
    let is_own = |known: &Known| owner.is_none() || known.container.owner == *owner;
    let is_shown = |known: &Known| {
        is_own(known) && home.scope().is_none_or(|scope| scope.has(&known.container))
    };
    let as_seen = |mut known: Known| {
        let mounts = known.container.mounts.iter_mut();
        seen::mounts(home.scope(), mounts.map(|mount| &mut mount.point));
        known
    };
    Ok(all.filter(is_shown).map(as_seen).collect())
}

/// The container with this name, id, or unique beginning of an id.
pub fn find(home: &Home, reference: &str) -> Result<Known, ViewError> {
    let id = find_id(home, reference)?;
    Ok(home.engine()?.summary(&id)?.into())
}

/// The id of that container.
pub fn find_id(home: &Home, reference: &str) -> Result<String, ViewError> {
    let engine = home.engine()?;
    let id = engine.records.find_on(home.scope().map(|scope| scope.number), reference)?;
    match home.scope() {
        // It is of another node.
        Some(scope) if !scope.has(&engine.summary(&id)?.container) => {
            Err(RecordError::NotFound { reference: reference.to_owned() }.into())
        }
        _ => Ok(id),
    }
}

/// Bytes of a container's log, with what was rotated.
pub fn log_size(home: &Home, known: &Known) -> Result<u64, ViewError> {
    Ok(home.engine()?.log_size(&known.container))
}

/// Containers whose log is larger than anybody wants it, and its bytes.
///
/// # Errors
/// When the engine cannot be opened.
pub fn large_logs<'a>(
    home: &Home,
    known: &'a [Known],
) -> Result<Vec<(&'a Container, u64)>, ViewError> {
    let mut large = Vec::new();
    for known in known {
        let bytes = log_size(home, known)?;
        if bytes > LARGE_LOG_BYTES {
            large.push((&known.container, bytes));
        }
    }
    Ok(large)
}

/// Bytes a container has written, and with its image.
pub fn size(home: &mut Home, known: &Known) -> Result<(u64, u64), ViewError> {
    let (engine, session, store) = home.engine_and_store()?;
    let size = engine.size(session, store, &known.container);
    Ok((size.rw, size.root_fs))
}
