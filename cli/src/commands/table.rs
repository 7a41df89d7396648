//! All commands: the tables of the objects, joined.
//!
//! A row says all there is to know of a command before it runs: its names, its arguments, what it
//! needs of the process and what it does. Nothing elsewhere lists commands by name.

use super::{
    build, container, image, machine, network, node, secret, service, stack, swarm, system, volume,
};
use crate::args::Table;
use crate::compose::verbs;

/// What the command line is read by.
pub(crate) static TABLE: Table = Table {
    compose: &verbs::table::COMPOSE,
    sections: &[
        &build::table::BUILDER,
        &build::table::BUILDX,
        &verbs::table::TABLE,
        &secret::table::CONFIGS,
        &container::table::TABLE,
        &image::table::TABLE,
        &machine::table::TABLE,
        &network::table::TABLE,
        &node::table::TABLE,
        &secret::table::SECRETS,
        &service::table::TABLE,
        &stack::table::TABLE,
        &swarm::table::TABLE,
        &system::table::TABLE,
        &volume::table::TABLE,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::spec::{Exits, Ports, Spares, Spec};

    /// A fact that is missing on a row compiles, and is seen late: who adds a command looks here.
    #[test]
    fn facts_on_the_rows() {
        let of = |has: fn(&Spec) -> bool| {
            let named =
                TABLE.in_order().into_iter().filter(|spec| has(spec)).map(|spec| spec.names[0]);
            named.collect::<Vec<_>>().join(", ")
        };
        let expect = |has: fn(&Spec) -> bool, names: &str| assert_eq!(of(has), names);
        expect(
            |spec| spec.apart,
            "build, login, logout, version, completion, events, buildx bake, buildx inspect, buildx ls, buildx rm, buildx stop, buildx use, buildx version, \
             buildx create, buildx dap, buildx dial-stdio, buildx history, buildx imagetools, buildx install, \
             buildx policy, buildx uninstall, compose config, compose build, compose events, \
             compose publish, compose version, machine ssh, stack config, system service, system dial-stdio, system unit, __complete, man",
        );
        expect(|spec| spec.joins, "exec, compose exec");
        expect(
            |spec| spec.starts.is_some(),
            "run, restart, start, compose restart, compose scale, compose start, compose up, \
             compose run, compose watch",
        );
        expect(|spec| matches!(spec.starts, Some(Ports::OfFlag(_))), "run");
        expect(|spec| spec.starts == Some(Ports::None), "compose watch");
        expect(
            |spec| spec.ends,
            "kill, pause, rm, stop, unpause, compose down, compose kill, compose pause, \
             compose rm, compose stop, compose unpause",
        );
        expect(|spec| spec.spares == Spares::Named, "kill, restart, rm, start, stop");
        expect(|spec| spec.spares == Spares::First, "exec");
        expect(
            |spec| spec.spares == Spares::Projects,
            "compose down, compose kill, compose rm, compose stop, compose exec",
        );
        expect(|spec| spec.fails_as_run, "run, create");
        expect(|spec| spec.exits == Exits::Program, "run, compose run, machine ssh");
        expect(|spec| spec.exits == Exits::Made, "create");
        expect(|spec| spec.exits == Exits::Joined, "exec, compose exec");
        expect(|spec| spec.exits == Exits::Attached, "attach, start");
    }

    #[test]
    fn a_command_stands_below_its_section_or_alone() {
        let sections: Vec<_> = TABLE.sections.iter().map(|section| section.name).collect();
        for name in TABLE.commands().flat_map(|spec| spec.names) {
            let parent = name.split_once(' ').map(|(parent, _)| parent);
            assert!(parent.is_none_or(|parent| sections.contains(&parent)), "{name}");
        }
        assert!(sections.is_sorted());
    }
}
