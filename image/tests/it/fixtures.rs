//! Archives found in the wild: each is unpacked, or refused with a reason.

use std::fs::File;
use std::path::{Path, PathBuf};

use coracle_image::store::decoder;

use crate::support::{World, chain, is_root, shared, skip};

fn tars_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tars_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Unpacks every file below `dir` as if it were a layer.
fn outcomes(dir: &Path) -> String {
    let mut lines = Vec::new();
    for path in tars_below(dir) {
        let world = World::new();
        let mut bytes = Vec::new();
        let (_, mut reader) = decoder(File::open(&path).unwrap()).unwrap();
        std::io::copy(&mut reader, &mut bytes).unwrap();
        let outcome = match world.unpack(&bytes) {
            Ok(unpacked) => {
                let notes = unpacked.notes.join("; ");
                format!("{} entries, {} bytes {notes}", unpacked.entries, unpacked.file_bytes)
            }
            Err(error) => chain(&error),
        };
        let name = path.strip_prefix(dir).unwrap().display();
        lines.push(format!("{name}: {}", outcome.trim_end()));
    }
    lines.join("\n")
}

#[test]
fn layers_and_corner_cases() {
    let test = "layers_and_corner_cases";
    if !is_root() {
        return skip(test, "needs root");
    }
    let Some(dir) = shared(test, "images/oci-fixtures/layers") else { return };
    insta::assert_snapshot!(outcomes(&dir));
}

#[test]
fn hostile_archives() {
    let test = "hostile_archives";
    let Some(dir) = shared(test, "images/oci-fixtures/hostile") else { return };
    insta::assert_snapshot!(outcomes(&dir));
}
