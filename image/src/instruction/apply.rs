//! Applies instructions to a configuration, in order.
//!
//! Variables of the environment are replaced where a Dockerfile replaces them.

use std::collections::BTreeMap;

use coracle_words::port::{self, PortKey, PortRange, Protocol};

use super::command::{command, json_list};
use super::health;
use super::words::{Words, expand, split_words};
use crate::config::{ContainerConfig, Empty};
use crate::error::{ImageError, Result};

/// The instructions that change a configuration.
const COMMANDS: [&str; 12] = [
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Applies instructions in order.
///
/// ```
/// # use coracle_image::{config::ContainerConfig, instruction};
/// let mut config = ContainerConfig::default();
/// instruction::apply(&mut config, &["CMD [\"echo\", \"hi\"]", "ENV A=1 B=2"])?;
/// assert_eq!(config.env.unwrap(), ["A=1", "B=2"]);
/// # Ok::<(), coracle_image::ImageError>(())
/// ```
pub fn apply<S: AsRef<str>>(config: &mut ContainerConfig, changes: &[S]) -> Result<()> {
    let mut cmd_set = false;
    for change in changes {
        for line in instructions(change.as_ref()) {
            apply_one(config, &line, &mut cmd_set)?;
        }
    }
    Ok(())
}

/// Joins continued lines and leaves out comments and empty ones.
fn instructions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || (open.is_empty() && line.starts_with('#')) {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(part) => open.push_str(part),
            None => {
                open.push_str(line);
                found.push(std::mem::take(&mut open));
            }
        }
    }
    if !open.is_empty() {
        found.push(open);
    }
    found
}

fn apply_one(config: &mut ContainerConfig, line: &str, cmd_set: &mut bool) -> Result<()> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let (name, rest) = (name.to_ascii_uppercase(), rest.trim());
    let fail = |why: &str| ImageError::Change { instruction: name.clone(), why: why.to_owned() };
    if !COMMANDS.contains(&name.as_str()) {
        return Err(ImageError::ChangeCommand { instruction: name });
    }
    if rest.is_empty() && !matches!(name.as_str(), "CMD" | "ENTRYPOINT") {
        return Err(fail("it needs at least one argument"));
    }
    let env = config.env.clone().unwrap_or_default();
    let replaced = |text: &str| expand(text, &env).map_err(&fail);
    match name.as_str() {
        "CMD" => {
            config.cmd = Some(command(config, rest));
            *cmd_set = true;
        }
        "ENTRYPOINT" => {
            config.entrypoint = Some(command(config, rest));
            if !*cmd_set {
                config.cmd = None;
            }
        }
        "ENV" => {
            for (key, value) in pairs(rest, &env).map_err(fail)? {
                set_env(config.env.get_or_insert_default(), &key, &value);
            }
        }
        "LABEL" => {
            let labels = config.labels.get_or_insert_default();
            labels.extend(pairs(rest, &env).map_err(fail)?);
        }
        "EXPOSE" => {
            let ports = ports(&replaced(rest)?).map_err(|why| fail(&why))?;
            config.exposed_ports.get_or_insert_default().extend(ports);
        }
        "VOLUME" => {
            let paths = match json_list(rest) {
                Some(paths) => paths,
                None => split_words(rest, Words::Expanded(&env)).map_err(fail)?,
            };
            if paths.iter().any(String::is_empty) {
                return Err(fail("a volume path is empty"));
            }
            let volumes = config.volumes.get_or_insert_default();
            volumes.extend(paths.into_iter().map(|path| (path, Empty {})));
        }
        "USER" => config.user = replaced(rest)?,
        "WORKDIR" => config.working_dir = join(&config.working_dir, &replaced(rest)?),
        "STOPSIGNAL" => config.stop_signal = Some(replaced(rest)?),
        "SHELL" => {
            let shell = json_list(rest).filter(|list| !list.is_empty());
            config.shell = Some(shell.ok_or_else(|| fail("it needs the JSON form"))?);
        }
        "ONBUILD" => on_build(config, rest).map_err(fail)?,
        _ => config.healthcheck = Some(health::parse(rest, config).map_err(|why| fail(&why))?),
    }
    Ok(())
}

/// `KEY=VALUE …`, or the old form `KEY VALUE WITH BLANKS`.
fn pairs(
    text: &str,
    env: &[String],
) -> std::result::Result<BTreeMap<String, String>, &'static str> {
    let mut found = BTreeMap::new();
    let words = split_words(text, Words::Raw)?;
    if words.first().is_some_and(|first| !first.contains('=')) {
        let (key, value) = text
            .split_once(char::is_whitespace)
            .ok_or("it needs two arguments, or the form KEY=VALUE")?;
        found.insert(expand(key, env)?, expand(value.trim(), env)?);
        return Ok(found);
    }
    for word in words {
        let (key, value) = word.split_once('=').ok_or("it needs the form KEY=VALUE")?;
        if key.is_empty() {
            return Err("a name is empty");
        }
        found.insert(expand(key, env)?, expand(value, env)?);
    }
    Ok(found)
}

