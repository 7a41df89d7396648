//! The rows of the commands on stacks.

use super::{config, deploy, ls, plan, ps, rm, services};
use crate::args::Section;
use crate::args::spec::Arity::{AtLeast, Exactly, None as NoArgs};
use crate::args::spec::Effect::{Looks, Nothing};
use crate::args::spec::Group::Inner;
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "stack",
    about: "Manage stacks of the swarm",
    commands: &[
        Spec::new::<config::StackConfigArgs>(&["stack config"], "[OPTIONS]", NoArgs)
            .effect(Nothing)
            .apart()
            .group(Inner)
            .on_node(),
        Spec::new::<deploy::StackDeployArgs>(
            &["stack deploy", "stack up"],
            "[OPTIONS] STACK",
            Exactly(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<ls::StackLsArgs>(&["stack ls", "stack list"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<plan::StackPlanArgs>(&["stack plan"], "[OPTIONS] STACK", Exactly(1))
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<ps::StackPsArgs>(&["stack ps"], "[OPTIONS] STACK", Exactly(1))
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<rm::StackRmArgs>(
            &["stack rm", "stack remove", "stack down"],
            "[OPTIONS] STACK [STACK...]",
            AtLeast(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<services::StackServicesArgs>(
            &["stack services"],
            "[OPTIONS] STACK",
            Exactly(1),
        )
        .effect(Looks)
        .group(Inner)
        .on_node(),
    ],
};
