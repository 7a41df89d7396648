//! Of what kind a word is, by the command and the flag it belongs to. Pure.

use super::typed::Typed;

/// Words that are always the same, with what they say.
type Words = &'static [(&'static str, &'static str)];

/// Which containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Those that run, paused ones too.
    Running,
    /// Those that run and are not paused.
    Active,
    Paused,
    /// Those that may be started.
    Startable,
    /// Those that may be removed without force.
    Removable,
}

/// What may stand somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nothing,
    Files,
    Folders,
    Fixed(Words),
    Containers(Which),
    /// With a colon behind.
    LinkTargets,
    /// Of another container, `container:NAME`, or one of these.
    ModeOrContainer(Words),
    /// With repositories that have several tags, too.
    Images {
        repositories: bool,
    },
    Networks,
    /// Of the network that was named, or not of it.
    Connected {
        to: bool,
    },
    Volumes,
    /// Of the type that `--type` says.
    Objects,
    /// A path here, or `NAME:PATH` in a container.
    Copy {
        of_service: bool,
    },
    Services,
    Profiles,
    Projects,
    SwarmServices,
    Tasks,
    Nodes,
    Secrets,
    Configs,
    Stacks,
    Machines,
    Variables,
    Capabilities,
    Signals,
}

const RESTART: Words = &[
    ("no", "Leave it ended"),
    ("always", "Start it again, also after a boot"),
    ("on-failure", "Start it again when it fails"),
    ("unless-stopped", "Start it again unless it was stopped"),
];
const PULL: Words = &[
    ("always", "Fetch it each time"),
    ("missing", "Fetch it when it is not here"),
    ("never", "Take what is here"),
];
const LOG_DRIVERS: Words =
    &[("json-file", "A file of JSON lines"), ("local", "A compact file"), ("none", "No log")];
const LOG_OPTIONS: Words = &[
    ("compress=", ""),
    ("env-regex=", ""),
    ("env=", ""),
    ("labels=", ""),
    ("max-buffer-size=", ""),
    ("max-file=", ""),
    ("max-size=", ""),
    ("mode=", ""),
    ("tag=", ""),
];
const ULIMITS: Words = &[
    ("as=", ""),
    ("chroot=", ""),
    ("core=", ""),
    ("cpu=", ""),
    ("data=", ""),
    ("fsize=", ""),
    ("locks=", ""),
    ("maxlogins=", ""),
    ("maxsyslogins=", ""),
    ("memlock=", ""),
    ("msgqueue=", ""),
    ("nice=", ""),
    ("nofile=", ""),
    ("nproc=", ""),
    ("priority=", ""),
    ("rss=", ""),
    ("rtprio=", ""),
    ("sigpending=", ""),
    ("stack=", ""),
];
const SECURITY: Words = &[
    ("apparmor=", ""),
    ("label=", ""),
    ("no-new-privileges", "No rights by setuid programs"),
    ("seccomp=", "A profile, or unconfined"),
    ("systempaths=unconfined", "Mask nothing in /proc and /sys"),
];
const PLATFORMS: Words = &[
    ("linux/386", ""),
    ("linux/amd64", ""),
    ("linux/arm", ""),
    ("linux/arm/v5", ""),
    ("linux/arm/v6", ""),
    ("linux/arm/v7", ""),
    ("linux/arm64", ""),
    ("linux/arm64/v8", ""),
    ("linux/ppc64le", ""),
    ("linux/riscv64", ""),
    ("linux/s390x", ""),
];
const NETWORK_DRIVERS: Words =
    &[("bridge", "A network of this machine"), ("overlay", "A network of the swarm")];
const UPDATE_ORDER: Words = &[("start-first", ""), ("stop-first", "")];
const TYPES: Words = &[
    ("config", ""),
    ("container", ""),
    ("image", ""),
    ("network", ""),
    ("node", ""),
    ("secret", ""),
    ("service", ""),
    ("task", ""),
    ("volume", ""),
];
const SHELLS: Words =
    &[("bash", ""), ("elvish", ""), ("fish", ""), ("powershell", ""), ("zsh", "")];

