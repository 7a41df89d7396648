//! The description of one command: its row in the table.
//!
//! What is to be known of a command before it runs stands here, each fact once. A fact that is
//! not given has the value that most commands have.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::values;
use crate::app::App;
use crate::error::CommandResult;

/// A command's parsed flags, and what it does.
pub(crate) trait Runnable: clap::Args {
    fn execute(self, app: &mut App) -> CommandResult;
}

/// What must be true of the process before a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Reads our own files, or talks to a monitor or a registry.
    Plain,
    /// Touches layers, volumes or container roots: needs the user's namespaces.
    Namespace,
    /// As `Plain`, unless this flag is given.
    NamespaceIf(&'static str),
}

/// What a command does to what an engine keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Makes, changes, sends or removes something, or runs a program.
    Changes,
    /// As `Looks`, unless this flag is given.
    ChangesIf(&'static str),
    /// Only tells.
    Looks,
    /// Has nothing to do with an engine.
    Nothing,
}

/// Which ports the containers that a command starts may publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ports {
    Any,
    /// Those of this flag; `--publish-all` takes what is free.
    OfFlag(&'static str),
    None,
}

/// Which containers are not recovered before a command: those that it ends, starts or runs
/// something in. Recovery would start what is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spares {
    Nothing,
    /// All that its arguments name.
    Named,
    /// The one that its first argument names; what follows is the command's.
    First,
    /// Those of every project of Compose.
    Projects,
}

/// What its exit codes say, for its man page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exits {
    /// Whether everything was done.
    Done,
    /// A container was made, or not.
    Made,
    /// Those of the program in a container that is made for it.
    Program,
    /// Those of a further program in a container.
    Joined,
    /// Those of a container, when attached to it.
    Attached,
}

/// What a command makes of a node of the swarm that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnNode {
    /// It is of the machine itself, and cannot be given on a rehearsal node.
    Refused,
    /// It asks that node.
    Asked,
    /// It is the same on all nodes, or about the machine.
    NotAsked,
}

/// Where the command stands in the general help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// In this place, as Docker counts them: what it has and we have not leaves gaps.
    Common(u8),
    Other,
    /// Only in the help of its management command.
    Inner,
    Hidden,
}

/// How many arguments follow the flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    None,
    Exactly(usize),
    AtLeast(usize),
    AtMost(usize),
    Between(usize, usize),
    Any,
}

impl Arity {
    /// Whether so many are not too many.
    pub(crate) fn takes(self, count: usize) -> bool {
        match self {
            Self::None => count == 0,
            Self::Exactly(most) | Self::AtMost(most) | Self::Between(_, most) => count <= most,
            Self::AtLeast(_) | Self::Any => true,
        }
    }
}

/// One command. Its first name is the one it is shown under.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) names: &'static [&'static str],
    pub(crate) usage: &'static str,
    pub(crate) arity: Arity,
    pub(crate) group: Group,
    pub(crate) entry: Entry,
    /// What is not said to be harmless is taken for a change.
    pub(crate) effect: Effect,
    /// The first argument ends the flags: what follows belongs to the container.
    pub(crate) trailing: bool,
    /// It does not look at containers, and so nothing is recovered before.
    pub(crate) apart: bool,
    /// What it makes of a node of the swarm that was chosen.
    pub(crate) node: OnNode,
    /// It enters the namespaces of its container by itself, and so no others before.
    pub(crate) joins: bool,
    /// It may start containers, with such ports.
    pub(crate) starts: Option<Ports>,
    /// It may have images of services built before.
    pub(crate) builds: bool,
    /// It only ends and removes what there is, and so goes on though the settings cannot be used.
    pub(crate) ends: bool,
    pub(crate) spares: Spares,
    /// Its failures are exit code 125 and point at the help.
    pub(crate) fails_as_run: bool,
    pub(crate) exits: Exits,
    flags: fn(Command) -> Command,
    pub(crate) run: fn(&mut App, &ArgMatches) -> CommandResult,
}

fn start<R: Runnable>(app: &mut App, matches: &ArgMatches) -> CommandResult {
    match R::from_arg_matches(matches) {
        Ok(args) => args.execute(app),
        Err(error) => Err(crate::error::CliError::plain(error.to_string())),
    }
}

