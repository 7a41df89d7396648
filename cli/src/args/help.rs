//! Help texts, and the whole command tree for completions and man pages.

use clap::Command;

use super::globals;
use super::spec::{Group, Spec};
use super::table::{Section, Table};

/// Widest help line; a wider terminal does not make it easier to read.
const WIDTH: usize = 80;

/// What `coracle` without a command prints.
pub(super) fn overview(program: &str, table: &Table) -> String {
    let mut out = format!(
        "\nUsage:  {program} [OPTIONS] COMMAND\n\n\
         Run containers as an ordinary user, without a daemon\n"
    );
    let listed = |is_meant: fn(&Spec) -> bool| {
        table
            .in_order()
            .into_iter()
            .filter(|spec| is_meant(spec))
            .map(|spec| (spec.names[0], about(spec)))
            .collect::<Vec<_>>()
    };
    section(&mut out, "Common Commands", &listed(|spec| matches!(spec.group, Group::Common(_))));
    let management: Vec<_> =
        table.sections.iter().map(|one| (one.name, one.about.to_owned())).collect();
    section(&mut out, "Management Commands", &management);
    section(&mut out, "Commands", &listed(|spec| spec.group == Group::Other));
    out.push_str("\nGlobal Options:\n");
    out.push_str(&options(global_flags()));
    out.push_str(&format!("\nRun '{program} COMMAND --help' for more information on a command.\n"));
    out
}

/// What `coracle container` prints.
pub(super) fn management(program: &str, table: &Table, name: &str) -> String {
    let about = table.sections.iter().find(|one| one.name == name).map_or("", |one| one.about);
    let mut out = format!("\nUsage:  {program} {name} COMMAND\n\n{about}\n");
    let inner: Vec<_> = inner(table, name).map(|(word, spec)| (word, self::about(spec))).collect();
    section(&mut out, "Commands", &inner);
    let called = format!("{program} {name}");
    out.push_str(&format!("\nRun '{called} COMMAND --help' for more information on a command.\n"));
    out
}

/// What `coracle compose` prints.
pub(super) fn compose(program: &str, table: &Table) -> String {
    let mut out = format!(
        "Usage:  {program} compose [OPTIONS] COMMAND\n\n{}\n\nOptions:\n",
        about(table.compose)
    );
    out.push_str(&options(table.compose.shown("compose")));
    let inner: Vec<_> = inner(table, "compose").map(|(word, spec)| (word, about(spec))).collect();
    section(&mut out, "Commands", &inner);
    out.push_str(&format!(
        "\nRun '{program} compose COMMAND --help' for more information on a command.\n"
    ));
    out
}

/// What `coracle run --help` prints.
pub(crate) fn command(program: &str, path: &str, spec: &Spec) -> String {
    let shown = spec.shown("command");
    let mut out = format!("Usage:  {program} {path}");
    if !spec.usage.is_empty() {
        out.push_str(&format!(" {}", spec.usage));
    }
    out.push_str(&format!("\n\n{}\n", about(spec)));
    if let Some(more) = shown.get_long_about() {
        let text = more.to_string();
        if let Some((_, rest)) = text.split_once("\n\n") {
            out.push_str(&format!("\n{}\n", wrap(rest)));
        }
    }
    if spec.names.len() > 1 {
        let names: Vec<String> = spec.names.iter().map(|n| format!("{program} {n}")).collect();
        out.push_str(&format!("\nAliases:\n  {}\n", names.join(", ")));
    }
    if shown.get_opts().next().is_some() || shown.get_arguments().any(|a| !a.is_positional()) {
        out.push_str(&format!("\nOptions:\n{}", options(shown)));
    }
    out
}

fn about(spec: &Spec) -> String {
    spec.shown("command").get_about().map(ToString::to_string).unwrap_or_default()
}

/// The commands below `container` and the like, each with its word there.
pub(crate) fn inner(
    table: &Table,
    management: &str,
) -> impl Iterator<Item = (&'static str, &'static Spec)> + use<> {
    let prefix = format!("{management} ");
    let mut found: Vec<_> = table
        .commands()
        .filter(|spec| spec.is_listed())
        .filter_map(|spec| {
            spec.names.iter().find_map(|n| n.strip_prefix(prefix.as_str())).map(|word| (word, spec))
        })
        .collect();
    found.sort_by_key(|(word, _)| *word);
    found.into_iter()
}

fn section(out: &mut String, title: &str, lines: &[(&str, String)]) {
    out.push_str(&format!("\n{title}:\n"));
    let widest = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, about) in lines {
        out.push_str(&format!("  {name:widest$}  {about}\n"));
    }
}

/// The option list alone, as clap lays it out.
fn options(command: Command) -> String {
    let text = command
        .help_template("{options}")
        .term_width(WIDTH)
        .max_term_width(WIDTH)
        .render_help()
        .to_string();
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("{line}\n")).collect()
}

fn wrap(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split("\n\n") {
        let mut column = 0;
        for word in paragraph.split_whitespace() {
            if column > 0 && column + 1 + word.len() > WIDTH {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += word.len();
        }
        out.push_str("\n\n");
    }
    out.trim_end().to_owned()
}

/// The flags before a command word.
pub(crate) fn global_flags() -> Command {
    globals::flags(Command::new("coracle").disable_help_flag(true))
}

/// The whole tree, under the name of the program.
pub(crate) fn tree(program: &'static str, table: &Table) -> Command {
    let mut root = globals::flags(
        Command::new(program)
            .about("Run containers as an ordinary user, without a daemon")
            .disable_help_flag(true)
            .disable_help_subcommand(true),
    );
    for spec in table.in_order().into_iter().filter(|spec| spec.is_listed()) {
        for name in spec.names.iter().filter(|name| !name.contains(' ')) {
            root = root.subcommand(documented(spec, name, program, name));
        }
    }
    for Section { name, about, .. } in table.sections {
        let group = match *name {
            "compose" => table.compose.shown("compose"),
            name => Command::new(name),
        };
        let mut group = group.about(*about).disable_help_flag(true).disable_help_subcommand(true);
        for (word, spec) in inner(table, name) {
            group = group.subcommand(documented(spec, word, program, &format!("{name} {word}")));
        }
        root = root.subcommand(group);
    }
    root
}

fn documented(spec: &Spec, name: &'static str, program: &str, path: &str) -> Command {
    let usage = format!("{program} {path} {}", spec.usage);
    spec.shown(name).override_usage(usage.trim_end().to_owned())
}
