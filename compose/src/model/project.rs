//! Which files make up the project, with which variables, and what it is called.

use std::collections::BTreeMap;

use coracle_words::strconv::parse_bool;

use super::env_file;
use super::read::{Folder, Reader, local_only, parent};
use crate::files::FileKind;
use crate::options::LoadOptions;
use crate::stages::interpolate::Environment;
use crate::stages::merge::shown;
use crate::stages::paths::join;
use crate::text::template::substitute;
use crate::tree::{Fault, Path, Result};
use crate::yaml::Document;

const NAMES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDE_NAMES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// The project before its files are put together.
pub(crate) struct Project {
    pub(crate) name: String,
    pub(crate) folder: Folder,
    /// Absolute paths, or `-`, with what they hold.
    pub(crate) files: Vec<(String, Vec<Document>)>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) profiles: Vec<String>,
}

struct Finder<'a> {
    reader: &'a Reader<'a>,
    options: &'a LoadOptions,
    current: String,
    variables: BTreeMap<String, String>,
    files: Vec<String>,
}

impl Project {
    pub(crate) fn find(reader: &Reader<'_>, options: &LoadOptions) -> Result<Self> {
        let current = options.current_dir.to_string_lossy().into_owned();
        let mut variables = options.environment.clone();
        variables.entry("PWD".to_owned()).or_insert_with(|| current.clone());
        let files = options.files.clone();
        let mut finder = Finder { reader, options, current, variables, files };
        finder.read_env_files()?;
        finder.find_files()?;
        // Perhaps the files showed a folder with a `.env` of its own.
        finder.read_env_files()?;
        if let Some(name) = options.project_name.as_deref().filter(|name| !name.is_empty()) {
            check_name(name)?;
        }
        finder.finish()
    }
}