/// Sets a variable in a list of `KEY=VALUE`, in the place it has.
pub fn set_env(env: &mut Vec<String>, key: &str, value: &str) {
    let entry = format!("{key}={value}");
    let same = |known: &&mut String| known.split_once('=').is_some_and(|(k, _)| k == key);
    match env.iter_mut().find(same) {
        Some(known) => *known = entry,
        None => env.push(entry),
    }
}

/// `80`, `80/udp`, `8000-8002/tcp`, separated by blanks.
fn ports(text: &str) -> std::result::Result<BTreeMap<PortKey, Empty>, String> {
    let mut found = BTreeMap::new();
    for word in text.split_whitespace() {
        let (range, protocol) = port::split(word);
        let Some(protocol) = Protocol::parse(protocol) else {
            return Err(format!("invalid proto: {}", protocol.to_ascii_lowercase()));
        };
        let range: PortRange =
            range.parse().map_err(|_| format!("invalid containerPort: {word}"))?;
        found.extend(range.keys(protocol).map(|key| (key, Empty {})));
    }
    Ok(found)
}

/// A working directory relative to the one before, cleaned.
fn join(base: &str, path: &str) -> String {
    let full = if path.starts_with('/') { path.to_owned() } else { format!("{base}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in full.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn on_build(config: &mut ContainerConfig, trigger: &str) -> std::result::Result<(), &'static str> {
    let name = trigger.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    match name.as_str() {
        "ONBUILD" => return Err("chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        "FROM" | "MAINTAINER" => return Err("FROM and MAINTAINER aren't allowed as triggers"),
        _ => {}
    }
    config.on_build.get_or_insert_default().push(trigger.to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> String {
        let mut config = ContainerConfig {
            env: Some(vec!["PATH=/bin".to_owned(), "X=old".to_owned()]),
            working_dir: "/d1".to_owned(),
            ..ContainerConfig::default()
        };
        match apply(&mut config, changes) {
            Ok(()) => serde_json::to_string(&config).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_instruction_changes_its_part() {
        assert_eq!(
            changed(&[
                "CMD [\"echo\",\"hi\"]",
                "env X=1 Y=\"a b\"",
                "EXPOSE 9 53/udp 70-71",
                "LABEL q=r",
                "USER 5",
                "WORKDIR sub/../x",
                "VOLUME /a /b",
                "STOPSIGNAL SIGINT"
            ]),
            concat!(
                r#"{"User":"5","ExposedPorts":{"53/udp":{},"70/tcp":{},"71/tcp":{},"9/tcp":{}},"#,
                r#""Env":["PATH=/bin","X=1","Y=a b"],"Cmd":["echo","hi"],"#,
                r#""Volumes":{"/a":{},"/b":{}},"WorkingDir":"/d1/x","Labels":{"q":"r"},"StopSignal":"SIGINT"}"#
            )
        );
    }

    #[test]
    fn shell_forms_and_variables() {
        assert_eq!(
            changed(&["ENV PATH=$PATH:/x", "CMD echo $HOME"]),
            r#"{"Env":["PATH=/bin:/x","X=old"],"Cmd":["/bin/sh","-c","echo $HOME"],"WorkingDir":"/d1"}"#
        );
        assert_eq!(
            changed(&["SHELL [\"/bin/ash\",\"-ec\"]", "ENTRYPOINT run it"]),
            concat!(
                r#"{"Env":["PATH=/bin","X=old"],"Entrypoint":["/bin/ash","-ec","run it"],"#,
                r#""WorkingDir":"/d1","Shell":["/bin/ash","-ec"]}"#
            )
        );
    }

    #[test]
    fn an_entrypoint_clears_the_command_it_replaces() {
        let mut config = ContainerConfig { cmd: Some(vec!["sh".into()]), ..Default::default() };
        apply(&mut config, &["ENTRYPOINT [\"ls\"]"]).unwrap();
        assert_eq!(config.cmd, None);
        apply(&mut config, &["CMD [\"a\"]", "ENTRYPOINT [\"ls\"]"]).unwrap();
        assert_eq!(config.cmd, Some(vec!["a".to_owned()]));
    }

    #[test]
    fn refusals() {
        for (change, expected) in [
            ("RUN x", "RUN is not a valid change command"),
            ("bogus x", "BOGUS is not a valid change command"),
            ("ENV", "ENV: it needs at least one argument"),
            ("ENV X", "ENV: it needs two arguments, or the form KEY=VALUE"),
            ("ENV A=1 B", "ENV: it needs the form KEY=VALUE"),
            ("EXPOSE 99999", "EXPOSE: invalid containerPort: 99999"),
            ("EXPOSE 1/icmp", "EXPOSE: invalid proto: icmp"),
            ("SHELL /bin/sh", "SHELL: it needs the JSON form"),
            ("ONBUILD FROM x", "ONBUILD: FROM and MAINTAINER aren't allowed as triggers"),
        ] {
            assert_eq!(changed(&[change]), expected);
        }
    }
}
