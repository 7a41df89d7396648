//! The rows of the commands on machines.

use super::{create, env, inspect, list, power, refused, rm, ssh};
use crate::args::Section;
use crate::args::spec::Arity::{Any, AtLeast, AtMost, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Group::{Hidden, Inner};
use crate::args::spec::{Arity, Exits, Runnable, Spec};

const SEVERAL: &str = "NAME [NAME...]";

pub(crate) static TABLE: Section = Section {
    name: "machine",
    about: "Manage machines for rehearsal, which can join a swarm",
    commands: &[
        look::<list::MachineActiveArgs>(&["machine active"], "", NoArgs),
        Spec::new::<create::MachineCreateArgs>(&["machine create"], "[OPTIONS] NAME", AtLeast(1))
            .group(Inner)
            .of_machine(),
        look::<env::MachineEnvArgs>(&["machine env"], "[OPTIONS] [NAME]", AtMost(1)),
        look::<inspect::MachineInspectArgs>(
            &["machine inspect"],
            "[OPTIONS] NAME [NAME...]",
            AtLeast(1),
        ),
        look::<list::MachineIpArgs>(&["machine ip"], SEVERAL, AtLeast(1)),
        Spec::new::<power::MachineKillArgs>(&["machine kill"], SEVERAL, AtLeast(1))
            .group(Inner)
            .of_machine(),
        look::<list::MachineLsArgs>(&["machine ls", "machine list"], "[OPTIONS]", NoArgs),
        Spec::new::<power::MachineRestartArgs>(&["machine restart"], SEVERAL, AtLeast(1))
            .group(Inner)
            .of_machine(),
        Spec::new::<rm::MachineRmArgs>(&["machine rm"], "[OPTIONS] NAME [NAME...]", AtLeast(1))
            .group(Inner)
            .of_machine(),
        Spec::new::<ssh::MachineSshArgs>(&["machine ssh"], "NAME [COMMAND] [ARG...]", AtLeast(1))
            .group(Inner)
            .of_machine()
            .trailing()
            .apart()
            .exits(Exits::Program),
        Spec::new::<power::MachineStartArgs>(&["machine start"], SEVERAL, AtLeast(1))
            .group(Inner)
            .of_machine(),
        look::<list::MachineStatusArgs>(&["machine status"], "NAME", Exactly(1)),
        Spec::new::<power::MachineStopArgs>(&["machine stop"], SEVERAL, AtLeast(1))
            .group(Inner)
            .of_machine(),
        refuse::<refused::Config>(&["machine config"]),
        refuse::<refused::Mount>(&["machine mount"]),
        refuse::<refused::Provision>(&["machine provision"]),
        refuse::<refused::RegenerateCerts>(&["machine regenerate-certs"]),
        refuse::<refused::Scp>(&["machine scp"]),
        refuse::<refused::Upgrade>(&["machine upgrade"]),
        refuse::<refused::Url>(&["machine url"]),
    ],
};

const fn look<R: Runnable>(
    names: &'static [&'static str],
    usage: &'static str,
    arity: Arity,
) -> Spec {
    Spec::new::<R>(names, usage, arity).effect(Looks).group(Inner).of_machine()
}

const fn refuse<R: Runnable>(names: &'static [&'static str]) -> Spec {
    Spec::new::<R>(names, "[ARG...]", Any).effect(Looks).group(Hidden).of_machine()
}
