//! Which name leads to which image.

use std::collections::HashMap;

use coracle_image::{Digest, ImageError, Reference};
use coracle_runtime::Home;
use coracle_runtime::damage::{Damaged, in_one_line};
use coracle_runtime::model::Container;

use crate::ViewError;

/// What the store says; `None`, with a warning, when its index cannot be read, for commands
/// that have more to tell.
pub fn readable<T>(home: &Home, read: Result<T, ImageError>) -> Result<Option<T>, ViewError> {
    match read {
        Err(error) if error.is_index_unreadable() => {
            home.engine()?.damage.note(Damaged {
                kind: "image",
                id: "index".to_owned(),
                why: in_one_line(&error),
                cure: error.hint().unwrap_or_default(),
            });
            Ok(None)
        }
        read => Ok(Some(read?)),
    }
}

/// Which name leads to which image now, read once for a whole list.
#[derive(Debug)]
pub struct ImageNames(Option<HashMap<String, Digest>>);

impl ImageNames {
    /// Of an index that cannot be read: a container's image is what it was called.
    #[must_use]
    pub fn unknown() -> Self {
        Self(None)
    }

    /// # Errors
    /// When the store cannot be read. An index that cannot is noted, and no name is known then.
    pub fn read(home: &Home) -> Result<Self, ViewError> {
        let mut names = HashMap::new();
        let Some(images) = readable(home, home.store()?.images())? else { return Ok(Self(None)) };
        for image in images {
            for name in image.names.iter().chain(&image.repo_digests) {
                names.insert(name.to_string(), image.id);
            }
        }
        Ok(Self(Some(names)))
    }

    /// The image of a container as it was named, or its id when that name has
    /// moved to another image: in full, and in few characters.
    #[must_use]
    pub fn shown(&self, container: &Container) -> (String, String) {
        let typed = container.image_name.as_str();
        let as_typed = || (typed.to_owned(), typed.to_owned());
        let Some(names) = &self.0 else { return as_typed() };
        let Ok(name) = Reference::parse(typed) else { return as_typed() };
        // A digest is what counts, whatever tag stands before it.
        let bare = name.digest().and_then(|digest| name.with_digest(digest).ok());
        let complete = bare.unwrap_or_else(|| name.clone().with_default_tag()).to_string();
        match names.get(&complete) {
            Some(id) if id.to_string() == container.image => match (name.digest(), name.tag()) {
                (Some(_), Some(tag)) => {
                    (typed.to_owned(), format!("{}:{tag}", name.familiar_repository()))
                }
                (Some(_), None) => (typed.to_owned(), name.familiar_repository()),
                (None, _) => as_typed(),
            },
            // A beginning of the id, as typed.
            _ if !typed.is_empty() && hex_of(&container.image).starts_with(typed) => as_typed(),
            _ => {
                let id = &container.image;
                (id.clone(), coracle_image::short_id(id).to_owned())
            }
        }
    }
}

fn hex_of(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}
