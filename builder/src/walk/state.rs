//! What is known of each stage on the way.

use std::rc::Rc;

use coracle_image::Platform;
use coracle_image::config::{ContainerConfig, ImageConfig};

use super::env::Env;
use super::names::Numbers;
use super::outline::Notes;
use super::paths;
use crate::instruction::Instruction;
use crate::limits::TEXT_BYTES;
use crate::plan::From;
use crate::source::Span;

/// A stage, or an image that something is copied from.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) base_name: String,
    /// The stage that it begins with.
    pub(super) base: Option<usize>,
    pub(super) name: Option<String>,
    /// What it is called in messages.
    pub(super) title: String,
    pub(super) span: Span,
    pub(super) platform: Option<Platform>,
    pub(super) steps: Vec<Step>,
    /// What it takes from, and where.
    pub(super) needs: Vec<(usize, Span)>,
    /// Not only something to copy from.
    pub(super) is_stage: bool,
    /// A context of its name stands in its stead.
    pub(super) is_context: bool,
    pub(super) is_resolved: bool,
    pub(super) has_triggers: bool,
    pub(super) is_done: bool,
    pub(super) ignores_cache: bool,
    pub(super) config: Config,
    pub(super) used: Used,
    /// Comments above its begin.
    pub(super) comments: Vec<String>,
    pub(super) notes: Notes,
    pub(super) numbers: Numbers,
    /// What its root filesystem is, as far as the walk came.
    pub(super) files: Files,
}

/// Files of a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files(Option<From>);

impl Files {
    pub(super) fn of(from: From) -> Self {
        Self(Some(from).filter(|from| *from != From::Nothing))
    }

    pub(super) fn from(&self) -> From {
        self.0.clone().unwrap_or(From::Nothing)
    }
}

/// What a stage hands on to those that begin with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Config {
    /// What instructions see.
    pub(super) env: Env,
    /// What containers see.
    pub(super) image_env: Env,
    /// It may have variables that nobody knows of.
    pub(super) is_open: bool,
    /// `ARG`, in the order in which each was first declared, with the value it was last given.
    pub(super) args: Vec<(Rc<str>, Option<Rc<str>>)>,
    pub(super) has_workdir: bool,
    /// All but its variables.
    pub(super) image: ImageConfig,
    /// Entries of its history that come from the base image.
    pub(super) inherited: usize,
    /// Roughly, what a copy of it takes.
    pub(super) bytes: usize,
}

/// Where the last one of a kind is, of those of which only the last one counts.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub(super) cmd: Option<Span>,
    pub(super) entrypoint: Option<Span>,
    pub(super) healthcheck: Option<Span>,
}

/// An instruction and what it takes from: for each mount of a `RUN`, or the one of a `COPY`.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) instruction: Instruction,
    pub(super) is_trigger: bool,
    pub(super) sources: Vec<Source>,
}

#[derive(Debug)]
pub(super) struct Source {
    pub(super) state: usize,
    /// As written; empty for a mount that names nothing.
    pub(super) name: String,
}

/// What every stage begins with: images that have no search path get this one.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Config {
    /// That of `scratch`.
    pub(super) fn empty(platform: &Platform) -> Self {
        let mut config = Self::default();
        config.image.os.clone_from(&platform.os);
        config.image.architecture.clone_from(&platform.architecture);
        config.image.variant = Some(platform.variant.clone()).filter(|variant| !variant.is_empty());
        config.image.config.working_dir = "/".to_owned();
        config.image_env.set("PATH", PATH);
        config
    }

    /// That of an image of which nobody knows anything.
    pub(super) fn unknown() -> Self {
        Self { is_open: true, ..Self::default() }
    }

    /// What is taken over from an image.
    pub(super) fn of(image: ImageConfig) -> Self {
        let mut config = Self { inherited: image.history.len(), image, ..Self::default() };
        let image = &mut config.image;
        (image.comment, image.created, image.docker_version) = (None, None, None);
        for entry in image.config.env.take().into_iter().flatten() {
            let (name, value) = entry.split_once('=').unwrap_or((&entry, ""));
            config.image_env.set_in_place(name, value);
        }
        let history = image.history.iter().map(|it| it.created_by.as_ref().map_or(0, String::len));
        let labels =
            image.config.labels.iter().flatten().map(|(key, value)| key.len() + value.len());
        config.bytes = history.chain(labels).map(|bytes| bytes + TEXT_BYTES).sum();
        config
    }

    /// What a stage takes over that begins with the one that this is of.
    pub(super) fn for_child(&self) -> Self {
        let mut config = self.clone();
        config.image.config.on_build = None;
        config
    }

    /// What was done there is taken over, and now comes the stage's own.
    pub(super) fn begin(&mut self) {
        if self.image_env.get("PATH").is_none() {
            self.image_env.set_in_place("PATH", PATH);
        }
        let image_env = self.image_env.clone();
        self.env.extend(&image_env);
        let written = &self.container().working_dir;
        if !written.is_empty() && !written.starts_with('/') {
            let joined = paths::join(&format!("/{written}"), written);
            self.image.config.working_dir = joined;
        }
    }

    pub(super) fn container(&self) -> &ContainerConfig {
        &self.image.config
    }

    pub(super) fn working_dir(&self) -> &str {
        match self.image.config.working_dir.as_str() {
            "" => "/",
            folder => folder,
        }
    }

    /// Declares an argument, again or for the first time.
    pub(super) fn declare(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(Rc::from);
        match self.args.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, known)) => *known = value,
            None => self.args.push((name.into(), value)),
        }
    }

    /// The values of arguments that a command sees: `|2 A=1 B=`, in front of it in the history.
    pub(super) fn args_of_command(&self) -> Option<String> {
        let values = self.args.iter().map(|(name, value)| {
            let value = self.env.get(name).or_else(|| value.as_ref().map(ToString::to_string));
            format!("{name}={}", value.unwrap_or_default())
        });
        let values: Vec<String> = values.collect();
        let first = format!("|{}", values.len());
        (!values.is_empty()).then(|| format!("{first} {}", values.join(" ")))
    }
}
