//! Carries plans out: keys, steps side by side, layers, the cache, what becomes of the result.
//!
//! # How it works
//!
//! One process with one thread: it forks for whatever takes long (copying files, hashing a layer), has monitors for
//! commands, and waits for all of them in one `poll`. It enters the user's namespaces when the first step has to be
//! carried out; a build whose steps are all in the cache does without.
//!
//! Steps live in a home of their own, `builder/` in the data root: nobody sees them among his containers, networks and
//! events. Layers are those of all images.
//!
//! # Keys
//!
//! A result has an id: the digest of its operation, the id of what it stands on, and the content of what it takes.
//! Whoever makes the same finds it by that id, on whatever machine.

mod error;
mod surroundings;

use coracle_image::config::ImageConfig;
use coracle_image::{Digest, Layer, Reference};

pub use error::BuildError;
pub use surroundings::{Surroundings, Trouble};

/// What came of a request.
#[derive(Debug, Clone)]
pub struct Built {
    /// Its place among the requests.
    pub request: usize,
    /// Id and manifest of the image in the store, when it went there.
    pub image: Option<(Digest, Digest)>,
    pub names: Vec<Reference>,
    pub config: ImageConfig,
    pub layers: Vec<Layer>,
}
