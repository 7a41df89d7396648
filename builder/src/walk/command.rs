//! `RUN` as a step: what is executed, with what, and its mounts.

use std::sync::Arc;

use super::dispatch::{Scope, spend};
use super::finish::network;
use super::{mounts, names, paths};
use crate::dockerfile::{heredoc, without_tabs};
use crate::expand::Expander;
use crate::instruction::mount::{self, Type};
use crate::instruction::{Run, Security};
use crate::limits::TEXT_BYTES;
use crate::plan::{self, From, Mount, MountKind, Operation};
use crate::source::Fault;

/// Where a script lies that is a heredoc with a program of its own.
const SCRIPTS: &str = "/dev/pipes";

impl Scope<'_> {
    pub(super) fn run(&mut self, run: &Run) -> Result<(), Fault> {
        let mut read = Vec::new();
        for mount in &run.mounts {
            read.push(mount::read(mount, &mut |value| self.expand(value))?);
        }
        let (words, scripts, summary) = written(run)?;
        let args = if run.command.with_shell { self.with_shell(&words) } else { words };
        let mounts = self.mounts(&read)?;
        if !run.devices.is_empty() {
            return Err(Fault::new(
                "device feature is only supported in Dockerfile frontend 1.14.0-labs or later",
            ));
        }
        let mut text = self.instruction().text.clone();
        if let Some(summary) = summary {
            text += &format!(" ({summary})");
        }
        let raw = Expander { keeps_quotes: true, keeps_unset: true, ..self.expander };
        let masked: Vec<String> = read.iter().filter_map(|mount| mount.env.clone()).collect();
        let name = self.name(&text, &raw, &masked);
        let mut told = vec!["RUN".to_owned()];
        told.extend(self.state.config.args_of_command());
        told.push(args.join(" "));
        told.push("# buildkit".to_owned());
        let config = &self.state.config;
        let (user, working_dir) =
            (config.container().user.clone(), config.working_dir().to_owned());
        let env = config.env.entries();
        let bytes = env.iter().chain(&args).map(|text| text.len() + TEXT_BYTES).sum::<usize>();
        spend(self.room, bytes + working_dir.len())?;
        let operation = plan::Run {
            args,
            env,
            unkeyed_env: self.proxies(),
            user,
            working_dir,
            network: network(run.network, self.request.network),
            is_insecure: run.security == Security::Insecure,
            mounts,
            scripts,
            hostname: self.given.get("BUILDKIT_SANDBOX_HOSTNAME").cloned(),
            hosts: self.request.add_hosts.clone(),
            shm_size: self.request.shm_size,
            ulimits: self.request.ulimits.clone(),
        };
        self.push(name, Operation::Run(Box::new(operation)))?;
        self.tell(told.join(" "), true)
    }

    /// Proxies that were given, in both spellings.
    fn proxies(&self) -> Vec<String> {
        let mut found = Vec::new();
        for name in ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"] {
            let mut given = self.given.iter();
            let value = given.rfind(|(key, _)| key.eq_ignore_ascii_case(name));
            if let Some((_, value)) = value.filter(|(_, value)| !value.is_empty()) {
                found.push(format!("{}={value}", name.to_uppercase()));
                found.push(format!("{name}={value}"));
            }
        }
        found
    }

    fn mounts(&mut self, read: &[mount::Mount]) -> Result<Vec<Mount>, Fault> {
        let mut mounts = Vec::new();
        let mut sockets = 0;
        for (at, mount) in read.iter().enumerate() {
            mounts::check(mount, self.state.config.working_dir())?;
            mounts.push(match mount.kind {
                Type::Secret => secret(mount, self.target(mount)),
                Type::Ssh => {
                    sockets += 1;
                    ssh(mount, self.target(mount), sockets - 1)?
                }
                Type::Tmpfs => Mount {
                    target: self.target(mount),
                    kind: MountKind::Tmpfs { size: mount.size },
                },
                Type::Bind => Mount {
                    target: self.target(mount),
                    kind: MountKind::Bind {
                        from: self.taken_from(mount, at),
                        source: paths::clean(&mount.source),
                        writable: !mount.read_only,
                    },
                },
                Type::Cache => Mount { target: self.target(mount), kind: self.cache(mount, at) },
            });
            if let Some(MountKind::Secret { id, .. } | MountKind::Ssh { id, .. }) =
                mounts.last().map(|mount| &mount.kind)
            {
                self.state.notes.mount(mount.kind, id, mount.required, self.step.instruction.span);
            }
        }
        Ok(mounts)
    }

    fn cache(&self, mount: &mount::Mount, at: usize) -> MountKind {
        let id = match mount.id.as_str() {
            "" if mount.target.starts_with('/') => paths::clean(&mount.target),
            "" => paths::clean(&mount.target).trim_start_matches('/').to_owned(),
            id => id.to_owned(),
        };
        let namespace = self.given.get("BUILDKIT_CACHE_MOUNT_NS").map_or("", String::as_str);
        let from = self.taken_from(mount, at);
        let has_from = !mount.from.is_empty() && from != From::Nothing;
        MountKind::Cache {
            id: format!("{namespace}/{id}"),
            from: has_from.then(|| (from, paths::clean(&mount.source))),
            sharing: mount.sharing.unwrap_or(mount::Sharing::Shared),
            owner: owner(mount),
            mode: mount.mode.unwrap_or(0o755),
            read_only: mount.read_only,
        }
    }

    fn taken_from(&self, mount: &mount::Mount, at: usize) -> From {
        if mount.from.is_empty() {
            return From::Context(None);
        }
        self.sources.get(at).cloned().unwrap_or(From::Nothing)
    }

    fn target(&self, mount: &mount::Mount) -> String {
        paths::clean(&paths::join(self.state.config.working_dir(), &mount.target))
    }
}

