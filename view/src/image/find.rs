//! Finding an image by what the user typed.

use coracle_image::{Image, ImageError, Platform, PlatformError};
use coracle_runtime::Home;

use crate::ViewError;

/// An image, and the name that the store has it under.
#[derive(Debug)]
pub struct Resolved {
    pub image: Image,
    pub stored: String,
}

/// Finds an image by what the user typed, with aliases and search registries.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub fn resolve(home: &Home, text: &str) -> Result<Resolved, ViewError> {
    let store = home.store()?;
    let missing = match store.find(text) {
        Ok(image) => return Ok(Resolved { image, stored: text.to_owned() }),
        Err(error @ ImageError::NoSuchImage { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    for name in home.names().candidates(text).unwrap_or_default() {
        let stored = name.to_string();
        if let Ok(image) = store.find(&stored) {
            return Ok(Resolved { image, stored });
        }
    }
    Err(missing.into())
}

/// The image alone.
///
/// # Errors
/// As [`resolve`].
pub fn find(home: &Home, text: &str) -> Result<Image, ViewError> {
    Ok(resolve(home, text)?.image)
}

/// The name under which the store has an image; the text itself when it has none.
#[must_use]
pub fn stored_name(home: &Home, text: &str) -> String {
    resolve(home, text).map_or_else(|_| text.to_owned(), |found| found.stored)
}

/// `--platform` of commands that look at one image.
pub fn find_for(home: &Home, text: &str, wanted: Option<&str>) -> Result<Image, ViewError> {
    let Some(wanted) = platform(wanted)? else { return find(home, text) };
    if let Some(image) = home.store()?.find_variant(&stored_name(home, text), &wanted)? {
        return Ok(image);
    }
    find(home, text)?;
    Err(ViewError::OtherPlatform { name: text.to_owned(), wanted: wanted.to_string() })
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