impl Finder<'_> {
    fn absolute(&self, path: &str) -> String {
        join(if path.starts_with('/') { "" } else { &self.current }, path)
    }

    /// The project's folder as far as it is known.
    fn folder(&self) -> String {
        if let Some(folder) = self.options.project_directory.as_deref().filter(|f| !f.is_empty()) {
            return self.absolute(folder);
        }
        let file = self.files.iter().find(|file| *file != "-");
        file.map_or_else(|| self.current.clone(), |file| parent(&self.absolute(file)))
    }

    fn read_env_files(&mut self) -> Result<()> {
        let mut files: Vec<String> =
            self.options.env_files.iter().map(|file| self.absolute(file)).collect();
        if files.is_empty() {
            if let Some(value) = self.options.environment.get("COMPOSE_DISABLE_ENV_FILE") {
                let disabled = parse_bool(value).ok_or_else(|| {
                    let text = format!("COMPOSE_DISABLE_ENV_FILE must be true or false: {value:?}");
                    Fault::plain(text)
                })?;
                if disabled {
                    return Ok(());
                }
            }
            let usual = join(&self.folder(), ".env");
            if self.reader.sources.kind(&usual) == FileKind::File {
                files.push(usual);
            }
        }
        env_file::add(self.reader.sources, &files, &mut self.variables, self.reader.warnings)
    }

    fn find_files(&mut self) -> Result<()> {
        if !self.files.is_empty() {
            return Ok(());
        }
        if let Some(list) = self.variables.get("COMPOSE_FILE") {
            let separator = self.variables.get("COMPOSE_PATH_SEPARATOR").filter(|s| !s.is_empty());
            let separator = separator.map_or(":", String::as_str);
            for file in list.split(separator) {
                let file = if file == "-" { file.to_owned() } else { self.absolute(file) };
                if file != "-" && self.reader.sources.kind(&file) == FileKind::Missing {
                    let text = format!("stat {file}: no such file or directory");
                    return Err(Fault::plain(text).hint("COMPOSE_FILE names it"));
                }
                self.files.push(file);
            }
            return Ok(());
        }
        let mut folder = self.folder();
        loop {
            let found = self.existing(&NAMES, &folder);
            if let Some(first) = found.first() {
                self.warn_of_several(&found, "config");
                self.files.push(first.clone());
                let overrides = self.existing(&OVERRIDE_NAMES, &folder);
                self.warn_of_several(&overrides, "override");
                self.files.extend(overrides.into_iter().next());
                return Ok(());
            }
            if folder == "/" {
                return Ok(());
            }
            folder = parent(&folder);
        }
    }

    fn existing(&self, names: &[&str], folder: &str) -> Vec<String> {
        let paths = names.iter().map(|name| join(folder, name));
        paths.filter(|path| self.reader.sources.kind(path) != FileKind::Missing).collect()
    }

    fn warn_of_several(&self, found: &[String], what: &str) {
        if let [first, _, ..] = found {
            let all = found.join(", ");
            let warnings = self.reader.warnings;
            warnings.add(format!("Found multiple {what} files with supported names: {all}"));
            warnings.add(format!("Using {first}"));
        }
    }

    fn finish(mut self) -> Result<Project> {
        let folder = self.folder();
        if self.files.is_empty() {
            return Err(Fault::plain("no configuration file provided: not found").hint(
                "a file compose.yaml in this folder or one above it, or -f FILE, makes a project",
            ));
        }
        let mut files = Vec::new();
        for file in &self.files {
            local_only(file)?;
            let path = if file == "-" { file.clone() } else { self.absolute(file) };
            let documents = self.reader.documents(&path)?;
            files.push((path, documents));
        }
        let name = self.name(&folder, &files)?;
        self.variables.insert("COMPOSE_PROJECT_NAME".to_owned(), name.clone());
        let profiles = match self.options.profiles.as_slice() {
            [] => {
                let list = self.variables.get("COMPOSE_PROFILES").map_or("", String::as_str);
                // Nothing at all is a profile too: the one without a name.
                list.split(',').map(|profile| profile.trim().to_owned()).collect()
            }
            given => given.to_vec(),
        };
        let folder = Folder { prefix: folder.clone(), absolute: folder };
        Ok(Project { name, folder, files, variables: self.variables, profiles })
    }

    /// `-p`, the variable, the last file that has one, the folder.
    fn name(&self, folder: &str, files: &[(String, Vec<Document>)]) -> Result<String> {
        let given = self.options.project_name.as_ref().filter(|name| !name.is_empty());
        let from_variable = self.variables.get("COMPOSE_PROJECT_NAME").filter(|n| !n.is_empty());
        if let Some(name) = given.or(from_variable) {
            check_name(name)?;
            return Ok(name.clone());
        }
        let documents = files.iter().flat_map(|(_, documents)| documents);
        let mut in_files = documents.filter_map(|document| document.root.get("name"));
        if let Some(node) = in_files.rfind(|node| !shown(node).is_empty()) {
            let mut name = shown(node);
            if self.reader.stages.interpolate {
                let warnings = self.reader.warnings;
                let environment = Environment { variables: &self.variables, warnings };
                name = substitute(&name, &environment).map_err(|error| {
                    Fault::new(node.at, &Path::ROOT.key("name"), error.message())
                })?;
            }
            if self.reader.stages.normalize {
                name = normalized(&name);
            }
            if name.is_empty() {
                let text = "project name must not be empty";
                return Err(Fault::new(node.at, &Path::ROOT.key("name"), text)
                    .hint("a name has letters or digits; a variable in it may be unset"));
            }
            return Ok(name);
        }
        let name = normalized(folder.rsplit('/').next().unwrap_or_default());
        if name.is_empty() {
            return Err(Fault::plain("project name must not be empty")
                .hint("--project-name sets one that the folder does not give"));
        }
        Ok(name)
    }
}

fn normalized(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String = lower
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ['_', '-'].contains(c))
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

fn check_name(name: &str) -> Result<()> {
    if normalized(name) == name {
        return Ok(());
    }
    Err(Fault::plain(format!(
        "invalid project name {name:?}: must consist only of lowercase alphanumeric characters, \
         hyphens, and underscores as well as start with a letter or number"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_projects() {
        assert_eq!(normalized("My App_1.x"), "myapp_1x");
        assert_eq!(normalized("-_a"), "a");
        assert!(check_name("ok-2_b").is_ok());
        assert!(check_name("_bad").is_err());
        assert!(check_name("UPPER").is_err());
    }
}
