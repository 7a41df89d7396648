//! What is written is read, whatever was cut off.

use coracle_words::Timestamp;

use super::{FILE, Journal, JournalError, Reader, Sync};
use crate::model::{Cluster, Service};
use crate::state::Change;

fn service(id: &str) -> Change {
    Service { id: id.to_owned(), ..Service::default() }.into()
}

fn cluster() -> Change {
    Cluster { id: "c".to_owned(), ..Cluster::default() }.into()
}

fn commit(journal: &mut Journal, changes: Vec<Change>) {
    journal.commit(changes, Timestamp::ZERO, Sync::Yes).unwrap();
}

#[test]
fn a_reader_follows() {
    let temp = tempfile::tempdir().unwrap();
    let mut reader = Reader::open(temp.path()).unwrap();
    assert!(!reader.is_swarm());
    let mut journal = Journal::open(temp.path()).unwrap();
    commit(&mut journal, vec![cluster()]);
    commit(&mut journal, vec![service("a"), service("b")]);
    assert!(reader.refresh().unwrap());
    assert!(reader.is_swarm());
    assert_eq!(reader.state, journal.state);
    assert_eq!(reader.state.services["a"].meta.version.index, 2);
    assert!(!reader.refresh().unwrap());
    commit(&mut journal, vec![Change::RemoveService("a".to_owned())]);
    assert!(reader.refresh().unwrap());
    assert_eq!(reader.state.services.len(), 1);
    journal.erase(Vec::new(), Timestamp::ZERO).unwrap();
    assert!(reader.refresh().unwrap());
    assert!(!reader.is_swarm());
}

#[test]
fn every_cut_leaves_whole_transactions() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(temp.path()).unwrap();
    commit(&mut journal, vec![cluster()]);
    let path = temp.path().join(FILE);
    let begun = std::fs::read(&path).unwrap().len();
    commit(&mut journal, vec![service("a"), service("b")]);
    let one = std::fs::read(&path).unwrap().len();
    commit(&mut journal, vec![service("c")]);
    drop(journal);
    let bytes = std::fs::read(&path).unwrap();
    for cut in begun..bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let mut journal = Journal::open(temp.path()).unwrap();
        let services = if cut < one { 0 } else { 2 };
        assert_eq!(journal.state.services.len(), services, "cut at {cut}");
        commit(&mut journal, vec![service("d")]);
        drop(journal);
        assert_eq!(Reader::open(temp.path()).unwrap().state.services.len(), services + 1);
    }
}

#[test]
fn a_file_that_grew_is_written_anew() {
    let temp = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(temp.path()).unwrap();
    commit(&mut journal, vec![cluster()]);
    let mut reader = Reader::open(temp.path()).unwrap();
    for _ in 0..2_000 {
        journal.commit(vec![service("a")], Timestamp::ZERO, Sync::No).unwrap();
    }
    let length = std::fs::metadata(temp.path().join(FILE)).unwrap().len();
    assert!(length < 400_000, "{length}");
    reader.refresh().unwrap();
    assert_eq!(reader.state, journal.state);
    drop(journal);
    assert_eq!(Journal::open(temp.path()).unwrap().state, reader.state);
}

#[test]
fn newer_and_damaged_files_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join(FILE);
    std::fs::write(&path, "{\"version\":2}\n{}\n").unwrap();
    assert!(matches!(Journal::open(temp.path()), Err(JournalError::Newer { found: 2, .. })));
    std::fs::write(&path, "{\"version\":1}\nnonsense\n{}\n").unwrap();
    assert!(matches!(Journal::open(temp.path()), Err(JournalError::Damaged { line: 2, .. })));
}
