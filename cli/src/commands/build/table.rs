//! The rows of the commands around builds.

use super::args::BuildArgs;
use super::bake::BakeArgs;
use crate::args::Section;
use crate::args::spec::Arity::{Any, Exactly};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Group::{Common, Inner};
use crate::args::spec::Spec;

pub(crate) static BUILDER: Section = Section {
    name: "builder",
    about: "Manage builds",
    commands: &[Spec::new::<BuildArgs>(
        &["build", "image build", "builder build", "buildx build", "buildx b"],
        "[OPTIONS] PATH | URL | -",
        Exactly(1),
    )
    .effect(Looks)
    .group(Common(4))
    .apart()
    .of_machine()],
};

/// What has a name of its own is in the other section.
pub(crate) static BUILDX: Section = Section {
    name: "buildx",
    about: "Builds by the name of Docker's plugin",
    commands: &[Spec::new::<BakeArgs>(&["buildx bake", "buildx f"], "[OPTIONS] [TARGET...]", Any)
        .group(Inner)
        .apart()
        .of_machine()],
};
