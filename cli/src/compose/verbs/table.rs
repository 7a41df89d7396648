//! The rows of the commands of Compose.

use super::{
    attach, build, commit, config, cp, create, down, events, exec, export, images, lifecycle, logs,
    ls, plan, port, ps, publish, pull, push, rm, run, scale, stats, top, up, version, volumes,
    wait, watch, why,
};
use crate::args::Section;
use crate::args::spec::Arity::{Any, AtLeast, AtMost, Between, Exactly, None as NoArgs};
use crate::args::spec::Effect::{ChangesIf, Looks};
use crate::args::spec::Entry::{Namespace, NamespaceIf};
use crate::args::spec::Group::Inner;
use crate::args::spec::{Exits, Ports, Spares, Spec};
use crate::compose::ComposeGlobals;

/// `compose` itself: its options, which stand before the subcommand.
pub(crate) static COMPOSE: Spec =
    Spec::new::<ComposeGlobals>(&["compose"], "[OPTIONS] COMMAND", Any).trailing();

pub(crate) static TABLE: Section = Section {
    name: "compose",
    about: "Define and run multi-container applications",
    commands: &[
        Spec::new::<create::ComposeCreateArgs>(&["compose create"], "[OPTIONS] [SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace)
            .builds(),
        Spec::new::<down::ComposeDownArgs>(&["compose down"], "[OPTIONS] [SERVICES]", Any)
            .group(Inner)
            .entry(Namespace)
            .ends()
            .spares(Spares::Projects),
        Spec::new::<lifecycle::ComposeKillArgs>(&["compose kill"], "[OPTIONS] [SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace)
            .ends()
            .spares(Spares::Projects),
        Spec::new::<logs::ComposeLogsArgs>(&["compose logs"], "[OPTIONS] [SERVICE...]", Any)
            .effect(Looks)
            .group(Inner),
        Spec::new::<ls::ComposeLsArgs>(&["compose ls"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner),
        Spec::new::<lifecycle::ComposePauseArgs>(&["compose pause"], "[SERVICE...]", Any)
            .group(Inner)
            .ends(),
        Spec::new::<plan::ComposePlanArgs>(&["compose plan"], "[OPTIONS] [SERVICE...]", Any)
            .effect(Looks)
            .group(Inner)
            .entry(Namespace),
        Spec::new::<ps::ComposePsArgs>(&["compose ps"], "[OPTIONS] [SERVICE...]", Any)
            .effect(Looks)
            .group(Inner),
        Spec::new::<lifecycle::ComposeRestartArgs>(
            &["compose restart"],
            "[OPTIONS] [SERVICE...]",
            Any,
        )
        .group(Inner)
        .entry(Namespace)
        .starts(Ports::Any),
        Spec::new::<rm::ComposeRmArgs>(&["compose rm"], "[OPTIONS] [SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace)
            .ends()
            .spares(Spares::Projects),
        Spec::new::<scale::ComposeScaleArgs>(&["compose scale"], "[SERVICE=REPLICAS...]", Any)
            .group(Inner)
            .entry(Namespace)
            .builds()
            .starts(Ports::Any),
        Spec::new::<lifecycle::ComposeStartArgs>(&["compose start"], "[SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace)
            .starts(Ports::Any),
        Spec::new::<lifecycle::ComposeStopArgs>(&["compose stop"], "[OPTIONS] [SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace)
            .ends()
            .spares(Spares::Projects),
        Spec::new::<lifecycle::ComposeUnpauseArgs>(&["compose unpause"], "[SERVICE...]", Any)
            .group(Inner)
            .ends(),
        Spec::new::<why::ComposeWhyArgs>(&["compose why"], "SERVICE [SERVICE...]", AtLeast(1))
            .effect(Looks)
            .group(Inner)
            .entry(Namespace),
        Spec::new::<up::UpArgs>(&["compose up"], "[OPTIONS] [SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace)
            .builds()
            .starts(Ports::Any),
        Spec::new::<config::ComposeConfigArgs>(
            &["compose config", "compose convert"],
            "[OPTIONS] [SERVICE...]",
            Any,
        )
        .effect(Looks)
        .group(Inner)
        .apart(),
        Spec::new::<attach::ComposeAttachArgs>(
            &["compose attach"],
            "[OPTIONS] SERVICE",
            AtLeast(1),
        )
        .group(Inner),
        Spec::new::<build::ComposeBuildArgs>(&["compose build"], "[OPTIONS] [SERVICE...]", Any)
            .group(Inner)
            .apart(),
        Spec::new::<commit::ComposeCommitArgs>(
            &["compose commit"],
            "[OPTIONS] SERVICE [REPOSITORY[:TAG]]",
            Between(1, 2),
        )
        .group(Inner)
        .entry(Namespace),
        Spec::new::<cp::ComposeCpArgs>(
            &["compose cp"],
            "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|- | SRC_PATH|- SERVICE:DEST_PATH",
            Exactly(2),
        )
        .group(Inner)
        .entry(Namespace),
        Spec::new::<events::ComposeEventsArgs>(&["compose events"], "[OPTIONS] [SERVICE...]", Any)
            .effect(Looks)
            .group(Inner)
            .apart(),
        Spec::new::<exec::ComposeExecArgs>(
            &["compose exec"],
            "[OPTIONS] SERVICE COMMAND [ARGS...]",
            AtLeast(2),
        )
        .group(Inner)
        .trailing()
        .joins()
        .spares(Spares::Projects)
        .exits(Exits::Joined),
        Spec::new::<export::ComposeExportArgs>(
            &["compose export"],
            "[OPTIONS] SERVICE",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .entry(Namespace),
        Spec::new::<images::ComposeImagesArgs>(&["compose images"], "[OPTIONS] [SERVICE...]", Any)
            .effect(Looks)
            .group(Inner),
        Spec::new::<port::ComposePortArgs>(
            &["compose port"],
            "[OPTIONS] SERVICE PRIVATE_PORT",
            AtLeast(2),
        )
        .effect(Looks)
        .group(Inner),
        Spec::new::<publish::ComposePublishArgs>(
            &["compose publish"],
            "[OPTIONS] REPOSITORY[:TAG]",
            Exactly(1),
        )
        .effect(Looks)
        .group(Inner)
        .apart(),
        Spec::new::<pull::ComposePullArgs>(&["compose pull"], "[OPTIONS] [SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace),
        Spec::new::<push::ComposePushArgs>(&["compose push"], "[OPTIONS] [SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace),
        Spec::new::<run::ComposeRunArgs>(
            &["compose run"],
            "[OPTIONS] SERVICE [COMMAND] [ARGS...]",
            AtLeast(1),
        )
        .group(Inner)
        .entry(Namespace)
        .builds()
        .trailing()
        .starts(Ports::Any)
        .exits(Exits::Program),
        Spec::new::<stats::ComposeStatsArgs>(&["compose stats"], "[OPTIONS] [SERVICE]", AtMost(1))
            .effect(Looks)
            .group(Inner),
        Spec::new::<top::ComposeTopArgs>(&["compose top"], "[SERVICES...]", Any)
            .effect(Looks)
            .group(Inner),
        Spec::new::<version::ComposeVersionArgs>(&["compose version"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .apart(),
        Spec::new::<volumes::ComposeVolumesArgs>(
            &["compose volumes"],
            "[OPTIONS] [SERVICE...]",
            Any,
        )
        .effect(Looks)
        .group(Inner),
        Spec::new::<wait::ComposeWaitArgs>(
            &["compose wait"],
            "SERVICE [SERVICE...] [OPTIONS]",
            AtLeast(1),
        )
        .effect(ChangesIf("down_project"))
        .group(Inner)
        .entry(NamespaceIf("down_project")),
        Spec::new::<watch::ComposeWatchArgs>(&["compose watch"], "[SERVICE...]", Any)
            .group(Inner)
            .entry(Namespace)
            .builds()
            // Nobody waits outside for as long as it goes on.
            .starts(Ports::None),
    ],
};
