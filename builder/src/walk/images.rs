//! What is known of the images that stages begin with.

use coracle_image::{Platform, Reference};

/// Knows images; asked once for each stage that begins with one.
pub trait Bases {
    fn base(&self, name: &Reference, platform: &Platform) -> Base;
}

#[derive(Debug, Clone)]
pub enum Base {
    /// Nobody knows what it sets.
    Unknown,
    Known(Box<BaseImage>),
}

/// What a stage takes over from its image.
#[derive(Debug, Clone, Default)]
pub struct BaseImage {
    /// `NAME=VALUE`.
    pub env: Vec<String>,
    pub shell: Vec<String>,
    /// Instructions that a build on it begins with.
    pub on_build: Vec<String>,
    pub working_dir: String,
    /// What it was made for, where it says so.
    pub platform: Option<Platform>,
}
