//! Flags of a build that a check reads and has no use for, as in Docker: who adds `--check` to a command line
//! takes nothing else off it.

use clap::{Arg, ArgAction, ArgMatches, Command, Error};

/// None of their values is looked at.
#[derive(Debug)]
pub(super) struct OfBuilds;

const HELP: &str = "Of builds: a check has no use for it";

/// With a value.
const TEXTS: &[(&str, Option<char>)] = &[
    ("add-host", None),
    ("allow", None),
    ("annotation", None),
    ("attest", None),
    ("builder", None),
    ("cache-from", None),
    ("cache-to", None),
    ("cgroup-parent", None),
    ("cpu-period", None),
    ("cpu-quota", None),
    ("cpu-shares", Some('c')),
    ("cpuset-cpus", None),
    ("cpuset-mems", None),
    ("iidfile", None),
    ("isolation", None),
    ("label", None),
    ("memory", Some('m')),
    ("memory-swap", None),
    ("metadata-file", None),
    ("network", None),
    ("no-cache-filter", None),
    ("output", Some('o')),
    ("policy", None),
    ("progress", None),
    ("provenance", None),
    ("resource", None),
    ("sbom", None),
    ("secret", None),
    ("security-opt", None),
    ("shm-size", None),
    ("ssh", None),
    ("tag", Some('t')),
    ("ulimit", None),
];

const SWITCHES: &[(&str, Option<char>)] = &[
    ("compress", None),
    ("debug", Some('D')),
    ("disable-content-trust", None),
    ("force-rm", None),
    ("load", None),
    ("no-cache", None),
    ("pull", None),
    ("push", None),
    ("quiet", Some('q')),
    ("rm", None),
    ("squash", None),
];

impl clap::FromArgMatches for OfBuilds {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), Error> {
        Ok(())
    }
}

impl clap::Args for OfBuilds {
    fn augment_args(command: Command) -> Command {
        let flag = |(name, short): &(&'static str, Option<char>), action| {
            let flag = Arg::new(*name).long(*name).action(action).hide(true).help(HELP);
            short.iter().fold(flag, |flag, short| flag.short(*short))
        };
        let texts = TEXTS.iter().map(|row| flag(row, ArgAction::Append));
        command.args(texts).args(SWITCHES.iter().map(|row| flag(row, ArgAction::SetTrue)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
