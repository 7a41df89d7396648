//! What is known of each stage on the way.

use coracle_image::Platform;

use super::BaseImage;
use super::env::Env;
use crate::instruction::Instruction;
use crate::source::Span;

/// A stage, or an image that something is copied from.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) base_name: String,
    /// The stage that it begins with.
    pub(super) base: Option<usize>,
    pub(super) image: Image,
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
    pub(super) config: Config,
    pub(super) used: Used,
}

/// What a stage begins with, when it is no other stage.
#[derive(Debug, Default)]
pub(super) enum Image {
    #[default]
    Empty,
    Unknown,
    Known(Box<BaseImage>),
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
    /// Names of `ARG`, with or without a value.
    pub(super) args: Vec<String>,
    pub(super) shell: Vec<String>,
    pub(super) working_dir: String,
    pub(super) has_workdir: bool,
}

/// Where the last one of a kind is, of those of which only the last one counts.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub(super) cmd: Option<Span>,
    pub(super) entrypoint: Option<Span>,
    pub(super) healthcheck: Option<Span>,
}

/// An instruction and what it takes from: for each mount of a `RUN` that names something, or the
/// one of a `COPY`.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) instruction: Instruction,
    pub(super) sources: Vec<Source>,
}

#[derive(Debug)]
pub(super) struct Source {
    pub(super) state: usize,
    /// As written.
    pub(super) name: String,
}

impl Image {
    pub(super) fn config(&self) -> Config {
        let Self::Known(image) = self else {
            return Config { is_open: matches!(self, Self::Unknown), ..Config::default() };
        };
        let mut config = Config {
            shell: image.shell.clone(),
            working_dir: image.working_dir.clone(),
            ..Config::default()
        };
        for entry in &image.env {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            config.image_env.set(name, value);
        }
        config
    }
}
