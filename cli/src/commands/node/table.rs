//! The rows of the commands on nodes.

use super::{inspect, ls, promote, ps, rehearse, rm, update};
use crate::args::Section;
use crate::args::spec::Arity::{Any, AtLeast, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Group::Inner;
use crate::args::spec::Spec;

const SEVERAL: &str = "NODE [NODE...]";

pub(crate) static TABLE: Section = Section {
    name: "node",
    about: "Manage nodes of the swarm",
    commands: &[
        Spec::new::<rehearse::NodeAddArgs>(&["node add"], "[OPTIONS] NAME", Exactly(1))
            .group(Inner)
            .on_node(),
        Spec::new::<promote::NodeDemoteArgs>(&["node demote"], SEVERAL, AtLeast(1))
            .group(Inner)
            .on_node(),
        Spec::new::<inspect::NodeInspectArgs>(
            &["node inspect"],
            "[OPTIONS] self|NODE [NODE...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .on_node(),
        Spec::new::<rehearse::NodeKillArgs>(&["node kill"], SEVERAL, AtLeast(1))
            .group(Inner)
            .of_machine(),
        Spec::new::<ls::NodeLsArgs>(&["node ls", "node list"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<promote::NodePromoteArgs>(&["node promote"], SEVERAL, AtLeast(1))
            .group(Inner)
            .on_node(),
        Spec::new::<ps::NodePsArgs>(&["node ps"], "[OPTIONS] [NODE...]", Any)
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<rm::NodeRmArgs>(
            &["node rm", "node remove"],
            "[OPTIONS] NODE [NODE...]",
            AtLeast(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<rehearse::NodeStartArgs>(&["node start"], SEVERAL, AtLeast(1))
            .group(Inner)
            .of_machine(),
        Spec::new::<rehearse::NodeStopArgs>(&["node stop"], SEVERAL, AtLeast(1))
            .group(Inner)
            .of_machine(),
        Spec::new::<update::NodeUpdateArgs>(&["node update"], "[OPTIONS] NODE", Exactly(1))
            .group(Inner)
            .on_node(),
    ],
};