/// The kind of the argument after `given` others.
pub(super) fn of_argument(command: &str, given: usize, typed: &Typed) -> Kind {
    let containers = Kind::Containers;
    let first = given == 0;
    match command {
        // What follows it is for another program, a new name, or in the container.
        "top" | "rename" | "exec" | "run" | "create" | "port" | "commit" | "import"
        | "compose run" | "compose exec"
            if !first =>
        {
            Kind::Nothing
        }
        "stop" | "kill" | "wait" | "top" | "port" | "stats" | "diff" | "commit" => {
            containers(Which::Running)
        }
        "logs" | "restart" | "export" | "rename" | "update" | "container inspect" => {
            containers(Which::All)
        }
        "attach" | "pause" | "exec" => containers(Which::Active),
        "unpause" => containers(Which::Paused),
        "start" => containers(Which::Startable),
        "rm" if typed.has("force") => containers(Which::All),
        "rm" => containers(Which::Removable),
        "run" | "create" => Kind::Images { repositories: false },
        "images" => Kind::Images { repositories: true },
        "pull" | "push" | "history" | "save" | "rmi" | "tag" | "image inspect" => {
            Kind::Images { repositories: false }
        }
        "network rm" | "network inspect" => Kind::Networks,
        "network connect" | "network disconnect" if first => Kind::Networks,
        "network connect" => Kind::Connected { to: false },
        "network disconnect" => Kind::Connected { to: true },
        "volume rm" | "volume inspect" | "volume update" => Kind::Volumes,
        "inspect" => Kind::Objects,
        "cp" => Kind::Copy { of_service: false },
        "compose cp" => Kind::Copy { of_service: true },
        "build" | "builder build" | "man" => Kind::Folders,
        "import" => Kind::Files,
        "completion" => Kind::Fixed(SHELLS),
        "system unit" => Kind::Fixed(&[
            ("containers", "Restart policies after a boot"),
            ("swarm", "Services after a boot"),
        ]),
        "compose config" | "compose down" | "compose attach" | "compose build"
        | "compose commit" | "compose create" | "compose events" | "compose exec"
        | "compose export" | "compose images" | "compose kill" | "compose logs"
        | "compose pause" | "compose port" | "compose ps" | "compose pull" | "compose push"
        | "compose restart" | "compose rm" | "compose run" | "compose scale" | "compose start"
        | "compose stats" | "compose stop" | "compose top" | "compose unpause" | "compose up"
        | "compose volumes" | "compose wait" | "compose watch" | "compose why" | "compose plan" => {
            Kind::Services
        }
        "service logs" | "service rm" | "service inspect" | "service ps" | "service scale"
        | "service update" | "service rollback" | "service why" => Kind::SwarmServices,
        "node inspect" | "node rm" | "node ps" | "node update" | "node promote" | "node demote" => {
            Kind::Nodes
        }
        "secret rm" | "secret inspect" | "secret rotate" => Kind::Secrets,
        "config rm" | "config inspect" | "config rotate" => Kind::Configs,
        "stack rm" | "stack ps" | "stack services" | "stack deploy" => Kind::Stacks,
        command if command.starts_with("machine ") && command != "machine create" => Kind::Machines,
        _ => Kind::Nothing,
    }
}

