//! Cases from their text form, and files in memory.

#![expect(clippy::unwrap_used, reason = "a broken case is a broken test")]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use coracle_compose::{EnvFiles, FileKind, Files, LoadError, LoadOptions, Loaded};
use serde_json::Value;

/// Cases stand two levels deep, so that paths can lead out of them.
pub(crate) const PARENT: &str = "/above-all/cases";

/// Files by absolute path.
#[derive(Debug, Default, Clone)]
pub(crate) struct Memory {
    pub(crate) files: BTreeMap<PathBuf, String>,
    pub(crate) stdin: String,
}

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match (self.files.get(path), self.kind(path)) {
            (Some(text), _) => Ok(text.as_bytes().to_vec()),
            (None, FileKind::Directory) => Err(io::ErrorKind::IsADirectory.into()),
            (None, _) => Err(io::Error::from_raw_os_error(2)),
        }
    }

    fn read_stdin(&self) -> io::Result<Vec<u8>> {
        Ok(self.stdin.as_bytes().to_vec())
    }

    fn kind(&self, path: &Path) -> FileKind {
        if self.files.contains_key(path) {
            return FileKind::File;
        }
        let below = self.files.keys().any(|file| file.starts_with(path));
        if below { FileKind::Directory } else { FileKind::Missing }
    }
}

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    command: Vec<String>,
    environment: BTreeMap<String, String>,
    folder: String,
    files: Memory,
    /// The project, or words of which the error names one.
    pub(crate) expected: Result<Value, Vec<String>>,
    /// Words that the warnings must have.
    pub(crate) warnings: Vec<String>,
}

pub(crate) fn cases(text: &str) -> Vec<Case> {
    text.split("#=# case ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let (name, rest) = text.split_once('\n').unwrap();
    let mut case = Case {
        name: name.to_owned(),
        command: Vec::new(),
        environment: BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]),
        folder: format!("{PARENT}/{name}"),
        files: Memory::default(),
        expected: Err(Vec::new()),
        warnings: Vec::new(),
    };
    // A folder without files is found too.
    case.add(".exists", "");
    for part in rest.split("#=# ").skip(1) {
        let (line, body) = part.split_once('\n').unwrap();
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        let quoted = |text: &str| serde_json::from_str::<String>(text).unwrap();
        match word {
            "cmd" => case.command = words(value),
            "env" => {
                let (key, value) = value.split_once('=').unwrap();
                case.environment.insert(key.to_owned(), value.to_owned());
            }
            "cwd" => case.folder = format!("{}/{value}", case.root()),
            "stdin" => case.files.stdin = quoted(value),
            "file" => case.add(value, body),
            "quoted" => {
                let at = value.find(" \"").unwrap();
                case.add(&value[..at], &quoted(&value[at + 1..]));
            }
            "folder" => case.add(&format!("{value}/.exists"), ""),
            "json" => case.expected = Ok(serde_json::from_str(value).unwrap()),
            "warns" => case.warnings.push(value.to_owned()),
            "fails" => case.expected = Err(value.split('|').map(str::to_owned).collect()),
            other => panic!("{name}: {other}"),
        }
    }
    case
}

/// The words of a command; quotes as in a shell, without escapes.
fn words(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            (' ', None) => out.push(String::new()),
            (c, _) => out.last_mut().unwrap().push(c),
        }
    }
    out.retain(|word| !word.is_empty());
    out
}

impl Case {
    pub(crate) fn root(&self) -> String {
        format!("{PARENT}/{}", self.name)
    }

    fn add(&mut self, path: &str, text: &str) {
        let path = PathBuf::from(format!("{}/{path}", self.root()));
        self.files.files.insert(path, text.to_owned());
    }

    /// Changes the text of one of the files, counted around.
    pub(crate) fn change_file(&mut self, index: usize, change: impl FnOnce(&str) -> String) {
        let count = self.files.files.len();
        if let Some(text) = self.files.files.values_mut().nth(index % count) {
            *text = change(text);
        }
    }

    pub(crate) fn load(&self) -> Result<Loaded, LoadError> {
        let mut options = LoadOptions {
            environment: self.environment.clone(),
            current_dir: self.folder.clone().into(),
            ..LoadOptions::default()
        };
        let mut words = self.command.iter().cloned();
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap();
            match word.as_str() {
                "-f" => options.files.push(value()),
                "-p" => options.project_name = Some(value()),
                "--profile" => options.profiles.push(value()),
                "--env-file" => options.env_files.push(value()),
                "--project-directory" => options.project_directory = Some(value()),
                "--all-resources" => options.all_resources = true,
                "--no-consistency" => options.stages.check_consistency = false,
                "--no-path-resolution" => options.stages.resolve_paths = false,
                "--no-env-resolution" => options.stages.env_files = EnvFiles::Unread,
                "--no-normalize" => options.stages.normalize = false,
                "--no-interpolate" => {
                    options.stages.interpolate = false;
                    options.stages.types = false;
                }
                "--format" => drop(value()),
                "config" | "-q" => {}
                word if !word.starts_with('-') => options.services.push(word.to_owned()),
                other => panic!("{}: {other}", self.name),
            }
        }
        coracle_compose::load(&options, &self.files)
    }
}
