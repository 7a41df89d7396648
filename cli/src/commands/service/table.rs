//! The rows of the commands on services.

use super::{inspect, ls, ps, rm};
use crate::args::Section;
use crate::args::spec::Arity::{AtLeast, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Group::Inner;
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "service",
    about: "Manage services of the swarm",
    commands: &[
        Spec::new::<inspect::ServiceInspectArgs>(
            &["service inspect"],
            "[OPTIONS] SERVICE [SERVICE...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner),
        Spec::new::<ls::ServiceLsArgs>(&["service ls", "service list"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner),
        Spec::new::<ps::ServicePsArgs>(
            &["service ps"],
            "[OPTIONS] SERVICE [SERVICE...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner),
        Spec::new::<rm::ServiceRmArgs>(
            &["service rm", "service remove"],
            "SERVICE [SERVICE...]",
            AtLeast(1),
        )
        .group(Inner),
    ],
};
