//! Secrets and configs that are templates (`--template-driver golang`).
//!
//! They may ask for what other templates of a task may, and call `secret TARGET`, `config TARGET` and `env NAME`. What
//! they call is taken as it is stored, and not expanded again. Clear text is wiped when it is dropped; what the
//! template language has in its hands meanwhile is not, so that a process which expands must not leave core dumps.

use std::cell::Cell;
use std::fmt;

use coracle_words::template::Functions;
use serde_json::Value;
use zeroize::Zeroizing;

use super::ContainerError;
use super::files::FileUse;
use super::templates::{self, Surroundings};
use crate::model::{ContainerSpec, Node, Task};

const FUNCTIONS: [&str; 3] = ["config", "env", "secret"];

/// A secret or config as it is stored.
pub struct Payload {
    pub content: Zeroizing<Vec<u8>>,
    /// `Templating` of its specification names a driver.
    pub template: bool,
}

/// Where clear content comes from, by id of the secret or config.
pub trait Contents {
    fn secret(&self, id: &str) -> Option<Payload>;
    fn config(&self, id: &str) -> Option<Payload>;
}

/// What a file of a container is to hold.
pub struct Content {
    /// The file, as the container's record calls it.
    pub target: String,
    pub content: Zeroizing<Vec<u8>>,
    /// It is a secret, or a secret is in it.
    pub sensitive: bool,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Content");
        shown.field("target", &self.target).field("sensitive", &self.sensitive);
        shown.finish_non_exhaustive()
    }
}

/// What the files of a task's container are to hold.
///
/// # Errors
/// When a secret or config is not there, is no template where it should be one, or asks for what the task does not
/// have.
pub fn files(
    task: &Task,
    node: &Node,
    contents: &dyn Contents,
) -> Result<Vec<Content>, ContainerError> {
    let uses = super::files::uses(&task.spec.container_spec)?;
    let content = |used: FileUse<'_>| {
        let FileUse { secret, id, name, file } = used;
        let (what, found) = match secret {
            true => ("secret", contents.secret(id)),
            false => ("config", contents.config(id)),
        };
        let Payload { content, template } = found
            .ok_or_else(|| ContainerError::Invalid(format!("{what} reference {id} not found")))?;
        let (content, asked) = match template {
            true => expand((what, name), &content, (task, node), contents)?,
            false => (content, false),
        };
        Ok(Content { target: file.target, content, sensitive: secret || asked })
    };
    uses.into_iter().map(content).collect()
}

/// Expands the payload of a secret or config called `name` for a task, and says whether a secret got into it.
fn expand(
    (what, name): (&'static str, &str),
    payload: &[u8],
    (task, node): (&Task, &Node),
    contents: &dyn Contents,
) -> Result<(Zeroizing<Vec<u8>>, bool), ContainerError> {
    let failed = |why: String| ContainerError::Payload { what, name: name.to_owned(), why };
    let source = std::str::from_utf8(payload)
        .map_err(|_| failed("a template is text in UTF-8".to_owned()))?;
    // Values of the environment are seen with their own templates expanded.
    let spec = templates::expanded(task, node)?;
    let calls = Calls { spec: &spec, contents, sensitive: Cell::new(false) };
    let text = Surroundings::of(task, node)
        .expand_with(source, type_of, &FUNCTIONS, &calls)
        .map_err(|error| failed(error.to_string()))?;
    Ok((Zeroizing::new(text.into_bytes()), calls.sensitive.get()))
}

fn type_of(key: &str) -> Option<&'static str> {
    if key.is_empty() { Some("*template.PayloadContext") } else { templates::type_of(key) }
}

struct Calls<'a> {
    spec: &'a ContainerSpec,
    contents: &'a dyn Contents,
    sensitive: Cell<bool>,
}

impl fmt::Debug for Calls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

impl Calls<'_> {
    fn secret(&self, target: &str) -> Result<String, String> {
        let mut uses = self.spec.secrets.iter();
        let at = uses.find(|used| used.file.as_ref().is_some_and(|file| file.name == target));
        let content = at.and_then(|used| self.contents.secret(&used.secret_id));
        self.sensitive.set(true);
        text(content).ok_or_else(|| format!("secret target {target} not found"))
    }

    fn config(&self, target: &str) -> Result<String, String> {
        let mut uses = self.spec.configs.iter();
        let at = uses.find(|used| used.file.as_ref().is_some_and(|file| file.name == target));
        let content = at.and_then(|used| self.contents.config(&used.config_id));
        text(content).ok_or_else(|| format!("config target {target} not found"))
    }

    /// A variable that there is not is empty.
    fn env(&self, name: &str) -> String {
        let mut entries = self.spec.env.iter().filter_map(|entry| entry.split_once('='));
        entries.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
    }
}

fn text(payload: Option<Payload>) -> Option<String> {
    Some(String::from_utf8_lossy(&payload?.content).into_owned())
}

impl Functions for Calls<'_> {
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<String, String>> {
        if !FUNCTIONS.contains(&name) {
            return None;
        }
        let [Value::String(argument)] = arguments else {
            let count = arguments.len();
            return Some(Err(format!("wrong number of args for {name}: want 1 got {count}")));
        };
        Some(match name {
            "secret" => self.secret(argument),
            "config" => self.config(argument),
            _ => Ok(self.env(argument)),
        })
    }
}
