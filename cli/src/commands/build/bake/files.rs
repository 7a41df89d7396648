//! Finds the files, reads them, and says what they come to.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use coracle_builder::bake::limits::FILE_BYTES_MAX;
use coracle_builder::bake::{self, Config, Facts, File};
use coracle_compose::project::Project;
use coracle_compose::{EnvFiles, FileKind, Files, LoadOptions, Loaded, Stages};

use crate::error::CliError;
use crate::files::reason;
use crate::settings::Environment;

/// Which files count when none is named, in this order.
const DEFAULTS: [&str; 8] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];

pub(super) fn error(why: impl std::fmt::Display) -> CliError {
    CliError::plain(format!("ERROR: {why}"))
}

/// Reads the files that are named, by flags or by `BUILDX_BAKE_FILE`, or the usual ones.
pub(super) fn read(named: &[String], environment: &Environment) -> Result<Vec<File>, CliError> {
    let separator = environment.get("BUILDX_BAKE_PATH_SEPARATOR").unwrap_or(":");
    let named: Vec<String> = match environment.get("BUILDX_BAKE_FILE").filter(|_| named.is_empty())
    {
        Some(list) => list
            .split(separator)
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        None => named.to_vec(),
    };
    let mut files = Vec::new();
    if named.is_empty() {
        for name in DEFAULTS.iter().filter(|name| Path::new(name).is_file()) {
            files.push(one(name)?);
        }
    }
    for name in &named {
        files.push(one(name.strip_prefix("cwd://").unwrap_or(name))?);
    }
    match files.is_empty() {
        true => Err(error("couldn't find a bake definition")),
        false => Ok(files),
    }
}

fn one(name: &str) -> Result<File, CliError> {
    let mut bytes = Vec::new();
    let most = FILE_BYTES_MAX as u64 + 1;
    let read = match name {
        "-" => io::stdin().lock().take(most).read_to_end(&mut bytes),
        name => std::fs::File::open(name).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    read.map_err(|why| error(format!("open {name}: {}", reason(&why))))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(error(format!("{name} is larger than {} MB", FILE_BYTES_MAX / 1024 / 1024)));
    }
    let text = String::from_utf8(bytes).map_err(|_| error(format!("{name} is no text")))?;
    Ok(File { name: name.to_owned(), text })
}

/// What the files say, those of Compose below the others.
pub(super) fn config(
    files: &[File],
    facts: &Facts,
    current_dir: &Path,
    warnings: &mut Vec<String>,
) -> Result<Config, CliError> {
    let mut of_compose = Vec::new();
    let mut others = Vec::new();
    for file in files {
        let name = file.name.to_lowercase();
        let is_compose = match name.rsplit('.').next().unwrap_or_default() {
            "yml" | "yaml" => true,
            "json" | "hcl" => false,
            _ => load(std::slice::from_ref(file), facts, current_dir, false).is_ok(),
        };
        if is_compose { of_compose.push(file.clone()) } else { others.push(file.clone()) }
    }
    let mut ground = Config::default();
    if !of_compose.is_empty() {
        let failed = |why: String| error(format!("failed to parse compose file: {why}"));
        let loaded =
            load(&of_compose, facts, current_dir, true).map_err(|why| failed(why.to_string()))?;
        warnings.extend_from_slice(&loaded.warnings);
        let project = Project::read(&loaded).map_err(|why| failed(why.to_string()))?;
        ground = coracle_compose::build::of_bake(&project, &loaded)
            .map_err(|why| failed(why.to_string()))?;
    }
    bake::read(ground, &others, facts).map_err(error)
}

fn load(
    files: &[File],
    facts: &Facts,
    current_dir: &Path,
    is_whole: bool,
) -> Result<Loaded, coracle_compose::LoadError> {
    let mut environment = facts.environment.clone();
    environment.extend(facts.given.clone());
    let project = environment.get("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty());
    let options = LoadOptions {
        files: files.iter().map(|file| file.name.clone()).collect(),
        project_name: Some(project.cloned().unwrap_or_else(|| "bake".to_owned())),
        profiles: vec!["*".to_owned()],
        environment,
        current_dir: current_dir.to_owned(),
        stages: Stages {
            normalize: false,
            resolve_paths: false,
            check_consistency: is_whole,
            container_names: false,
            env_files: EnvFiles::Unread,
            ..Stages::default()
        },
        ..LoadOptions::default()
    };
    let texts = files.iter().map(|file| (current_dir.join(&file.name), file.text.clone()));
    let stdin = files.iter().find(|file| file.name == "-").map(|file| file.text.clone());
    coracle_compose::load(&options, &Memory { texts: texts.collect(), stdin })
}

/// The files that were read, and those beside them.
struct Memory {
    texts: BTreeMap<PathBuf, String>,
    stdin: Option<String>,
}

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.texts.get(path) {
            Some(text) => Ok(text.clone().into_bytes()),
            None => {
                let mut bytes = Vec::new();
                let most = FILE_BYTES_MAX as u64;
                std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    fn read_stdin(&self) -> io::Result<Vec<u8>> {
        Ok(self.stdin.clone().unwrap_or_default().into_bytes())
    }

    fn kind(&self, path: &Path) -> FileKind {
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => FileKind::Directory,
            Ok(_) => FileKind::File,
            Err(_) if self.texts.contains_key(path) => FileKind::File,
            Err(_) => FileKind::Missing,
        }
    }
}
