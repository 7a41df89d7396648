//! Relative paths get the folder they are relative to.

use super::descend::descend;
use crate::schema::{Attr, Paths};
use crate::text::volume::clean;
use crate::tree::{Fault, Node, Path, Result, Value};

/// Where paths begin, and where `~` leads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base<'a> {
    /// Absolute, or relative to a base that is applied later.
    pub(crate) folder: &'a str,
    pub(crate) home: Option<&'a str>,
}

impl Base<'_> {
    pub(crate) fn apply(
        &self,
        node: &mut Node,
        attr: Option<&'static Attr>,
        path: &Path<'_>,
    ) -> Result<()> {
        if let Some(rule) = attr.and_then(|attr| attr.paths) {
            return self.resolve(node, rule, path);
        }
        descend(node, attr, path, &|node, attr, path| self.apply(node, attr, path))
    }

    fn resolve(&self, node: &mut Node, rule: Paths, path: &Path<'_>) -> Result<()> {
        match (&mut node.value, rule) {
            (Value::Text(text), Paths::Plain) if !text.is_empty() => *text = self.plain(text),
            (Value::Text(text), Paths::Context) if !text.is_empty() && !is_elsewhere(text) => {
                *text = self.plain(text);
            }
            (Value::Text(text), Paths::Local) => *text = self.local(text),
            (Value::Map(_), Paths::Mount) => return self.mount(node, path),
            (Value::Map(_), Paths::DriverOptions) => self.driver_options(node),
            (Value::List(items), Paths::Plain) => {
                return items.iter_mut().try_for_each(|item| self.resolve(item, rule, path));
            }
            (Value::Map(map), Paths::Context | Paths::Local) => {
                return map.values_mut().try_for_each(|value| self.resolve(value, rule, path));
            }
            _ => {}
        }
        Ok(())
    }

    fn plain(&self, text: &str) -> String {
        let text = self.expand_home(text);
        if text.starts_with('/') { text } else { join(self.folder, &text) }
    }

    /// A path that may be one of Windows.
    fn local(&self, text: &str) -> String {
        let text = self.expand_home(text);
        if text.starts_with('/') || is_windows_absolute(&text) {
            return text;
        }
        join(self.folder, &text)
    }

    fn expand_home(&self, text: &str) -> String {
        match (text.strip_prefix('~'), self.home) {
            (Some(rest), Some(home)) => join(home, rest),
            _ => text.to_owned(),
        }
    }

    fn mount(&self, node: &mut Node, path: &Path<'_>) -> Result<()> {
        let at = node.at;
        if node.get("type").and_then(Node::as_text) != Some("bind") {
            return Ok(());
        }
        match node.get_mut("source").map(|source| &mut source.value) {
            Some(Value::Text(source)) => {
                *source = self.local(source);
                Ok(())
            }
            Some(_) => Ok(()),
            None => {
                let text = "invalid mount config for type \"bind\": field Source must not be empty";
                Err(Fault::new(at, path, text))
            }
        }
    }

    fn driver_options(&self, volume: &mut Node) {
        if volume.get("driver").and_then(Node::as_text) != Some("local") {
            return;
        }
        let Some(options) = volume.get_mut("driver_opts") else { return };
        if options.get("o").and_then(Node::as_text) != Some("bind") {
            return;
        }
        if let Some(Value::Text(device)) = options.get_mut("device").map(|node| &mut node.value) {
            *device = self.local(device);
        }
    }
}

/// A context that is no folder: a URL, a repository, or the image of a service.
fn is_elsewhere(text: &str) -> bool {
    let remote = ["https://", "http://", "git://", "ssh://", "github.com/", "git@"];
    text.contains("://")
        || text.starts_with("service:")
        || remote.iter().any(|prefix| text.starts_with(prefix))
}

/// `C:\x`, or `\\server\share\x`; not `\\.\pipe\x`.
fn is_windows_absolute(text: &str) -> bool {
    if matches!(text.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic()) {
        return true;
    }
    let mut parts = text.split(['\\', '/']);
    let starts = parts.next() == Some("") && parts.next() == Some("");
    let (server, share) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let named = |part: &str| !part.is_empty() && !part.starts_with('.');
    starts && named(server) && named(share) && parts.next().is_some()
}

/// `filepath.Join`
pub(crate) fn join(folder: &str, path: &str) -> String {
    match (folder, path) {
        ("", "") => String::new(),
        ("", path) => clean(path),
        (folder, path) => clean(&format!("{folder}/{path}")),
    }
}

/// The way from one absolute folder to another path.
pub(crate) fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = to.split('/').filter(|part| !part.is_empty()).collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    let parts: Vec<&str> = up.chain(to[common..].iter().copied()).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let base = Base { folder: "/p", home: Some("/home/u") };
        assert_eq!(base.plain("./a/../b"), "/p/b");
        assert_eq!(base.plain("~/x"), "/home/u/x");
        for path in [r"c:\x", r"\\server\share\x", "/x"] {
            assert_eq!(base.local(path), path);
        }
        assert_eq!(base.local(r"\\.\pipe\x"), r"/p/\\.\pipe\x");
        assert_eq!(relative("/a/b", "/a/c/d"), "../c/d");
        assert_eq!(relative("/a", "/a"), ".");
        assert!(is_elsewhere("service:base") && is_elsewhere("docker-image://x"));
        assert!(!is_elsewhere("./dir"));
    }
}
