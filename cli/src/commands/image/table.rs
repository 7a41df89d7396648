//! The rows of the commands on images.

use super::{history, import, inspect, load, ls, prune, pull, push, rm, save, tag};
use crate::args::Section;
use crate::args::spec::Arity::{AtLeast, AtMost, Between, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Entry::Namespace;
use crate::args::spec::Group::{Common, Inner};
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "image",
    about: "Manage images",
    commands: &[
        Spec::new::<pull::PullArgs>(
            &["pull", "image pull"],
            "[OPTIONS] NAME[:TAG|@DIGEST]",
            Exactly(1),
        )
        .group(Common(5))
        .entry(Namespace)
        .of_machine(),
        Spec::new::<push::PushArgs>(&["push", "image push"], "[OPTIONS] NAME[:TAG]", Exactly(1))
            .group(Common(6))
            .entry(Namespace)
            .of_machine(),
        Spec::new::<ls::ImagesArgs>(
            &["images", "image ls", "image list"],
            "[OPTIONS] [REPOSITORY[:TAG]]",
            AtMost(1),
        )
        .effect(Looks)
        .group(Common(7))
        .of_machine(),
        Spec::new::<history::HistoryArgs>(
            &["history", "image history"],
            "[OPTIONS] IMAGE",
            Exactly(1),
        )
        .effect(Looks)
        .of_machine(),
        Spec::new::<import::ImportArgs>(
            &["import", "image import"],
            "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
            Between(1, 2),
        )
        .entry(Namespace)
        .of_machine(),
        Spec::new::<load::LoadArgs>(&["load", "image load"], "[OPTIONS]", NoArgs)
            .entry(Namespace)
            .of_machine(),
        Spec::new::<rm::RmiArgs>(
            &["rmi", "image rm", "image remove"],
            "[OPTIONS] IMAGE [IMAGE...]",
            AtLeast(1),
        )
        .entry(Namespace)
        .of_machine(),
        Spec::new::<save::SaveArgs>(
            &["save", "image save"],
            "[OPTIONS] IMAGE [IMAGE...]",
            AtLeast(1),
        )
        .effect(Looks)
        .entry(Namespace)
        .of_machine(),
        Spec::new::<tag::TagArgs>(
            &["tag", "image tag"],
            "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
            Exactly(2),
        )
        .of_machine(),
        Spec::new::<inspect::ImageInspectArgs>(
            &["image inspect"],
            "[OPTIONS] IMAGE [IMAGE...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .of_machine(),
        Spec::new::<prune::ImagePruneArgs>(&["image prune"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .entry(Namespace)
            .of_machine(),
    ],
};
