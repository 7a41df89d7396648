//! Images of services: which a service keeps, and whether a registry is asked for its digest.

use std::str::FromStr;

use super::IMAGE;
use crate::model::{Service, ServiceSpec};

/// `--resolve-image`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Resolve {
    #[default]
    Always,
    Changed,
    Never,
}

/// Another word was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid option {0} for flag --resolve-image")]
pub struct InvalidResolve(String);

impl FromStr for Resolve {
    type Err = InvalidResolve;

    fn from_str(text: &str) -> Result<Self, InvalidResolve> {
        match text {
            "always" => Ok(Self::Always),
            "changed" => Ok(Self::Changed),
            "never" => Ok(Self::Never),
            other => Err(InvalidResolve(other.to_owned())),
        }
    }
}

impl Resolve {
    /// Whether the registry is asked for the image of a service that is there already, or not. Where it is not and
    /// the file names the same image as before, the service keeps what it has.
    #[must_use]
    pub fn asks(self, known: Option<&Service>, spec: &mut ServiceSpec) -> bool {
        let Some(known) = known else { return self != Self::Never };
        let same = known.spec.labels.get(IMAGE) == spec.labels.get(IMAGE);
        match self {
            Self::Always => true,
            Self::Changed if !same => true,
            _ => {
                if same {
                    let image = &known.spec.task_template.container_spec.image;
                    spec.task_template.container_spec.image.clone_from(image);
                }
                false
            }
        }
    }
}
