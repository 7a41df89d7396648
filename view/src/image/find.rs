//! Finding an image by what the user typed.

use coracle_image::{Image, ImageError, Platform, PlatformError};
use coracle_runtime::Home;

use crate::ViewError;

/// Finds an image by what the user typed, with aliases and search registries.
pub fn find(home: &Home, text: &str) -> Result<Image, ViewError> {
    Ok(home.store()?.find(&stored_name(home, text))?)
}

/// The name under which the store has an image; the text itself when it has none.
pub fn stored_name(home: &Home, text: &str) -> String {
    let Ok(store) = home.store() else { return text.to_owned() };
    if !matches!(store.find(text), Err(ImageError::NoSuchImage { .. })) {
        return text.to_owned();
    }
    home.names()
        .candidates(text)
        .unwrap_or_default()
        .into_iter()
        .map(|name| name.to_string())
        .find(|name| store.find(name).is_ok())
        .unwrap_or_else(|| text.to_owned())
}

/// `--platform` of commands that look at one image.
pub fn find_for(home: &Home, text: &str, wanted: Option<&str>) -> Result<Image, ViewError> {
    let Some(wanted) = platform(wanted)? else { return find(home, text) };
    if let Some(image) = home.store()?.find_variant(&stored_name(home, text), &wanted)? {
        return Ok(image);
    }
    let own = find(home, text)?.platform();
    Err(ViewError::OtherPlatform {
        name: text.to_owned(),
        own: own.to_string(),
        wanted: wanted.to_string(),
    })
}

/// The value of a `--platform` flag; an empty one is as good as none.
pub fn platform(text: Option<&str>) -> Result<Option<Platform>, ViewError> {
    let given = text.filter(|text| !text.is_empty());
    given.map(str::parse).transpose().map_err(|e: PlatformError| ViewError::Platform(e.to_string()))
}

/// A name as it is repeated to the user: with the tag it implies.
pub fn with_tag(home: &Home, text: &str) -> Result<String, ViewError> {
    let name = home.names().resolve(text).map_err(ImageError::from)?;
    Ok(name.with_default_tag().familiar())
}
