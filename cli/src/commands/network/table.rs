//! The rows of the commands on networks.

use super::{connect, create, disconnect, inspect, ls, prune, rm};
use crate::args::Section;
use crate::args::spec::Arity::{AtLeast, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Group::Inner;
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "network",
    about: "Manage networks",
    commands: &[
        Spec::new::<connect::NetworkConnectArgs>(
            &["network connect"],
            "[OPTIONS] NETWORK CONTAINER",
            Exactly(2),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<create::NetworkCreateArgs>(
            &["network create"],
            "[OPTIONS] NETWORK",
            Exactly(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<disconnect::NetworkDisconnectArgs>(
            &["network disconnect"],
            "[OPTIONS] NETWORK CONTAINER",
            Exactly(2),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<inspect::NetworkInspectArgs>(
            &["network inspect"],
            "[OPTIONS] NETWORK [NETWORK...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .on_node(),
        Spec::new::<ls::NetworkLsArgs>(&["network ls", "network list"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<prune::NetworkPruneArgs>(&["network prune"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .on_node(),
        Spec::new::<rm::NetworkRmArgs>(
            &["network rm", "network remove"],
            "NETWORK [NETWORK...]",
            AtLeast(1),
        )
        .group(Inner)
        .on_node(),
    ],
};
