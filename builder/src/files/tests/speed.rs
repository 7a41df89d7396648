//! How long it takes and how much memory: `cargo test --release -p coracle-builder files::tests::speed -- --ignored
//! --nocapture --test-threads 1`. Each in a process of its own, or the peaks add up.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::time::Instant;

use super::super::{Hashes, Selectors, Tree, select};
use super::to;
use crate::ignore::Ignore;

/// Peak of resident memory in kB, of this process.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn measured<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let out = work();
    eprintln!("{what}: {:?}, peak {} kB", begin.elapsed(), peak());
    out
}

fn fill(folder: &std::path::Path, folders: usize, files: usize, bytes: usize) {
    let content = vec![b'x'; bytes];
    for number in 0..folders {
        let folder = folder.join(format!("folder{number}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..files {
            let path = folder.join(format!("a file with a name {file}"));
            fs::write(path, &content[..bytes - (file % bytes.max(1)).min(bytes)]).unwrap();
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn copying_200_megabytes() {
    let temp = tempfile::tempdir().unwrap();
    let (context, root) = (temp.path().join("context"), temp.path().join("root"));
    fs::create_dir_all(&root).unwrap();
    fill(&context, 100, 100, 20_480);
    let tree = Tree::context(&context, None).unwrap();
    let selection = select(&tree, &Selectors { pattern: ".", ..Selectors::default() }).unwrap();
    let handle = File::open(&root).unwrap();
    measured("hash", || selection.digest(&mut Hashes::in_memory()).unwrap());
    measured("copy", || selection.copy_into(handle.as_fd(), &to("/")).unwrap());
}

#[test]
#[ignore = "a measurement"]
fn a_context_of_100_000_files() {
    let temp = tempfile::tempdir().unwrap();
    let (context, store) = (temp.path().join("context"), temp.path().join("hashes"));
    fill(&context, 100, 1000, 10);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    for text in ["", "**/.git\nnode_modules\n*.log\n**/*.tmp\n!keep.log\n"] {
        let tree = Tree::context(&context, Some(&Ignore::parse(text))).unwrap();
        let selection = select(&tree, &Selectors { pattern: ".", ..Selectors::default() }).unwrap();
        for what in ["first", "again"] {
            let mut hashes = measured("open", || Hashes::open(&store));
            measured(what, || selection.digest(&mut hashes).unwrap());
            measured("save", || hashes.save().unwrap());
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn a_folder_of_a_million_files() {
    let temp = tempfile::tempdir().unwrap();
    fill(temp.path(), 1, 1_000_000, 0);
    let tree = Tree::context(temp.path(), None).unwrap();
    let selection = select(&tree, &Selectors { pattern: ".", ..Selectors::default() }).unwrap();
    measured("digest", || selection.digest(&mut Hashes::in_memory()).unwrap());
}
