//! Volumes.

use coracle_runtime::EngineError;
use coracle_runtime::volumes::{CreateVolume, Filter};
use coracle_view::value_of;
use coracle_view::volume::{self, document};
use serde_json::{Value, json};

use super::{filters, pairs};
use crate::answer::Answer;
use crate::error::ApiError;
use crate::json::{read_or_default, take, text};
use crate::worker::Call;

pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let volumes = volume::list(call.host.home(), &filters(call.request)?, None)?;
    let all =
        volumes.iter().map(|volume| value_of(&volume.inspect())).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "Volumes": all, "Warnings": null }).into())
}

pub(crate) fn inspect(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    Ok(document(call.host.home(), call.request.parameter(0), None)?.into())
}

pub(crate) fn create(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let mut body = call.request.json()?;
    let name = text(&mut body, "Name");
    if !take(&mut body, "ClusterVolumeSpec").is_null() {
        return Err(ApiError::unsupported("ClusterVolumeSpec", "there are no cluster volumes"));
    }
    let request = CreateVolume {
        name: (!name.is_empty()).then_some(name),
        driver: text(&mut body, "Driver"),
        labels: read_or_default(take(&mut body, "Labels"), "Labels")?,
        options: read_or_default(take(&mut body, "DriverOpts"), "DriverOpts")?,
        passing: false,
    };
    let volume = call.host.home().engine()?.create_volume(request)?;
    Ok(Answer::Json(201, value_of(&volume.inspect())?))
}

pub(crate) fn remove(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    call.host.enter(false)?;
    let force = call.request.is_set("force");
    call.host.home().engine()?.remove_volume(call.request.parameter(0), force)?;
    Ok(Answer::Empty(204))
}

pub(crate) fn prune(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let given = filters(call.request)?;
    let is_true = |value: &str| matches!(value, "1" | "true" | "t" | "True" | "TRUE");
    let all = given.iter().any(|filter| filter.key == "all" && is_true(&filter.value));
    let filter = Filter::for_prune(pairs(&given)).map_err(EngineError::from)?;
    call.host.enter(false)?;
    let pruned = call.host.home().engine()?.prune_volumes(all, &filter, |_| false)?;
    let Some(pruned) = pruned else {
        let text = "no volume is removed while the record of a container cannot be read";
        return Err(ApiError::new(500, text));
    };
    let names: Vec<Value> = pruned.names.into_iter().map(Value::from).collect();
    Ok(json!({ "VolumesDeleted": names, "SpaceReclaimed": pruned.bytes }).into())
}

/// Cluster volumes alone have something to change, and there are none.
pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, ApiError> {
    let swarm = if call.host.manager().is_ok() { "there are none" } else { "swarm is unavailable" };
    let words = format!("volume update only valid for cluster volumes, but {swarm}");
    Err(ApiError::new(503, words))
}
