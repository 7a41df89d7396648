//! The rows of the commands about the engine as a whole, and of those that belong to no object.

use super::{
    check, complete, completion, df, dial_stdio, events, info, inspect, login, logout, man, prune,
    reset, service, unit, unshare, version, with_api,
};
use crate::args::Section;
use crate::args::spec::Arity::{Any, AtLeast, AtMost, Exactly, None as NoArgs};
use crate::args::spec::Effect::{ChangesIf, Looks, Nothing};
use crate::args::spec::Entry::{Namespace, NamespaceIf};
use crate::args::spec::Group::{Common, Hidden, Inner};
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "system",
    about: "See and clean up what is stored",
    commands: &[
        Spec::new::<login::LoginArgs>(&["login"], "[OPTIONS] [SERVER]", AtMost(1))
            .effect(Looks)
            .group(Common(8))
            .apart()
            .of_machine(),
        Spec::new::<logout::LogoutArgs>(&["logout"], "[SERVER]", AtMost(1))
            .effect(Looks)
            .group(Common(9))
            .apart()
            .of_machine(),
        Spec::new::<version::VersionArgs>(&["version"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Common(11))
            .apart()
            .of_machine(),
        Spec::new::<info::InfoArgs>(&["info", "system info"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Common(12))
            .on_node(),
        Spec::new::<completion::CompletionArgs>(
            &["completion"],
            "[OPTIONS] bash|zsh|fish|elvish|powershell",
            AtMost(1),
        )
        .effect(Nothing)
        .apart()
        .of_machine(),
        Spec::new::<events::EventsArgs>(&["events", "system events"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .apart()
            .on_node(),
        Spec::new::<inspect::InspectArgs>(
            &["inspect"],
            "[OPTIONS] NAME|ID [NAME|ID...]",
            AtLeast(1),
        )
        .effect(Looks)
        .on_node()
        .entry(NamespaceIf("size")),
        Spec::new::<unshare::UnshareArgs>(&["unshare"], "[COMMAND] [ARG...]", Any)
            .entry(Namespace)
            .trailing(),
        Spec::new::<check::SystemCheckArgs>(&["system check"], "[OPTIONS]", NoArgs)
            .effect(ChangesIf("repair"))
            .group(Inner)
            .entry(Namespace),
        Spec::new::<df::SystemDfArgs>(&["system df"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .entry(Namespace),
        Spec::new::<prune::SystemPruneArgs>(&["system prune"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .entry(Namespace),
        Spec::new::<reset::SystemResetArgs>(&["system reset"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .entry(Namespace),
        Spec::new::<service::SystemServiceArgs>(
            &["system service"],
            "[OPTIONS] [SOCKET]",
            AtMost(1),
        )
        .effect(Looks)
        .group(Inner)
        .apart()
        .of_machine(),
        Spec::new::<dial_stdio::SystemDialStdioArgs>(&["system dial-stdio"], "", NoArgs)
            .effect(Looks)
            .group(Hidden)
            .apart()
            .of_machine(),
        Spec::new::<unit::SystemUnitArgs>(
            &["system unit"],
            "[OPTIONS] api|containers|swarm",
            Exactly(1),
        )
        .effect(Nothing)
        .group(Inner)
        .apart()
        .of_machine(),
        Spec::new::<with_api::WithApiArgs>(&["with-api"], "[OPTIONS] COMMAND [ARG...]", AtLeast(1))
            .effect(Looks)
            .trailing()
            .of_machine(),
        Spec::new::<complete::CompleteArgs>(&["__complete"], "WORD...", Any)
            .effect(Nothing)
            .group(Hidden)
            .apart()
            .trailing()
            .of_machine(),
        Spec::new::<man::ManArgs>(&["man"], "DIRECTORY", Exactly(1))
            .effect(Nothing)
            .group(Hidden)
            .apart()
            .of_machine(),
    ],
};
