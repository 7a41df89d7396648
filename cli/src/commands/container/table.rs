//! The rows of the commands on containers.

use super::{
    attach, commit, cp, create, diff, exec, export, inspect, kill, logs, ls, pause, port, prune,
    rename, restart, rm, run, start, stats, stop, top, unpause, update, wait,
};
use crate::args::Section;
use crate::args::spec::Arity::{Any, AtLeast, Between, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Entry::{Namespace, NamespaceIf};
use crate::args::spec::Group::{Common, Inner};
use crate::args::spec::{Exits, Ports, Spares, Spec};

const ONE_OR_MORE: &str = "[OPTIONS] CONTAINER [CONTAINER...]";
const SOME: &str = "CONTAINER [CONTAINER...]";

pub(crate) static TABLE: Section = Section {
    name: "container",
    about: "Manage containers",
    commands: &[
        Spec::new::<run::RunArgs>(
            &["run", "container run"],
            "[OPTIONS] IMAGE [COMMAND] [ARG...]",
            AtLeast(1),
        )
        .group(Common(1))
        .entry(Namespace)
        .trailing()
        .starts(Ports::OfFlag("publish"))
        .fails_as_run()
        .exits(Exits::Program)
        .on_node(),
        Spec::new::<exec::ExecArgs>(
            &["exec", "container exec"],
            "[OPTIONS] CONTAINER COMMAND [ARG...]",
            AtLeast(2),
        )
        .group(Common(2))
        .trailing()
        .joins()
        .spares(Spares::First)
        .exits(Exits::Joined)
        .on_node(),
        Spec::new::<ls::PsArgs>(
            &["ps", "container ls", "container list", "container ps"],
            "[OPTIONS]",
            NoArgs,
        )
        .effect(Looks)
        .group(Common(3))
        .entry(NamespaceIf("size"))
        .on_node(),
        Spec::new::<attach::AttachArgs>(
            &["attach", "container attach"],
            "[OPTIONS] CONTAINER",
            Exactly(1),
        )
        .exits(Exits::Attached)
        .on_node(),
        Spec::new::<commit::CommitArgs>(
            &["commit", "container commit"],
            "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
            Between(1, 2),
        )
        .entry(Namespace)
        .on_node(),
        Spec::new::<cp::CpArgs>(
            &["cp", "container cp"],
            "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH",
            Exactly(2),
        )
        .entry(Namespace)
        .on_node(),
        Spec::new::<create::CreateArgs>(
            &["create", "container create"],
            "[OPTIONS] IMAGE [COMMAND] [ARG...]",
            AtLeast(1),
        )
        .entry(Namespace)
        .trailing()
        .fails_as_run()
        .exits(Exits::Made)
        .on_node(),
        Spec::new::<diff::DiffArgs>(&["diff", "container diff"], "CONTAINER", Exactly(1))
            .effect(Looks)
            .entry(Namespace)
            .on_node(),
        Spec::new::<export::ExportArgs>(
            &["export", "container export"],
            "[OPTIONS] CONTAINER",
            Exactly(1),
        )
        .effect(Looks)
        .entry(Namespace)
        .on_node(),
        Spec::new::<kill::KillArgs>(&["kill", "container kill"], ONE_OR_MORE, AtLeast(1))
            .ends()
            .spares(Spares::Named)
            .on_node(),
        Spec::new::<logs::LogsArgs>(&["logs", "container logs"], "[OPTIONS] CONTAINER", Exactly(1))
            .effect(Looks)
            .on_node(),
        Spec::new::<pause::PauseArgs>(&["pause", "container pause"], SOME, AtLeast(1))
            .ends()
            .on_node(),
        Spec::new::<port::PortArgs>(
            &["port", "container port"],
            "CONTAINER [PRIVATE_PORT[/PROTO]]",
            Between(1, 2),
        )
        .effect(Looks)
        .on_node(),
        Spec::new::<rename::RenameArgs>(
            &["rename", "container rename"],
            "CONTAINER NEW_NAME",
            Exactly(2),
        )
        .on_node(),
        Spec::new::<restart::RestartArgs>(
            &["restart", "container restart"],
            ONE_OR_MORE,
            AtLeast(1),
        )
        .entry(Namespace)
        .starts(Ports::Any)
        .spares(Spares::Named)
        .on_node(),
        Spec::new::<rm::RmArgs>(
            &["rm", "container rm", "container remove"],
            ONE_OR_MORE,
            AtLeast(1),
        )
        .entry(Namespace)
        .ends()
        .spares(Spares::Named)
        .on_node(),
        Spec::new::<start::StartArgs>(&["start", "container start"], ONE_OR_MORE, AtLeast(1))
            .entry(Namespace)
            .starts(Ports::Any)
            .spares(Spares::Named)
            .exits(Exits::Attached)
            .on_node(),
        Spec::new::<stats::StatsArgs>(
            &["stats", "container stats"],
            "[OPTIONS] [CONTAINER...]",
            Any,
        )
        .effect(Looks)
        .on_node(),
        Spec::new::<stop::StopArgs>(&["stop", "container stop"], ONE_OR_MORE, AtLeast(1))
            .ends()
            .spares(Spares::Named)
            .on_node(),
        Spec::new::<top::TopArgs>(&["top", "container top"], "CONTAINER [ps OPTIONS]", AtLeast(1))
            .effect(Looks)
            .trailing()
            .on_node(),
        Spec::new::<unpause::UnpauseArgs>(&["unpause", "container unpause"], SOME, AtLeast(1))
            .ends()
            .on_node(),
        Spec::new::<update::UpdateArgs>(&["update", "container update"], ONE_OR_MORE, AtLeast(1))
            .on_node(),
        Spec::new::<wait::WaitArgs>(&["wait", "container wait"], SOME, AtLeast(1))
            .effect(Looks)
            .on_node(),
        Spec::new::<inspect::ContainerInspectArgs>(&["container inspect"], ONE_OR_MORE, AtLeast(1))
            .effect(Looks)
            .group(Inner)
            .entry(NamespaceIf("size"))
            .on_node(),
        Spec::new::<prune::ContainerPruneArgs>(&["container prune"], "[OPTIONS]", NoArgs)
            .group(Inner)
            .entry(Namespace)
            .on_node(),
    ],
};
