//! The rows of the commands on the swarm.

use super::{ca, init, join, join_token, leave, unlock, unlock_key, update};
use crate::args::Section;
use crate::args::spec::Arity::{Exactly, None as NoArgs};
use crate::args::spec::Effect::ChangesIf;
use crate::args::spec::Group::{Hidden, Inner};
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "swarm",
    about: "Manage the swarm",
    commands: &[
        Spec::new::<ca::SwarmCaArgs>(&["swarm ca"], "[OPTIONS]", NoArgs).group(Hidden).on_node(),
        Spec::new::<init::SwarmInitArgs>(&["swarm init"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .on_node(),
        Spec::new::<join::SwarmJoinArgs>(&["swarm join"], "[OPTIONS] HOST:PORT", Exactly(1))
            .group(Inner)
            .on_node(),
        Spec::new::<join_token::SwarmJoinTokenArgs>(
            &["swarm join-token"],
            "[OPTIONS] (worker|manager)",
            Exactly(1),
        )
        .effect(ChangesIf("rotate"))
        .group(Inner)
        .on_node(),
        Spec::new::<leave::SwarmLeaveArgs>(&["swarm leave"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .on_node(),
        Spec::new::<unlock::SwarmUnlockArgs>(&["swarm unlock"], "", NoArgs).group(Inner).on_node(),
        Spec::new::<unlock_key::SwarmUnlockKeyArgs>(&["swarm unlock-key"], "[OPTIONS]", NoArgs)
            .effect(ChangesIf("rotate"))
            .group(Inner)
            .on_node(),
        Spec::new::<update::SwarmUpdateArgs>(&["swarm update"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .on_node(),
    ],
};