impl Spec {
    pub(crate) const fn new<R: Runnable>(
        names: &'static [&'static str],
        usage: &'static str,
        arity: Arity,
    ) -> Self {
        Self {
            names,
            usage,
            arity,
            group: Group::Other,
            entry: Entry::Plain,
            effect: Effect::Changes,
            trailing: false,
            apart: false,
            node: OnNode::Refused,
            joins: false,
            starts: None,
            builds: false,
            ends: false,
            spares: Spares::Nothing,
            fails_as_run: false,
            exits: Exits::Done,
            flags: R::augment_args,
            run: start::<R>,
        }
    }

    pub(crate) const fn group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    pub(crate) const fn entry(mut self, entry: Entry) -> Self {
        self.entry = entry;
        self
    }

    pub(crate) const fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    pub(crate) const fn trailing(mut self) -> Self {
        self.trailing = true;
        self
    }

    pub(crate) const fn apart(mut self) -> Self {
        self.apart = true;
        self
    }

    pub(crate) const fn on_node(mut self) -> Self {
        self.node = OnNode::Asked;
        self
    }

    pub(crate) const fn of_machine(mut self) -> Self {
        self.node = OnNode::NotAsked;
        self
    }

    pub(crate) const fn joins(mut self) -> Self {
        self.joins = true;
        self
    }

    pub(crate) const fn starts(mut self, ports: Ports) -> Self {
        self.starts = Some(ports);
        self
    }

    /// It may have images of services built before.
    pub(crate) const fn builds(mut self) -> Self {
        self.builds = true;
        self
    }

    pub(crate) const fn ends(mut self) -> Self {
        self.ends = true;
        self
    }

    pub(crate) const fn spares(mut self, spares: Spares) -> Self {
        self.spares = spares;
        self
    }

    pub(crate) const fn fails_as_run(mut self) -> Self {
        self.fails_as_run = true;
        self
    }

    pub(crate) const fn exits(mut self, exits: Exits) -> Self {
        self.exits = exits;
        self
    }

    /// Whether help and completions name it.
    pub(crate) fn is_listed(&self) -> bool {
        self.group != Group::Hidden
    }

    /// The command as help, completions and man pages show it.
    pub(crate) fn shown(&self, name: &'static str) -> Command {
        // A switch that is on unless `=false` is said takes a value to the parser alone.
        let is_on = |arg: &Arg| arg.get_default_values().iter().any(|value| value == "true");
        self.augmented(Command::new(name)).disable_help_flag(true).mut_args(|arg| {
            if arg.is_positional() || !is_on(&arg) {
                return arg;
            }
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let told = help.contains("default");
            let help = if told { help } else { format!("{help} (default true)") };
            arg.action(ArgAction::SetTrue).help(help)
        })
    }

    /// The command's flags, and those that all commands of Compose have.
    fn augmented(&self, command: Command) -> Command {
        let command = (self.flags)(command);
        if !self.names[0].starts_with("compose ") {
            return command;
        }
        let dry_run = Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue);
        command.arg(dry_run.help("Show what would be done without doing it"))
    }

    /// `compose`, or one of its commands.
    pub(crate) fn is_compose(&self) -> bool {
        self.names[0].split(' ').next() == Some("compose")
    }

    /// The command as it parses: switches take `=false`, values may begin with
    /// a dash, a repeated flag replaces the former.
    pub(crate) fn parser(&self) -> Command {
        let trailing = self.trailing;
        let help = Arg::new("help").long("help").action(ArgAction::SetTrue);
        let help = if self.is_compose() { help.short('h') } else { help };
        self.augmented(Command::new("command"))
            .no_binary_name(true)
            .disable_help_flag(true)
            .args_override_self(true)
            .arg(help)
            .mut_args(|arg| {
                if arg.is_positional() {
                    return arg.trailing_var_arg(trailing);
                }
                let is_switch = matches!(arg.get_action(), ArgAction::SetTrue)
                    || !arg.get_default_values().is_empty();
                if is_switch {
                    let default = match arg.get_action() {
                        ArgAction::SetTrue => "false",
                        _ => "true",
                    };
                    arg.action(ArgAction::Set)
                        .num_args(0..=1)
                        .require_equals(true)
                        .default_missing_value("true")
                        .default_value(default)
                        .value_parser(values::switch)
                } else {
                    arg.allow_hyphen_values(true)
                }
            })
    }

    /// Whether containers that this call starts may have ports to publish.
    pub(crate) fn may_publish(&self, matches: &ArgMatches) -> bool {
        match self.starts {
            Some(Ports::Any) => true,
            Some(Ports::OfFlag(flag)) => matches.get_many::<String>(flag).is_some(),
            Some(Ports::None) | None => false,
        }
    }

    /// Whether this call needs the user's namespaces.
    pub(crate) fn needs_namespace(&self, matches: &ArgMatches) -> bool {
        match self.entry {
            Entry::Plain => false,
            Entry::Namespace => true,
            Entry::NamespaceIf(flag) => is_given(matches, flag),
        }
    }

    /// Whether this call goes on though the settings cannot be used: it only tells, or ends and
    /// removes what there is.
    pub(crate) fn works_without_settings(&self, matches: &ArgMatches) -> bool {
        self.effect_of(matches) != Effect::Changes || self.ends
    }

    /// What this call does to what an engine keeps: `Changes`, `Looks` or `Nothing`.
    pub(crate) fn effect_of(&self, matches: &ArgMatches) -> Effect {
        match self.effect {
            Effect::ChangesIf(flag) if is_given(matches, flag) => Effect::Changes,
            Effect::ChangesIf(_) => Effect::Looks,
            other => other,
        }
    }
}

fn is_given(matches: &ArgMatches, flag: &str) -> bool {
    matches.try_get_one::<bool>(flag).ok().flatten().copied().unwrap_or(false)
}
