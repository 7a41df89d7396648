//! The rows of the commands on the swarm.

use super::{init, leave};
use crate::args::Section;
use crate::args::spec::Arity::None as NoArgs;
use crate::args::spec::Group::Inner;
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "swarm",
    about: "Manage the swarm",
    commands: &[
        Spec::new::<init::SwarmInitArgs>(&["swarm init"], "[OPTIONS]", NoArgs).group(Inner),
        Spec::new::<leave::SwarmLeaveArgs>(&["swarm leave"], "[OPTIONS]", NoArgs).group(Inner),
    ],
};
