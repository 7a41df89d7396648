//! The rows of the commands around builds.

use super::args::BuildArgs;
use super::bake::BakeArgs;
use super::{builders, cache};
use crate::args::Section;
use crate::args::spec::Arity::{Any, AtMost, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Entry::Namespace;
use crate::args::spec::Group::{Common, Hidden, Inner};
use crate::args::spec::{Arity, Runnable, Spec};

pub(crate) static BUILDER: Section = Section {
    name: "builder",
    about: "Manage builds",
    commands: &[
        Spec::new::<BuildArgs>(
            &["build", "image build", "builder build", "buildx build", "buildx b"],
            "[OPTIONS] PATH | URL | -",
            Exactly(1),
        )
        .effect(Looks)
        .group(Common(4))
        .apart()
        .of_machine(),
        Spec::new::<cache::BuilderDuArgs>(&["builder du", "buildx du"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .entry(Namespace)
            .of_machine(),
        Spec::new::<cache::BuilderPruneArgs>(
            &["builder prune", "buildx prune"],
            "[OPTIONS]",
            NoArgs,
        )
        .group(Inner)
        .entry(Namespace)
        .of_machine(),
    ],
};

/// What has a name of its own is in the other section.
pub(crate) static BUILDX: Section = Section {
    name: "buildx",
    about: "Builds by the name of Docker's plugin",
    commands: &[
        Spec::new::<BakeArgs>(&["buildx bake", "buildx f"], "[OPTIONS] [TARGET...]", Any)
            .group(Inner)
            .apart()
            .of_machine(),
        of_builder::<builders::BuildxInspectArgs>(
            &["buildx inspect"],
            "[OPTIONS] [NAME]",
            AtMost(1),
        ),
        of_builder::<builders::BuildxLsArgs>(&["buildx ls", "buildx list"], "[OPTIONS]", NoArgs),
        of_builder::<builders::BuildxRmArgs>(&["buildx rm"], "[OPTIONS] [NAME...]", Any),
        of_builder::<builders::BuildxStopArgs>(&["buildx stop"], "[NAME]", AtMost(1)),
        of_builder::<builders::BuildxUseArgs>(&["buildx use"], "[OPTIONS] NAME", Exactly(1)),
        of_builder::<builders::BuildxVersionArgs>(&["buildx version"], "", NoArgs),
        refuse::<builders::Create>(&["buildx create"]),
        refuse::<builders::Dap>(&["buildx dap"]),
        refuse::<builders::DialStdio>(&["buildx dial-stdio"]),
        refuse::<builders::History>(&["buildx history"]),
        refuse::<builders::Imagetools>(&["buildx imagetools"]),
        refuse::<builders::Install>(&["buildx install"]),
        refuse::<builders::Policy>(&["buildx policy"]),
        refuse::<builders::Uninstall>(&["buildx uninstall"]),
    ],
};

/// About the builder: nothing is done to it.
const fn of_builder<R: Runnable>(
    names: &'static [&'static str],
    usage: &'static str,
    arity: Arity,
) -> Spec {
    Spec::new::<R>(names, usage, arity).effect(Looks).group(Inner).apart().of_machine()
}

const fn refuse<R: Runnable>(names: &'static [&'static str]) -> Spec {
    Spec::new::<R>(names, "[ARG...]", Any).effect(Looks).group(Hidden).apart().of_machine()
}
