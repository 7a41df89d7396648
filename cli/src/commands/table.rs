//! Every command: its names, its arguments, what it needs.

use super as c;
use crate::args::spec::Arity::{Any, AtLeast, AtMost, Between, Exactly, None as NoArgs};
use crate::args::spec::Effect::{Apart, ChangesIf, Looks};
use crate::args::spec::Entry::{Namespace, NamespaceIf};
use crate::args::spec::Group::{Common, Hidden, Inner};
use crate::args::spec::Spec;
use crate::compose::{self, verbs};

const ONE_OR_MORE: &str = "[OPTIONS] CONTAINER [CONTAINER...]";
const SOME: &str = "CONTAINER [CONTAINER...]";

/// `compose` itself: its options, which stand before the subcommand.
pub(crate) static COMPOSE: Spec =
    Spec::new::<compose::ComposeGlobals>(&["compose"], "[OPTIONS] COMMAND", Any).trailing();

/// In the order of the general help.
pub(crate) static COMMANDS: &[Spec] = &[
    // Common commands.
    Spec::new::<c::container::run::RunArgs>(
        &["run", "container run"],
        "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        AtLeast(1),
    )
    .group(Common)
    .entry(Namespace)
    .trailing(),
    Spec::new::<c::container::exec::ExecArgs>(
        &["exec", "container exec"],
        "[OPTIONS] CONTAINER COMMAND [ARG...]",
        AtLeast(2),
    )
    .group(Common)
    .trailing(),
    Spec::new::<c::container::ls::PsArgs>(
        &["ps", "container ls", "container list", "container ps"],
        "[OPTIONS]",
        NoArgs,
    )
    .effect(Looks)
    .group(Common)
    .entry(NamespaceIf("size")),
    Spec::new::<c::image::pull::PullArgs>(
        &["pull", "image pull"],
        "[OPTIONS] NAME[:TAG|@DIGEST]",
        Exactly(1),
    )
    .group(Common)
    .entry(Namespace),
    Spec::new::<c::image::push::PushArgs>(
        &["push", "image push"],
        "[OPTIONS] NAME[:TAG]",
        Exactly(1),
    )
    .group(Common)
    .entry(Namespace),
    Spec::new::<c::image::ls::ImagesArgs>(
        &["images", "image ls", "image list"],
        "[OPTIONS] [REPOSITORY[:TAG]]",
        AtMost(1),
    )
    .effect(Looks)
    .group(Common),
    Spec::new::<c::system::login::LoginArgs>(&["login"], "[OPTIONS] [SERVER]", AtMost(1))
        .effect(Looks)
        .group(Common),
    Spec::new::<c::system::logout::LogoutArgs>(&["logout"], "[SERVER]", AtMost(1))
        .effect(Looks)
        .group(Common),
    Spec::new::<c::system::version::VersionArgs>(&["version"], "[OPTIONS]", NoArgs)
        .effect(Looks)
        .group(Common),
    Spec::new::<c::system::info::InfoArgs>(&["info", "system info"], "[OPTIONS]", NoArgs)
        .effect(Looks)
        .group(Common),
    // Containers.
    Spec::new::<c::container::attach::AttachArgs>(
        &["attach", "container attach"],
        "[OPTIONS] CONTAINER",
        Exactly(1),
    ),
    Spec::new::<c::container::commit::CommitArgs>(
        &["commit", "container commit"],
        "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
        Between(1, 2),
    )
    .entry(Namespace),
    Spec::new::<c::system::completion::CompletionArgs>(
        &["completion"],
        "bash|zsh|fish|elvish|powershell",
        Exactly(1),
    )
    .effect(Apart),
    Spec::new::<c::container::cp::CpArgs>(
        &["cp", "container cp"],
        "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH",
        Exactly(2),
    )
    .entry(Namespace),
    Spec::new::<c::container::create::CreateArgs>(
        &["create", "container create"],
        "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        AtLeast(1),
    )
    .entry(Namespace)
    .trailing(),
    Spec::new::<c::container::diff::DiffArgs>(&["diff", "container diff"], "CONTAINER", Exactly(1))
        .effect(Looks)
        .entry(Namespace),
    Spec::new::<c::system::events::EventsArgs>(&["events", "system events"], "[OPTIONS]", NoArgs)
        .effect(Looks),
    Spec::new::<c::container::export::ExportArgs>(
        &["export", "container export"],
        "[OPTIONS] CONTAINER",
        Exactly(1),
    )
    .effect(Looks)
    .entry(Namespace),
    Spec::new::<c::image::history::HistoryArgs>(
        &["history", "image history"],
        "[OPTIONS] IMAGE",
        Exactly(1),
    )
    .effect(Looks),
    Spec::new::<c::image::import::ImportArgs>(
        &["import", "image import"],
        "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
        Between(1, 2),
    )
    .entry(Namespace),
    Spec::new::<c::system::inspect::InspectArgs>(
        &["inspect"],
        "[OPTIONS] NAME|ID [NAME|ID...]",
        AtLeast(1),
    )
    .effect(Looks)
    .entry(NamespaceIf("size")),
    Spec::new::<c::container::kill::KillArgs>(&["kill", "container kill"], ONE_OR_MORE, AtLeast(1)),
    Spec::new::<c::image::load::LoadArgs>(&["load", "image load"], "[OPTIONS]", NoArgs)
        .entry(Namespace),
    Spec::new::<c::container::logs::LogsArgs>(
        &["logs", "container logs"],
        "[OPTIONS] CONTAINER",
        Exactly(1),
    )
    .effect(Looks),
    Spec::new::<c::container::pause::PauseArgs>(&["pause", "container pause"], SOME, AtLeast(1)),
    Spec::new::<c::container::port::PortArgs>(
        &["port", "container port"],
        "CONTAINER [PRIVATE_PORT[/PROTO]]",
        Between(1, 2),
    )
    .effect(Looks),
    Spec::new::<c::container::rename::RenameArgs>(
        &["rename", "container rename"],
        "CONTAINER NEW_NAME",
        Exactly(2),
    ),
    Spec::new::<c::container::restart::RestartArgs>(
        &["restart", "container restart"],
        ONE_OR_MORE,
        AtLeast(1),
    )
    .entry(Namespace),
    Spec::new::<c::container::rm::RmArgs>(
        &["rm", "container rm", "container remove"],
        ONE_OR_MORE,
        AtLeast(1),
    )
    .entry(Namespace),
    Spec::new::<c::image::rm::RmiArgs>(
        &["rmi", "image rm", "image remove"],
        "[OPTIONS] IMAGE [IMAGE...]",
        AtLeast(1),
    )
    .entry(Namespace),
    Spec::new::<c::image::save::SaveArgs>(
        &["save", "image save"],
        "[OPTIONS] IMAGE [IMAGE...]",
        AtLeast(1),
    )
    .effect(Looks)
    .entry(Namespace),
    Spec::new::<c::container::start::StartArgs>(
        &["start", "container start"],
        ONE_OR_MORE,
        AtLeast(1),
    )
    .entry(Namespace),
    Spec::new::<c::container::stats::StatsArgs>(
        &["stats", "container stats"],
        "[OPTIONS] [CONTAINER...]",
        Any,
    )
    .effect(Looks),
    Spec::new::<c::container::stop::StopArgs>(&["stop", "container stop"], ONE_OR_MORE, AtLeast(1)),
    Spec::new::<c::image::tag::TagArgs>(
        &["tag", "image tag"],
        "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
        Exactly(2),
    ),
    Spec::new::<c::container::top::TopArgs>(
        &["top", "container top"],
        "CONTAINER [ps OPTIONS]",
        AtLeast(1),
    )
    .effect(Looks)
    .trailing(),
    Spec::new::<c::container::unpause::UnpauseArgs>(
        &["unpause", "container unpause"],
        SOME,
        AtLeast(1),
    ),
    Spec::new::<c::system::unshare::UnshareArgs>(&["unshare"], "[COMMAND] [ARG...]", Any)
        .entry(Namespace)
        .trailing(),
    Spec::new::<c::container::update::UpdateArgs>(
        &["update", "container update"],
        ONE_OR_MORE,
        AtLeast(1),
    ),
    Spec::new::<c::container::wait::WaitArgs>(&["wait", "container wait"], SOME, AtLeast(1))
        .effect(Looks),
    // Only below their management command.
    Spec::new::<c::container::inspect::ContainerInspectArgs>(
        &["container inspect"],
        ONE_OR_MORE,
        AtLeast(1),
    )
    .effect(Looks)
    .group(Inner)
    .entry(NamespaceIf("size")),
    Spec::new::<c::container::prune::ContainerPruneArgs>(&["container prune"], "[OPTIONS]", NoArgs)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<c::image::inspect::ImageInspectArgs>(
        &["image inspect"],
        "[OPTIONS] IMAGE [IMAGE...]",
        AtLeast(1),
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<c::image::prune::ImagePruneArgs>(&["image prune"], "[OPTIONS]", NoArgs)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<c::system::check::SystemCheckArgs>(&["system check"], "[OPTIONS]", NoArgs)
        .effect(ChangesIf("repair"))
        .group(Inner)
        .entry(Namespace),
    Spec::new::<c::system::df::SystemDfArgs>(&["system df"], "[OPTIONS]", NoArgs)
        .effect(Looks)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<c::system::prune::SystemPruneArgs>(&["system prune"], "[OPTIONS]", NoArgs)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<c::system::reset::SystemResetArgs>(&["system reset"], "[OPTIONS]", NoArgs)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<c::network::connect::NetworkConnectArgs>(
        &["network connect"],
        "[OPTIONS] NETWORK CONTAINER",
        Exactly(2),
    )
    .group(Inner),
    Spec::new::<c::network::create::NetworkCreateArgs>(
        &["network create"],
        "[OPTIONS] NETWORK",
        Exactly(1),
    )
    .group(Inner),
    Spec::new::<c::network::disconnect::NetworkDisconnectArgs>(
        &["network disconnect"],
        "[OPTIONS] NETWORK CONTAINER",
        Exactly(2),
    )
    .group(Inner),
    Spec::new::<c::network::inspect::NetworkInspectArgs>(
        &["network inspect"],
        "[OPTIONS] NETWORK [NETWORK...]",
        AtLeast(1),
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<c::network::ls::NetworkLsArgs>(
        &["network ls", "network list"],
        "[OPTIONS]",
        NoArgs,
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<c::network::prune::NetworkPruneArgs>(&["network prune"], "[OPTIONS]", NoArgs)
        .group(Inner),
    Spec::new::<c::network::rm::NetworkRmArgs>(
        &["network rm", "network remove"],
        "NETWORK [NETWORK...]",
        AtLeast(1),
    )
    .group(Inner),
    Spec::new::<c::volume::create::VolumeCreateArgs>(
        &["volume create"],
        "[OPTIONS] [VOLUME]",
        AtMost(1),
    )
    .group(Inner)
    .entry(Namespace),
    Spec::new::<c::volume::inspect::VolumeInspectArgs>(
        &["volume inspect"],
        "[OPTIONS] VOLUME [VOLUME...]",
        AtLeast(1),
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<c::volume::ls::VolumeLsArgs>(&["volume ls", "volume list"], "[OPTIONS]", NoArgs)
        .effect(Looks)
        .group(Inner),
    Spec::new::<c::volume::prune::VolumePruneArgs>(&["volume prune"], "[OPTIONS]", NoArgs)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<c::volume::rm::VolumeRmArgs>(
        &["volume rm", "volume remove"],
        "[OPTIONS] VOLUME [VOLUME...]",
        AtLeast(1),
    )
    .group(Inner)
    .entry(Namespace),
    Spec::new::<c::volume::update::VolumeUpdateArgs>(
        &["volume update"],
        "[OPTIONS] VOLUME",
        Exactly(1),
    )
    .group(Hidden),
    // Compose.
    Spec::new::<verbs::create::ComposeCreateArgs>(
        &["compose create"],
        "[OPTIONS] [SERVICE...]",
        Any,
    )
    .group(Inner)
    .entry(Namespace),
    Spec::new::<verbs::down::ComposeDownArgs>(&["compose down"], "[OPTIONS] [SERVICES]", Any)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::lifecycle::ComposeKillArgs>(
        &["compose kill"],
        "[OPTIONS] [SERVICE...]",
        Any,
    )
    .group(Inner)
    .entry(Namespace),
    Spec::new::<verbs::logs::ComposeLogsArgs>(&["compose logs"], "[OPTIONS] [SERVICE...]", Any)
        .effect(Looks)
        .group(Inner),
    Spec::new::<verbs::ls::ComposeLsArgs>(&["compose ls"], "[OPTIONS]", NoArgs)
        .effect(Looks)
        .group(Inner),
    Spec::new::<verbs::lifecycle::ComposePauseArgs>(&["compose pause"], "[SERVICE...]", Any)
        .group(Inner),
    Spec::new::<verbs::plan::ComposePlanArgs>(&["compose plan"], "[OPTIONS] [SERVICE...]", Any)
        .effect(Looks)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::ps::ComposePsArgs>(&["compose ps"], "[OPTIONS] [SERVICE...]", Any)
        .effect(Looks)
        .group(Inner),
    Spec::new::<verbs::lifecycle::ComposeRestartArgs>(
        &["compose restart"],
        "[OPTIONS] [SERVICE...]",
        Any,
    )
    .group(Inner)
    .entry(Namespace),
    Spec::new::<verbs::rm::ComposeRmArgs>(&["compose rm"], "[OPTIONS] [SERVICE...]", Any)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::scale::ComposeScaleArgs>(&["compose scale"], "[SERVICE=REPLICAS...]", Any)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::lifecycle::ComposeStartArgs>(&["compose start"], "[SERVICE...]", Any)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::lifecycle::ComposeStopArgs>(
        &["compose stop"],
        "[OPTIONS] [SERVICE...]",
        Any,
    )
    .group(Inner)
    .entry(Namespace),
    Spec::new::<verbs::lifecycle::ComposeUnpauseArgs>(&["compose unpause"], "[SERVICE...]", Any)
        .group(Inner),
    Spec::new::<verbs::why::ComposeWhyArgs>(&["compose why"], "SERVICE [SERVICE...]", AtLeast(1))
        .effect(Looks)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::up::UpArgs>(&["compose up"], "[OPTIONS] [SERVICE...]", Any)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::config::ComposeConfigArgs>(
        &["compose config", "compose convert"],
        "[OPTIONS] [SERVICE...]",
        Any,
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<verbs::attach::ComposeAttachArgs>(
        &["compose attach"],
        "[OPTIONS] SERVICE",
        AtLeast(1),
    )
    .group(Inner),
    Spec::new::<verbs::build::ComposeBuildArgs>(&["compose build"], "[OPTIONS] [SERVICE...]", Any)
        .group(Inner),
    Spec::new::<verbs::commit::ComposeCommitArgs>(
        &["compose commit"],
        "[OPTIONS] SERVICE [REPOSITORY[:TAG]]",
        Between(1, 2),
    )
    .group(Inner)
    .entry(Namespace),
    Spec::new::<verbs::cp::ComposeCpArgs>(
        &["compose cp"],
        "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|- | SRC_PATH|- SERVICE:DEST_PATH",
        Exactly(2),
    )
    .group(Inner)
    .entry(Namespace),
    Spec::new::<verbs::events::ComposeEventsArgs>(
        &["compose events"],
        "[OPTIONS] [SERVICE...]",
        Any,
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<verbs::exec::ComposeExecArgs>(
        &["compose exec"],
        "[OPTIONS] SERVICE COMMAND [ARGS...]",
        AtLeast(2),
    )
    .group(Inner)
    .trailing(),
    Spec::new::<verbs::export::ComposeExportArgs>(
        &["compose export"],
        "[OPTIONS] SERVICE",
        AtLeast(1),
    )
    .effect(Looks)
    .group(Inner)
    .entry(Namespace),
    Spec::new::<verbs::images::ComposeImagesArgs>(
        &["compose images"],
        "[OPTIONS] [SERVICE...]",
        Any,
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<verbs::port::ComposePortArgs>(
        &["compose port"],
        "[OPTIONS] SERVICE PRIVATE_PORT",
        AtLeast(2),
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<verbs::publish::ComposePublishArgs>(
        &["compose publish"],
        "[OPTIONS] REPOSITORY[:TAG]",
        Exactly(1),
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<verbs::pull::ComposePullArgs>(&["compose pull"], "[OPTIONS] [SERVICE...]", Any)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::push::ComposePushArgs>(&["compose push"], "[OPTIONS] [SERVICE...]", Any)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<verbs::run::ComposeRunArgs>(
        &["compose run"],
        "[OPTIONS] SERVICE [COMMAND] [ARGS...]",
        AtLeast(1),
    )
    .group(Inner)
    .entry(Namespace)
    .trailing(),
    Spec::new::<verbs::stats::ComposeStatsArgs>(
        &["compose stats"],
        "[OPTIONS] [SERVICE]",
        AtMost(1),
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<verbs::top::ComposeTopArgs>(&["compose top"], "[SERVICES...]", Any)
        .effect(Looks)
        .group(Inner),
    Spec::new::<verbs::version::ComposeVersionArgs>(&["compose version"], "[OPTIONS]", NoArgs)
        .effect(Looks)
        .group(Inner),
    Spec::new::<verbs::volumes::ComposeVolumesArgs>(
        &["compose volumes"],
        "[OPTIONS] [SERVICE...]",
        Any,
    )
    .effect(Looks)
    .group(Inner),
    Spec::new::<verbs::wait::ComposeWaitArgs>(
        &["compose wait"],
        "SERVICE [SERVICE...] [OPTIONS]",
        AtLeast(1),
    )
    .effect(ChangesIf("down_project"))
    .group(Inner)
    .entry(NamespaceIf("down_project")),
    Spec::new::<verbs::watch::ComposeWatchArgs>(&["compose watch"], "[SERVICE...]", Any)
        .group(Inner)
        .entry(Namespace),
    Spec::new::<c::system::man::ManArgs>(&["man"], "DIRECTORY", Exactly(1))
        .effect(Apart)
        .group(Hidden),
];
