//! Artifacts in folders, and layers with other times.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use coracle_image::{
    Artifact, ArtifactPlace, Digest, FoundArtifact, Layer, Store, fetch_artifact_layer,
    find_artifact, put_artifact,
};

use crate::support::{chain, lines, open_store};

const TYPE: &str = "application/vnd.example.v1+json";
const EPOCH: u64 = 1_000_000_000;

fn layer(store: &Store, root: &Path) -> Layer {
    let upper = root.join("upper");
    std::fs::create_dir_all(upper.join("dir")).unwrap();
    for (name, time) in [("new", EPOCH + 7), ("old", EPOCH - 7)] {
        let file = std::fs::File::create(upper.join("dir").join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(time)).unwrap();
    }
    let kind = rustix::fs::FileType::CharacterDevice;
    let gone = upper.join("dir/gone");
    rustix::fs::mknodat(rustix::fs::CWD, gone, kind, rustix::fs::Mode::empty(), 0).unwrap();
    store.adopt_folder(&upper, &|_| false).unwrap()
}

fn found(place: &ArtifactPlace<'_>) -> Artifact {
    match find_artifact(place, TYPE).unwrap() {
        Some(FoundArtifact::Artifact(artifact)) => artifact,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_artifact_in_a_folder_brings_its_layers_back() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let made = layer(&store, root.path());
    let place = ArtifactPlace::Folder(root.path().join("cache"));
    assert!(find_artifact(&place, TYPE).unwrap().is_none());
    let told = std::cell::RefCell::new(Vec::new());
    let tell = |what: &str, done: bool| told.borrow_mut().push((what.to_owned(), done));
    let put = |config: &[u8]| {
        put_artifact(&store, &place, std::slice::from_ref(&made), (config, TYPE), &tell).unwrap()
    };
    let first = put(b"{}");
    assert_eq!(told.borrow()[0].0.split(' ').take(2).collect::<Vec<_>>(), ["writing", "layer"]);
    assert_eq!(told.borrow().last().unwrap().0, format!("writing cache image manifest {first}"));
    assert_ne!(put(b"{\"a\":1}"), first);

    let artifact = found(&place);
    assert_eq!((&artifact.config[..], artifact.layers.len()), (&b"{\"a\":1}"[..], 1));
    assert_eq!(artifact.layers[0].diff_id, made.diff_id);
    let other = tempfile::tempdir().unwrap();
    let taken = open_store(other.path());
    let back = fetch_artifact_layer(&taken, &place, &artifact.layers[0]).unwrap();
    assert_eq!(back.diff_id, made.diff_id);
    let folder = |store: &Store| lines(&store.layer_dir(&made.diff_id));
    assert_eq!(folder(&taken), folder(&store));

    // What is something else is told, and what is damaged is not taken.
    match find_artifact(&place, "application/other").unwrap() {
        Some(FoundArtifact::Other { media_type }) => assert_eq!(media_type, TYPE),
        other => panic!("{other:?}"),
    }
    let blob = format!("cache/blobs/sha256/{}", artifact.layers[0].blob.digest.hex());
    std::fs::write(root.path().join(blob), "junk").unwrap();
    let third = tempfile::tempdir().unwrap();
    let error = fetch_artifact_layer(&open_store(third.path()), &place, &artifact.layers[0]);
    assert!(chain(&error.unwrap_err()).contains("blob has 4 bytes instead of"));
    let config = format!("cache/blobs/sha256/{}", Digest::of(&artifact.config).hex());
    std::fs::write(root.path().join(config), "{}").unwrap();
    assert!(chain(&find_artifact(&place, TYPE).unwrap_err()).contains("is damaged"));
}

#[test]
fn later_times_become_the_latest_and_earlier_ones_stay() {
    let root = tempfile::tempdir().unwrap();
    let store = open_store(root.path());
    let made = layer(&store, root.path());
    let latest = i64::try_from(EPOCH).unwrap();
    let set = store.with_times_until(&made, latest).unwrap();
    assert_ne!(set.diff_id, made.diff_id);
    assert!(set.without_blob);
    let time = |layer: &Layer, name: &str| {
        let path = store.layer_dir(&layer.diff_id).join("dir").join(name);
        std::fs::metadata(path).unwrap().mtime()
    };
    assert_eq!(
        [time(&set, ""), time(&set, "new"), time(&set, "old")],
        [latest, latest, latest - 7]
    );
    assert_eq!(time(&made, "new"), latest + 7);
    assert_eq!(store.with_times_until(&set, latest).unwrap(), set);
    let mut bytes = Vec::new();
    store.write_layer(&set, &mut bytes).unwrap();
    assert_eq!(Digest::of(&bytes), set.diff_id);
}
