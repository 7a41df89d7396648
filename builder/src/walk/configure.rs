//! Instructions that set something of the image, and what the history says of them.

use coracle_image::config::{Empty, Healthcheck, History};
use coracle_runtime::processes::signals;
use coracle_words::duration;
use coracle_words::port::PortKey;
use coracle_words::template::go_quote;

use super::dispatch::{BUILDER_ARGS, Scope};
use super::finish::{COMMENT, time};
use super::outline::Argument;
use super::{expose, paths};
use crate::check::{Rule, secret_names};
use crate::dockerfile::Pair;
use crate::instruction::{Arg, Command, Health};
use crate::plan::Operation;
use crate::source::{Fault, Span};

/// The shell where nobody has set one.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

impl Scope<'_> {
    /// An entry of the history.
    pub(super) fn tell(&mut self, text: String, has_layer: bool) -> Result<(), Fault> {
        self.keep(text.len())?;
        self.state.config.image.history.push(History {
            created: self.epoch.and_then(time),
            created_by: Some(text),
            comment: Some(COMMENT.to_owned()),
            empty_layer: !has_layer,
            ..History::default()
        });
        Ok(())
    }

    /// A command line in the form of the shell, as a program is called.
    pub(super) fn with_shell(&self, words: &[String]) -> Vec<String> {
        let shell = self.state.config.container().shell.as_ref().filter(|shell| !shell.is_empty());
        let mut args = match shell {
            Some(shell) => shell.clone(),
            None => SHELL.map(str::to_owned).to_vec(),
        };
        args.push(words.join(" "));
        args
    }

    fn command(&mut self, command: &Command) -> Vec<String> {
        if !command.with_shell {
            return command.words.clone();
        }
        if self.state.config.container().shell.as_ref().is_none_or(Vec::is_empty) {
            let instruction = self.instruction().name.as_str();
            self.add(Rule::JsonArgsRecommended { instruction });
        }
        self.with_shell(&command.words)
    }

    pub(super) fn cmd(&mut self, command: &Command) -> Result<(), Fault> {
        let last = self.state.used.cmd.replace(self.here());
        self.once(last);
        let args = self.command(command);
        let text = format!("CMD {}", quoted(&args));
        self.state.config.image.config.cmd = Some(args);
        self.state.config.image.config.args_escaped = true;
        self.tell(text, false)
    }

    pub(super) fn entrypoint(&mut self, command: &Command) -> Result<(), Fault> {
        let last = self.state.used.entrypoint.replace(self.here());
        self.once(last);
        let args = self.command(command);
        let text = format!("ENTRYPOINT {}", quoted(&args));
        self.state.config.image.config.entrypoint = Some(args);
        if self.state.used.cmd.is_none() {
            self.state.config.image.config.cmd = None;
        }
        self.tell(text, false)
    }

    /// Only the last one of its kind counts, so the one before is told of.
    fn once(&mut self, last: Option<Span>) {
        let instruction = self.instruction().name.as_str();
        if let Some(span) = last {
            self.findings.add(Rule::MultipleInstructionsDisallowed { instruction }, &[span]);
        }
    }

    pub(super) fn env(&mut self, pairs: &[Pair]) -> Result<(), Fault> {
        // All see the values from before the line.
        let values = self.pairs(pairs)?;
        self.old_form(pairs);
        let mut text = "ENV".to_owned();
        for (name, value) in values {
            if secret_names::is_secret(&name) {
                self.add(Rule::SecretsUsedInArgOrEnv { instruction: "ENV", name: &name });
            }
            text += &format!(" {name}={value}");
            self.set(&name, &value)?;
            self.state.config.image_env.set_in_place(&name, value);
        }
        self.tell(text, false)
    }

    pub(super) fn label(&mut self, pairs: &[Pair]) -> Result<(), Fault> {
        let values = self.pairs(pairs)?;
        self.old_form(pairs);
        let mut text = "LABEL".to_owned();
        for (name, value) in values {
            text += &format!(" {name}={value}");
            self.keep(name.len() + value.len())?;
            let labels = self.state.config.image.config.labels.get_or_insert_default();
            labels.insert(name, value);
        }
        self.tell(text, false)
    }

    fn pairs(&mut self, pairs: &[Pair]) -> Result<Vec<(String, String)>, Fault> {
        let expanded =
            pairs.iter().map(|pair| Ok((self.expand(&pair.key)?, self.expand(&pair.value)?)));
        expanded.collect()
    }

    fn old_form(&mut self, pairs: &[Pair]) {
        let instruction = self.instruction().name.as_str();
        for _ in pairs.iter().filter(|pair| pair.is_old) {
            self.add(Rule::LegacyKeyValueFormat { instruction });
        }
    }

    pub(super) fn args(&mut self, args: &[Arg]) -> Result<(), Fault> {
        let mut text = "ARG".to_owned();
        for arg in args {
            if secret_names::is_secret(&arg.name) {
                self.add(Rule::SecretsUsedInArgOrEnv { instruction: "ARG", name: &arg.name });
            }
            let value = match (self.given.get(&arg.name), &arg.default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => Some(self.expand(default)?),
                (None, None) => self.globals.get(&arg.name),
            };
            text += &format!(" {}", arg.name);
            self.note(arg, value.as_deref());
            self.state.config.declare(&arg.name, value.as_deref());
            if let Some(value) = value {
                text += &format!("={value}");
                // What is set of these concerns the builder alone.
                if !BUILDER_ARGS.contains(&arg.name.as_str()) {
                    self.set(&arg.name, &value)?;
                }
            }
        }
        self.tell(text, false)
    }

    /// One that only takes over a global one says no more than that.
    fn note(&mut self, arg: &Arg, value: Option<&str>) {
        let is_own = arg.default.is_some()
            || self.given.contains_key(&arg.name)
            || self.globals.get(&arg.name).is_none();
        let argument = Argument {
            name: arg.name.clone(),
            value: value.unwrap_or_default().to_owned(),
            about: arg.about.clone(),
            at: self.here(),
        };
        self.state.notes.arg(&arg.name, Some(argument).filter(|_| is_own));
    }

    pub(super) fn expose(&mut self, ports: &[String]) -> Result<(), Fault> {
        let mut words = Vec::new();
        for port in ports {
            let env = &self.state.config.env;
            words.extend(self.expander.words(port, &|name| env.get(name)).map_err(Fault::new)?);
        }
        let mut exposed: Vec<PortKey> = Vec::new();
        for port in &words {
            exposed.extend(expose::read(port, &[self.here()], self.findings)?);
            self.keep(exposed.len())?;
        }
        let names: Vec<&str> = exposed.iter().map(PortKey::as_str).collect();
        let text = format!("EXPOSE [{}]", names.join(" "));
        let known = self.state.config.image.config.exposed_ports.get_or_insert_default();
        known.extend(exposed.into_iter().map(|port| (port, Empty {})));
        self.tell(text, false)
    }

    pub(super) fn healthcheck(&mut self, health: &Health) -> Result<(), Fault> {
        let last = self.state.used.healthcheck.replace(self.here());
        self.once(last);
        let time = duration::format;
        let text = format!(
            "HEALTHCHECK {{Test:[{}] Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} Retries:{}}}",
            health.test.join(" "),
            time(health.interval),
            time(health.timeout),
            time(health.start_period),
            time(health.start_interval),
            health.retries,
        );
        self.state.config.image.config.healthcheck = Some(Healthcheck {
            test: Some(health.test.clone()),
            interval: health.interval,
            timeout: health.timeout,
            start_period: health.start_period,
            start_interval: health.start_interval,
            retries: i64::from(health.retries),
        });
        self.tell(text, false)
    }

    pub(super) fn maintainer(&mut self, name: &str) -> Result<(), Fault> {
        self.state.config.image.author = Some(name.to_owned());
        self.tell(format!("MAINTAINER {name}"), false)
    }

    pub(super) fn onbuild(&mut self, text: &str) -> Result<(), Fault> {
        self.keep(text.len())?;
        let triggers = self.state.config.image.config.on_build.get_or_insert_default();
        triggers.push(text.to_owned());
        Ok(())
    }

    pub(super) fn shell(&mut self, words: &[String]) -> Result<(), Fault> {
        self.state.config.image.config.shell = Some(words.to_vec());
        self.tell(format!("SHELL [{}]", words.join(" ")), false)
    }

    pub(super) fn stopsignal(&mut self, signal: &str) -> Result<(), Fault> {
        let signal = self.expand(signal)?;
        // Of numbers, all but 0 are taken.
        let is_number = signal.parse::<i64>().is_ok_and(|number| number != 0);
        if !is_number && signals::parse(&signal).is_none() {
            return Err(Fault::new(format!("invalid signal: {signal}")));
        }
        let text = format!("STOPSIGNAL {signal}");
        self.state.config.image.config.stop_signal = Some(signal);
        self.tell(text, false)
    }

    pub(super) fn user(&mut self, user: &str) -> Result<(), Fault> {
        let user = self.expand(user)?;
        let text = format!("USER {user}");
        self.state.config.image.config.user = user;
        self.tell(text, false)
    }

    pub(super) fn volume(&mut self, volumes: &[String]) -> Result<(), Fault> {
        let mut paths = Vec::new();
        for volume in volumes {
            paths.push(self.expand(volume)?);
        }
        let text = format!("VOLUME [{}]", paths.join(" "));
        if paths.iter().any(String::is_empty) {
            return Err(Fault::new("VOLUME specified can not be an empty string"));
        }
        let known = self.state.config.image.config.volumes.get_or_insert_default();
        known.extend(paths.into_iter().map(|path| (path, Empty {})));
        self.tell(text, false)
    }

    pub(super) fn workdir(&mut self, path: &str) -> Result<(), Fault> {
        let path = self.expand(path)?;
        if !self.state.config.has_workdir && !path.starts_with('/') {
            self.add(Rule::WorkdirRelativePath { path: &path });
        }
        self.state.config.has_workdir = true;
        let folder = paths::join(self.state.config.working_dir(), &path);
        spend_path(self, &folder)?;
        self.state.config.image.config.working_dir.clone_from(&folder);
        let text = format!("WORKDIR {folder}");
        if folder == "/" {
            return self.tell(text, false);
        }
        let expander = self.expander;
        let name = self.name(&self.instruction().text, &expander, &[]);
        let owner = self.state.config.container().user.clone();
        self.push(name, Operation::Folder { path: paths::clean(&folder), owner })?;
        self.tell(text, true)
    }
}

/// Relative ones add up.
fn spend_path(scope: &mut Scope<'_>, folder: &str) -> Result<(), Fault> {
    super::dispatch::spend(scope.room, folder.len())
}

/// `["a" "b"]`, as Go prints a list of quoted texts.
fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| go_quote(word)).collect();
    format!("[{}]", words.join(" "))
}