fn owner(mount: &mount::Mount) -> (u32, u32) {
    (mount.uid.unwrap_or_default(), mount.gid.unwrap_or_default())
}

/// `target`: what the one that is written means.
fn secret(mount: &mount::Mount, target: String) -> Mount {
    let id = [&mount.source, &mount.id].into_iter().find(|id| !id.is_empty());
    let id = id.map_or_else(|| paths::base(&mount.target), String::as_str).to_owned();
    let is_file = !mount.target.is_empty() || mount.env.is_none();
    let target = match mount.target.as_str() {
        "" => format!("/run/secrets/{}", paths::base(&id)),
        _ => target,
    };
    let kind = MountKind::Secret {
        id,
        required: mount.required,
        owner: owner(mount),
        mode: mount.mode.unwrap_or(0o400),
        env: mount.env.clone(),
        is_file,
    };
    Mount { target, kind }
}

fn ssh(mount: &mount::Mount, target: String, number: usize) -> Result<Mount, Fault> {
    if !mount.source.is_empty() {
        return Err(Fault::new("ssh does not support source"));
    }
    let target = match mount.target.as_str() {
        "" => format!("/run/buildkit/ssh_agent.{number}"),
        _ => target,
    };
    let id = if mount.id.is_empty() { "default" } else { &mount.id };
    let kind = MountKind::Ssh {
        id: id.to_owned(),
        required: mount.required,
        owner: owner(mount),
        mode: mount.mode.unwrap_or(0o600),
    };
    Ok(Mount { target, kind })
}

type Written = (Vec<String>, Vec<(String, Arc<str>)>, Option<String>);

/// The words of a command with its heredocs: a single one is the command, or a script that names its program.
fn written(run: &Run) -> Result<Written, Fault> {
    let command = &run.command;
    let Some(first) = command.heredocs.first() else {
        return Ok((command.words.clone(), Vec::new(), None));
    };
    let [word] = &command.words[..] else {
        let why = format!("parsing produced an invalid run command: {:?}", command.words);
        return Err(Fault::new(why));
    };
    if !matches!(heredoc(word), Ok(Some(_))) {
        // The shell reads them.
        let mut text = word.clone();
        for heredoc in &command.heredocs {
            text += &format!("\n{}{}", heredoc.content, heredoc.name);
        }
        return Ok((vec![text], Vec::new(), None));
    }
    let body = match first.strips_tabs {
        true => without_tabs(&first.content),
        false => first.content.clone(),
    };
    let summary = Some(names::summary(&first.content));
    if !body.starts_with("#!") {
        return Ok((vec![body], Vec::new(), summary));
    }
    let path = format!("{SCRIPTS}/{}", first.name);
    Ok((vec![path.clone()], vec![(path, body.into())], summary))
}
