//! The rows of the commands on stacks.

use super::config;
use crate::args::Section;
use crate::args::spec::Arity::None as NoArgs;
use crate::args::spec::Effect::Nothing;
use crate::args::spec::Group::Inner;
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "stack",
    about: "Manage stacks of the swarm",
    commands: &[Spec::new::<config::StackConfigArgs>(&["stack config"], "[OPTIONS]", NoArgs)
        .effect(Nothing)
        .apart()
        .group(Inner)],
};
