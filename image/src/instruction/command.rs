//! Commands of instructions: a list in JSON, or a line for the shell.

use crate::config::ContainerConfig;

/// Shell of `CMD line` and `ENTRYPOINT line` when the image sets none.
pub(super) const DEFAULT_SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// A command in JSON form, or a line for the shell.
pub(super) fn command(config: &ContainerConfig, text: &str) -> Vec<String> {
    if let Some(list) = json_list(text) {
        return list;
    }
    if text.is_empty() {
        return Vec::new();
    }
    let default = || DEFAULT_SHELL.iter().map(ToString::to_string).collect();
    let mut command: Vec<String> = config.shell.clone().unwrap_or_else(default);
    command.push(text.to_owned());
    command
}

pub(super) fn json_list(text: &str) -> Option<Vec<String>> {
    text.starts_with('[').then(|| serde_json::from_str(text).ok()).flatten()
}
