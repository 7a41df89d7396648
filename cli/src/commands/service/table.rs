//! The rows of the commands on services.

use super::{create, inspect, logs, ls, plan, ps, rm, rollback, scale, update, why};
use crate::args::Section;
use crate::args::spec::Arity::{AtLeast, Exactly, None as NoArgs};
use crate::args::spec::Effect::Looks;
use crate::args::spec::Group::Inner;
use crate::args::spec::Spec;

pub(crate) static TABLE: Section = Section {
    name: "service",
    about: "Manage services of the swarm",
    commands: &[
        Spec::new::<create::ServiceCreateArgs>(
            &["service create"],
            "[OPTIONS] IMAGE [COMMAND] [ARG...]",
            AtLeast(1),
        )
        .group(Inner)
        .on_node()
        .trailing(),
        Spec::new::<inspect::ServiceInspectArgs>(
            &["service inspect"],
            "[OPTIONS] SERVICE [SERVICE...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .on_node(),
        Spec::new::<logs::ServiceLogsArgs>(&["service logs"], "[OPTIONS] SERVICE|TASK", Exactly(1))
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<ls::ServiceLsArgs>(&["service ls", "service list"], "[OPTIONS]", NoArgs)
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<plan::ServicePlanArgs>(&["service plan"], "[OPTIONS] SERVICE", Exactly(1))
            .effect(Looks)
            .group(Inner)
            .on_node(),
        Spec::new::<ps::ServicePsArgs>(
            &["service ps"],
            "[OPTIONS] SERVICE [SERVICE...]",
            AtLeast(1),
        )
        .effect(Looks)
        .group(Inner)
        .on_node(),
        Spec::new::<rm::ServiceRmArgs>(
            &["service rm", "service remove"],
            "SERVICE [SERVICE...]",
            AtLeast(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<rollback::ServiceRollbackArgs>(
            &["service rollback"],
            "[OPTIONS] SERVICE",
            Exactly(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<scale::ServiceScaleArgs>(
            &["service scale"],
            "SERVICE=REPLICAS [SERVICE=REPLICAS...]",
            AtLeast(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<update::ServiceUpdateArgs>(
            &["service update"],
            "[OPTIONS] SERVICE",
            Exactly(1),
        )
        .group(Inner)
        .on_node(),
        Spec::new::<why::ServiceWhyArgs>(&["service why"], "SERVICE [SERVICE...]", AtLeast(1))
            .effect(Looks)
            .group(Inner)
            .on_node(),
    ],
};