/// The kind of the value of a flag; `command` is empty for those before a command.
#[expect(clippy::too_many_lines, reason = "a table: a line for each flag")]
pub(super) fn of_flag(command: &str, flag: &str) -> Kind {
    let makes = ["run", "create", "compose run"].contains(&command);
    match (command, flag) {
        ("", "log-level") => {
            Kind::Fixed(&[("debug", ""), ("info", ""), ("warn", ""), ("error", ""), ("fatal", "")])
        }
        ("", "storage") => Kind::Fixed(&[
            ("auto", "Whatever works here"),
            ("overlay", "Layers of the kernel"),
            ("copy", "Files are copied"),
        ]),
        ("", "limits") => Kind::Fixed(&[
            ("require", "Limits that cannot be set are errors"),
            ("warn", "They are warnings"),
        ]),
        ("", "node") => Kind::Nodes,
        ("", "config") | ("compose", "project-directory") => Kind::Folders,
        ("compose", "profile") => Kind::Profiles,
        ("compose", "project-name") => Kind::Projects,
        ("compose", "ansi") => Kind::Fixed(&[("never", ""), ("always", ""), ("auto", "")]),
        ("compose", "progress") => {
            Kind::Fixed(&[("auto", ""), ("tty", ""), ("plain", ""), ("json", ""), ("quiet", "")])
        }
        ("inspect", "type") => Kind::Fixed(TYPES),
        ("network create", "driver") => Kind::Fixed(NETWORK_DRIVERS),
        ("volume create", "driver") => Kind::Fixed(&[("local", "A folder of this machine")]),
        ("service create", "mode") => Kind::Fixed(&[
            ("replicated", ""),
            ("global", ""),
            ("replicated-job", ""),
            ("global-job", ""),
        ]),
        ("service create" | "service update", "restart-condition") => {
            Kind::Fixed(&[("none", ""), ("on-failure", ""), ("any", "")])
        }
        (_, "update-order" | "rollback-order") => Kind::Fixed(UPDATE_ORDER),
        (_, "update-failure-action") => {
            Kind::Fixed(&[("pause", ""), ("continue", ""), ("rollback", "")])
        }
        (_, "rollback-failure-action") => Kind::Fixed(&[("pause", ""), ("continue", "")]),
        ("node update", "role") => Kind::Fixed(&[("worker", ""), ("manager", "")]),
        ("node update", "availability") => {
            Kind::Fixed(&[("active", ""), ("pause", ""), ("drain", "")])
        }
        ("service update", "image") => Kind::Images { repositories: false },
        ("service create" | "service update", "network" | "network-add" | "network-rm") => {
            Kind::Networks
        }
        ("service create" | "service update", "secret" | "secret-add" | "secret-rm") => {
            Kind::Secrets
        }
        ("service create" | "service update", "config" | "config-add" | "config-rm") => {
            Kind::Configs
        }
        ("run" | "create", "network" | "net") => Kind::Networks,
        ("run" | "create" | "update", "restart") => Kind::Fixed(RESTART),
        ("compose up" | "compose create" | "compose pull", "pull" | "policy") => Kind::Fixed(PULL),
        (_, "pull") if makes => Kind::Fixed(PULL),
        (_, "volumes-from") if makes => Kind::Containers(Which::All),
        (_, "link") if makes => Kind::LinkTargets,
        (_, "ipc") if makes => {
            Kind::ModeOrContainer(&[("host", ""), ("none", ""), ("private", ""), ("shareable", "")])
        }
        (_, "pid") if makes => Kind::ModeOrContainer(&[("host", "")]),
        (_, "userns" | "uts") if makes => Kind::Fixed(&[("host", "")]),
        (_, "cgroupns") if makes => Kind::Fixed(&[("host", ""), ("private", "")]),
        (_, "attach") if makes => Kind::Fixed(&[("stderr", ""), ("stdin", ""), ("stdout", "")]),
        (_, "cap-add" | "cap-drop") => Kind::Capabilities,
        (_, "log-driver") => Kind::Fixed(LOG_DRIVERS),
        (_, "log-opt") => Kind::Fixed(LOG_OPTIONS),
        (_, "security-opt") => Kind::Fixed(SECURITY),
        (_, "ulimit") if makes => Kind::Fixed(ULIMITS),
        (_, "volume-driver") => Kind::Fixed(&[("local", "A folder of this machine")]),
        (_, "detach-keys") => Kind::Fixed(&[("ctrl-", "")]),
        (_, "signal" | "stop-signal") => Kind::Signals,
        (_, "platform") => Kind::Fixed(PLATFORMS),
        (_, "env" | "build-arg" | "env-add") => Kind::Variables,
        ("compose up", "attach" | "no-attach" | "exit-code-from" | "scale") => Kind::Services,
        (
            _,
            "env-file" | "file" | "label-file" | "cidfile" | "iidfile" | "input" | "output"
            | "volume" | "metadata-file" | "compose-file",
        ) => Kind::Files,
        ("compose down", "rmi") => Kind::Fixed(&[("all", ""), ("local", "")]),
        _ => Kind::Nothing,
    }
}
