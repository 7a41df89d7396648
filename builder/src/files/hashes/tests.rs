use super::*;

fn stat(path: &Path) -> Stat {
    rustix::fs::stat(path).unwrap()
}

fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

#[test]
fn remembered_while_nothing_changes() {
    let temp = tempfile::tempdir().unwrap();
    let (file, store) = (temp.path().join("f"), temp.path().join("hashes"));
    fs::write(&file, "one").unwrap();
    let mut hashes = Hashes::open(&store);
    hashes.put(&stat(&file), [1; 32], SystemTime::now());
    assert_eq!(hashes.get(&stat(&file), later()), None, "too young to be trusted");
    hashes.put(&stat(&file), [1; 32], later());
    hashes.save().unwrap();
    let mut hashes = Hashes::open(&store);
    assert_eq!(hashes.get(&stat(&file), later()), Some([1; 32]));
    fs::write(&file, "two").unwrap();
    assert_eq!(hashes.get(&stat(&file), later()), None);
}

#[test]
fn a_damaged_file_is_none() {
    let temp = tempfile::tempdir().unwrap();
    let (file, store) = (temp.path().join("f"), temp.path().join("hashes"));
    fs::write(&file, "one").unwrap();
    let mut hashes = Hashes::open(&store);
    hashes.put(&stat(&file), [1; 32], later());
    hashes.save().unwrap();
    let whole = fs::read(&store).unwrap();
    for length in 0..whole.len() {
        fs::write(&store, &whole[..length]).unwrap();
        assert_eq!(Hashes::open(&store).get(&stat(&file), later()), None, "{length}");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&store, &bytes).unwrap();
        assert_eq!(Hashes::open(&store).get(&stat(&file), later()), None, "{at}");
    }
}

#[test]
fn what_others_saved_meanwhile_stays() {
    let temp = tempfile::tempdir().unwrap();
    let store = temp.path().join("hashes");
    let files: Vec<_> = (0..20).map(|n| temp.path().join(n.to_string())).collect();
    for file in &files {
        fs::write(file, "x").unwrap();
    }
    let (mut one, mut two) = (Hashes::open(&store), Hashes::open(&store));
    for (number, file) in (0u8..).zip(&files) {
        let hashes = if number % 3 == 0 { &mut one } else { &mut two };
        hashes.put(&stat(file), [number; 32], later());
    }
    one.save().unwrap();
    two.save().unwrap();
    let mut all = Hashes::open(&store);
    for (number, file) in (0u8..).zip(&files) {
        assert_eq!(all.get(&stat(file), later()), Some([number; 32]));
    }
}
