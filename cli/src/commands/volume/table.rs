//! The rows of the commands on volumes.

use super::{create, inspect, ls, prune, rm, update};
use crate::args::Section;
use crate::args::spec::Arity::{AtLeast, AtMost, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Entry::Namespace;
use crate::args::spec::Group::{Hidden, Inner};
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "volume",
    about: "Manage volumes",
    commands: &[
        Spec::new::<create::VolumeCreateArgs>(&["volume create"], "[OPTIONS] [VOLUME]", AtMost(1))
            .group(Inner)
            .entry(Namespace)
            .on_node(),
        Spec::new::<inspect::VolumeInspectArgs>(
            &["volume inspect"],
            "[OPTIONS] VOLUME [VOLUME...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .on_node(),
        Spec::new::<ls::VolumeLsArgs>(&["volume ls", "volume list"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<prune::VolumePruneArgs>(&["volume prune"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .entry(Namespace)
            .on_node(),
        Spec::new::<rm::VolumeRmArgs>(
            &["volume rm", "volume remove"],
            "[OPTIONS] VOLUME [VOLUME...]",
            AtLeast(1),
        )
        .group(Inner)
        .entry(Namespace)
        .on_node(),
        Spec::new::<update::VolumeUpdateArgs>(&["volume update"], "[OPTIONS] VOLUME", Exactly(1))
            .group(Hidden)
            .on_node(),
    ],
};
