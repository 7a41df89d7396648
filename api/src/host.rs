//! What the API needs to know from above: settings, and images that are not stored yet.

use coracle_image::RegistrySettings;
use coracle_runtime::Home;
use coracle_runtime::engine::ImageFacts;
use coracle_view::Now;
use serde_json::Value;

use crate::error::ApiError;

/// The program that the API is part of.
pub trait Host {
    /// Engine, store and session.
    fn home(&self) -> &Home;

    fn home_mut(&mut self) -> &mut Home;

    /// Enters the user's namespaces, and takes care of what killed monitors left.
    ///
    /// # Errors
    /// When this user has none.
    fn enter(&mut self, starts: bool) -> Result<(), ApiError>;

    /// Takes care of what killed monitors left, but for the container of that name, with which this request deals.
    fn recover(&mut self, spared: Option<&str>);

    fn now(&self) -> Now;

    /// Makes the image of that name, if it is part of this program and not stored yet.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn prepare(&mut self, name: &str) -> Result<(), ApiError>;

    /// The image of that name or id, as a container needs it; made first if it is part of this program.
    ///
    /// # Errors
    /// When it is not here.
    fn image(&mut self, name: &str, platform: Option<&str>) -> Result<ImageFacts, ApiError>;

    /// How registries are reached.
    fn registries(&self) -> RegistrySettings;

    /// What `GET /info` answers.
    ///
    /// # Errors
    /// As [`coracle_view::system::info`].
    fn info(&self) -> Result<Value, ApiError>;

    /// The version of this program.
    fn version(&self) -> &str;

    /// The commit that it was built from.
    fn build(&self) -> &str;
}
