//! The rows of the commands on secrets and configs.

use super::{create, inspect, ls, rm, rotate};
use crate::args::Section;
use crate::args::spec::Arity::{AtLeast, Between, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Group::Inner;
use crate::args::spec::Spec;

pub(crate) static SECRETS: Section = Section {
    name: "secret",
    about: "Manage secrets of the swarm",
    commands: &[
        Spec::new::<create::SecretCreateArgs>(
            &["secret create"],
            "[OPTIONS] SECRET [file|-]",
            Between(1, 2),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<inspect::SecretInspectArgs>(
            &["secret inspect"],
            "[OPTIONS] SECRET [SECRET...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .on_node(),
        Spec::new::<ls::SecretLsArgs>(&["secret ls", "secret list"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<rm::SecretRmArgs>(
            &["secret rm", "secret remove"],
            "SECRET [SECRET...]",
            AtLeast(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<rotate::SecretRotateArgs>(
            &["secret rotate"],
            "[OPTIONS] SECRET file|-",
            Exactly(2),
        )
        .group(Inner)
        .on_node(),
    ],
};

pub(crate) static CONFIGS: Section = Section {
    name: "config",
    about: "Manage configs of the swarm",
    commands: &[
        Spec::new::<create::ConfigCreateArgs>(
            &["config create"],
            "[OPTIONS] CONFIG file|-",
            Exactly(2),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<inspect::ConfigInspectArgs>(
            &["config inspect"],
            "[OPTIONS] CONFIG [CONFIG...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .on_node(),
        Spec::new::<ls::ConfigLsArgs>(&["config ls", "config list"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<rm::ConfigRmArgs>(
            &["config rm", "config remove"],
            "CONFIG [CONFIG...]",
            AtLeast(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<rotate::ConfigRotateArgs>(
            &["config rotate"],
            "[OPTIONS] CONFIG file|-",
            Exactly(2),
        )
        .group(Inner)
        .on_node(),
    ],
};
