use coracle_image::Layer;

use super::*;

fn record(layer: &[u8]) -> Record {
    let layer = Layer {
        diff_id: Digest::of(layer),
        blob_digest: Digest::of(layer),
        blob_size: 1,
        media_type: String::new(),
        unpacked_size: 7,
        notes: Vec::new(),
        without_blob: true,
    };
    let created = coracle_runtime::clock::now();
    Record { layer, created, description: "RUN x".to_owned(), kind: Kind::Command, parent: None }
}

#[test]
fn a_result_comes_back_and_its_uses_are_counted() {
    let temp = tempfile::tempdir().unwrap();
    let cache = Cache::at(temp.path());
    cache.make().unwrap();
    let (id, made) = (Digest::of(b"id"), record(b"layer"));
    assert_eq!(cache.get(&id), None);
    cache.put(&id, &made).unwrap();
    assert_eq!(cache.get(&id), Some(made));
    cache.touch(&id);
    cache.touch(&id);
    let rows = usage(temp.path(), &[]);
    assert_eq!((rows.len(), rows[0].uses, rows[0].size), (1, 2, 7));
    assert!(!rows[0].in_use);
}

#[test]
fn a_step_is_carried_out_by_one() {
    let temp = tempfile::tempdir().unwrap();
    let cache = Cache::at(temp.path());
    cache.make().unwrap();
    let id = Digest::of(b"id");
    let lock = cache.try_lock(&id).unwrap().unwrap();
    assert!(cache.try_lock(&id).unwrap().is_none());
    drop(lock);
    assert!(cache.try_lock(&id).unwrap().is_some());
    assert!(names(&cache.root.join("locks")).is_empty());
}

#[test]
fn private_mounts_are_shared_one_after_the_other_alone() {
    use crate::instruction::mount::Sharing;
    let temp = tempfile::tempdir().unwrap();
    let cache = Cache::at(temp.path());
    cache.make().unwrap();
    let wanted = |sharing| mounts::Wanted { id: "npm", from: "", sharing, description: "npm" };
    let first = cache.hold(wanted(Sharing::Private)).unwrap().unwrap();
    let second = cache.hold(wanted(Sharing::Private)).unwrap().unwrap();
    assert_ne!(first.data, second.data);
    let data = first.data.clone();
    drop(first);
    assert_eq!(cache.hold(wanted(Sharing::Private)).unwrap().unwrap().data, data);
    let locked = cache.hold(wanted(Sharing::Locked)).unwrap().unwrap();
    assert!(cache.hold(wanted(Sharing::Locked)).unwrap().is_none());
    let shared = cache.hold(wanted(Sharing::Shared)).unwrap().unwrap();
    assert_eq!(shared.data, locked.data);
}

#[test]
fn a_mount_in_use_is_neither_pruned_nor_cleared() {
    use crate::instruction::mount::Sharing;
    let temp = tempfile::tempdir().unwrap();
    let cache = Cache::at(temp.path());
    cache.make().unwrap();
    for sharing in [Sharing::Shared, Sharing::Private, Sharing::Locked] {
        let wanted = mounts::Wanted { id: "npm", from: "", sharing, description: "npm" };
        let held = cache.hold(wanted).unwrap().unwrap();
        fs::create_dir_all(&held.data).unwrap();
        assert!(usage(temp.path(), &[])[0].in_use);
        let names = std::collections::HashSet::from(["npm".to_owned()]);
        cache.clear_mounts(&names);
        assert!(held.data.is_dir());
        drop(held);
        assert!(!usage(temp.path(), &[])[0].in_use);
        cache.clear_mounts(&std::collections::HashSet::from(["other".to_owned()]));
        assert!(cache.has_mounts(&names));
        cache.clear_mounts(&names);
        assert!(!cache.has_mounts(&names) && super::names(&cache.root.join("mounts")).is_empty());
        assert!(cache.hold(wanted).unwrap().unwrap().is_new);
    }
}

#[test]
fn what_killed_writers_left_goes_and_what_was_remembered_goes_with_the_last_result() {
    let temp = tempfile::tempdir().unwrap();
    let cache = Cache::at(temp.path());
    cache.make().unwrap();
    let (id, part) = (Digest::of(b"id"), Digest::of(b"part"));
    cache.put(&id, &record(b"layer")).unwrap();
    cache.put_content(&part, "digest").unwrap();
    let results = cache.root.join("results");
    // No process has the number 0, and this one lives.
    let own = format!("{}.new.{}", id.hex(), std::process::id());
    for name in [format!("{}.new.0", id.hex()), own.clone()] {
        fs::write(results.join(name), "").unwrap();
    }
    let held = cache.try_lock(&id).unwrap().unwrap();
    fs::write(cache.root.join("locks").join(part.hex()), "").unwrap();
    cache.sweep_unfinished();
    let mut left = names(&results);
    left.sort();
    assert_eq!(left, [id.hex(), own]);
    assert_eq!(names(&cache.root.join("locks")), [id.hex()]);
    drop(held);
    let hashes = cache.root.with_file_name(HASHES);
    fs::write(&hashes, "").unwrap();
    cache.forget_digests();
    assert_eq!(cache.content(&part), None);
    assert!(!hashes.exists());
}
