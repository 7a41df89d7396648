//! What a registry would serve for one image, and pulling it.

use std::collections::HashMap;

use coracle_image::{Digest, PullOptions, Silent, TransferError, pull};

use super::http::{Request, Response, Server};
use super::images::{OCI_INDEX, OCI_MANIFEST, Pieces, TestStore, descriptor, name, settings};

/// What a healthy registry would serve for `x:1`.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) manifests: HashMap<String, (String, Vec<u8>)>,
    pub(crate) blobs: HashMap<String, Vec<u8>>,
}

impl Content {
    pub(crate) fn of(pieces: &Pieces) -> Self {
        let mut content = Self::default();
        content.manifest("1", OCI_MANIFEST, &pieces.manifest);
        content.blob(&pieces.config);
        for (blob, _) in &pieces.layers {
            content.blob(blob);
        }
        content
    }

    /// An index as `1`, of images for the platforms named.
    pub(crate) fn index(entries: &[(&str, &Pieces)]) -> Self {
        let mut content = Self::default();
        let mut list = Vec::new();
        for (platform, pieces) in entries {
            let (os, architecture) = platform.split_once('/').unwrap();
            let more = format!(r#","platform":{{"os":"{os}","architecture":"{architecture}"}}"#);
            list.push(descriptor(OCI_MANIFEST, &pieces.manifest, &more));
            let one = Self::of(pieces);
            content.manifests.extend(one.manifests);
            content.blobs.extend(one.blobs);
        }
        let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, list.join(","));
        content.manifest("1", OCI_INDEX, text.as_bytes());
        content
    }

    pub(crate) fn manifest(&mut self, tag: &str, media_type: &str, bytes: &[u8]) {
        for key in [tag.to_owned(), Digest::of(bytes).to_string()] {
            self.manifests.insert(key, (media_type.to_owned(), bytes.to_vec()));
        }
    }

    pub(crate) fn blob(&mut self, bytes: &[u8]) {
        self.blobs.insert(Digest::of(bytes).to_string(), bytes.to_vec());
    }

    pub(crate) fn answer(&self, request: &Request) -> Response {
        if let Some(key) = request.target.strip_prefix("/v2/x/manifests/") {
            return match self.manifests.get(key) {
                Some((media_type, bytes)) => {
                    Response::new(200, bytes.clone()).header("Content-Type", media_type)
                }
                None => Response::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#),
            };
        }
        if let Some(key) = request.target.strip_prefix("/v2/x/blobs/") {
            let Some(bytes) = self.blobs.get(key) else { return Response::new(404, "") };
            let from = request.headers.get("range").map_or(0, |range| {
                range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap()
            });
            return Response::new(206, &bytes[from..]);
        }
        Response::new(200, "{}")
    }
}

/// Pulls `x:1` from the server into a new store.
pub(crate) fn pull_from(server: &Server) -> Result<Digest, TransferError> {
    let to = TestStore::new();
    let reference = name(&format!("{}/x:1", server.host));
    let outcome = pull(&to.store, &settings(), &reference, &PullOptions::default(), &Silent);
    if outcome.is_err() {
        assert!(to.store.images().unwrap().is_empty(), "a failed pull leaves no image");
    }
    outcome.map(|outcome| outcome.image_id)
}
