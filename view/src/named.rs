//! The names that there are, for whoever mistyped one.

use coracle_image::DEFAULT_TAG;
use coracle_runtime::Home;

use crate::Object;

/// The names of a kind. What cannot be listed has none to offer.
#[must_use]
pub fn names_of(home: &Home, object: Object) -> Vec<String> {
    let Ok(engine) = home.engine() else { return Vec::new() };
    match object {
        Object::Container => {
            let all = engine.list().unwrap_or_default();
            all.into_iter().map(|summary| summary.container.name).collect()
        }
        Object::Network => {
            engine.networks.list().unwrap_or_default().into_iter().map(|one| one.name).collect()
        }
        Object::Volume => {
            engine.volumes.list().unwrap_or_default().into_iter().map(|one| one.name).collect()
        }
        Object::Image => {
            let images = home.store().ok().and_then(|store| store.images().ok());
            let names = images.into_iter().flatten().flat_map(|image| image.names);
            names.map(|name| without_tag(&name.familiar()).to_owned()).collect()
        }
        Object::Any => [Object::Container, Object::Image, Object::Network, Object::Volume]
            .into_iter()
            .flat_map(|object| names_of(home, object))
            .collect(),
    }
}

/// `alpine` for `alpine:latest`, which means the same.
#[must_use]
pub fn without_tag(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((bare, DEFAULT_TAG)) => bare,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::without_tag;

    #[test]
    fn only_the_implied_tag_goes() {
        assert_eq!(without_tag("alpine:latest"), "alpine");
        assert_eq!(without_tag("alpine:3.20"), "alpine:3.20");
        assert_eq!(without_tag("127.0.0.1:5000/h"), "127.0.0.1:5000/h");
    }
}
