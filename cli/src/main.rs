//! The `coracle` command: Docker's command line, without Docker's daemon.
//!
//! `main` reads the command line and the settings, prepares the process as the
//! command needs it, runs the command and turns its result into an exit code.
//! Nothing before that point may start a thread.

use std::env::ArgsOs;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use app::App;
use args::spec::Spares;
use args::{Invocation, Parsed};
use coracle_runtime::model::Container;
use error::{CliError, CommandResult, ExitStatus};
use settings::Settings;
use ui::Ui;

mod agent;
mod api;
mod app;
mod args;
mod builtin;
mod client_config;
mod commands;
mod completion;
mod compose;
mod did_you_mean;
mod digests;
mod documents;
mod error;
mod fetch;
mod files;
mod filters;
mod format;
mod other_engine;
mod plans;
mod port_holder;
mod progress;
mod reaper;
mod registries;
mod run_flags;
mod settings;
mod streams;
mod swarm;
mod terminal;
mod threads;
mod ui;

/// musl's allocator maps and unmaps pages at every turn, and has one lock for all threads.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Version of this program, and of the engine inside it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, when the build says so.
pub(crate) const BUILD: &str = match option_env!("CORACLE_BUILD") {
    Some(build) => build,
    None => "unknown",
};

/// Signals whose being ignored stays as the caller wants it: whoever runs us under `nohup` or in the
/// background of a script means us, not the container. SIGPIPE is our own runtime's.
const OF_THE_CALLER: [i32; 7] = [1, 2, 3, SIGPIPE, 20, 21, 22];
const SIGPIPE: i32 = 13;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_default();
    // First of all: with SIGCHLD ignored no child could be waited for.
    let kept: &[i32] = if is_of_the_engine(&name) { &[SIGPIPE] } else { &OF_THE_CALLER };
    if let Err(error) = coracle_sys::signal::forget_inherited(kept) {
        return report(&mut Ui::new(), &CliError::plain(format!("{error}: {}", error.source)));
    }
    match helper(&name, words) {
        Ok(code) => code,
        Err(words) => run(&name, words),
    }
}

/// Helpers that outlive the command which starts them: nothing of the caller concerns them.
fn is_of_the_engine(name: &OsStr) -> bool {
    use coracle_runtime::monitor::{EXEC_ARGV0, MONITOR_ARGV0};
    let agent = coracle_swarm::client::AGENT_ARGV0;
    let netd = coracle_runtime::networks::NETD_ARGV0;
    let api = coracle_api::WORKER_ARGV0;
    let reaper = reaper::REAPER_ARGV0;
    [MONITOR_ARGV0, EXEC_ARGV0, netd, agent, api, reaper].iter().any(|helper| name == *helper)
}

/// The helpers of the engine are this executable under other names. Gives the words
/// back when the name is none of theirs.
fn helper(name: &OsStr, mut words: ArgsOs) -> Result<ExitCode, ArgsOs> {
    use coracle_runtime::monitor::{self, EXEC_ARGV0, MONITOR_ARGV0};
    use coracle_runtime::networks;
    const INIT_NAME: &str = "docker-init";
    let exit = |code: i32| Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)));
    if name == MONITOR_ARGV0 {
        // The id is for who looks at the processes.
        let mut paths = words.skip(1).map(std::path::PathBuf::from);
        let mut path = || paths.next().unwrap_or_default();
        return exit(monitor::main(path(), path()));
    }
    if name == EXEC_ARGV0 {
        return exit(monitor::exec_main());
    }
    if name == networks::NETD_ARGV0 {
        let settings = words.next().unwrap_or_default();
        return exit(networks::helper_main(&settings.to_string_lossy()));
    }
    if name == coracle_swarm::client::AGENT_ARGV0 {
        return Ok(agent::main(words, &commands::table::TABLE));
    }
    if name == fetch::PULL_ARGV0 {
        let order = words.next().unwrap_or_default();
        return Ok(fetch::main(&order.to_string_lossy(), &commands::table::TABLE));
    }
    if name == coracle_api::WORKER_ARGV0 {
        return Ok(api::main(words, &commands::table::TABLE));
    }
    if name == reaper::REAPER_ARGV0 {
        return Ok(reaper::main(words, &commands::table::TABLE));
    }
    if name == digests::DIGEST_ARGV0 {
        let order = words.next().unwrap_or_default();
        return Ok(digests::main(&order.to_string_lossy()));
    }
    if Path::new(name).file_name() == Some(OsStr::new(INIT_NAME)) {
        return exit(coracle_runtime::start::tiny_init::main(&words.collect::<Vec<_>>()));
    }
    builtin::program(name, words)
}

fn run(name: &OsStr, words: ArgsOs) -> ExitCode {
    let program = program_name(name);
    let mut words: Vec<OsString> = words.collect();
    if Path::new(name).file_name() == Some(OsStr::new("docker-compose")) {
        words.insert(usize::from(is_asked_for_words(&words)), "compose".into());
    }
    let is_version = |word: &OsString| word == "--version" || word == "-v" || word == "version";
    if Path::new(name).file_name() == Some(OsStr::new("docker-machine"))
        && !words.first().is_some_and(is_version)
    {
        words.insert(usize::from(is_asked_for_words(&words)), "machine".into());
    }
    let result = prepare(program, words);
    let (mut ui, result) = match result {
        Ok(Some((invocation, settings))) => execute(program, &invocation, settings),
        Ok(None) => (Ui::new(), Ok(ExitStatus::Success)),
        Err(error) => (Ui::new(), Err(error)),
    };
    let result = match (result, ui.flush()) {
        (Ok(_), Err(error)) => Err(CliError::from(error)),
        (result, _) => result,
    };
    match result {
        Ok(status) => ExitCode::from(status.code()),
        Err(error) => report(&mut ui, &error),
    }
}

/// Whether a shell asks what may follow.
fn is_asked_for_words(words: &[OsString]) -> bool {
    words.first().is_some_and(|word| word == args::COMPLETE)
}

/// `docker` when called by that name, through a link or an alias of the file.
fn program_name(argv0: &OsStr) -> &'static str {
    match Path::new(argv0).file_name().and_then(|name| name.to_str()) {
        Some("docker" | "docker-compose" | "docker-machine") => "docker",
        _ => "coracle",
    }
}

/// Parses the command line and reads the settings. Help is printed here.
fn prepare(
    program: &'static str,
    words: Vec<OsString>,
) -> Result<Option<(Box<Invocation>, Settings)>, CliError> {
    let parsed = args::parse(program, &commands::table::TABLE, words)?;
    let mut settings = Settings::read()?;
    match parsed {
        Parsed::Print(text) => {
            let mut ui = Ui::new();
            ui.data().write_all(text.as_bytes())?;
            ui.flush()?;
            Ok(None)
        }
        Parsed::Misused(help, error) => {
            let mut ui = Ui::new();
            ui.data().write_all(help.as_bytes())?;
            ui.flush()?;
            Err(error)
        }
        Parsed::Run(invocation) => {
            if !invocation.spec.works_without_settings(&invocation.matches)
                && let Some(error) = settings.broken
            {
                return Err(error);
            }
            if let Some(folder) = &invocation.globals.config {
                settings.docker_config = folder.into();
            }
            if let Some(storage) = invocation.globals.storage {
                settings.storage = storage;
            }
            settings.read_client_config();
            if let Some(node) = &invocation.globals.node {
                settings.node = Some(node.clone()).filter(|node| !node.is_empty());
            }
            if let Some(optional) = invocation.globals.limits_optional {
                settings.limits_optional = optional;
            }
            Ok(Some((invocation, settings)))
        }
    }
}

/// Runs the command. The process is still single-threaded when this begins.
fn execute(
    program: &'static str,
    invocation: &Invocation,
    settings: Settings,
) -> (Ui, CommandResult) {
    let mut ui = Ui::new();
    if invocation.globals.debug {
        let text = format!("debug: data root {}", settings.data_root.display());
        // What is said for information only may go unheard.
        writeln!(ui.status(), "{text}").unwrap_or_default();
    }
    if let Some(error) = &settings.broken {
        writeln!(ui.status(), "WARNING: going on without settings: {error}").unwrap_or_default();
    }
    if let Some(path) = &settings.file.closed {
        let text = format!("WARNING: cannot read {}: permission denied", path.display());
        writeln!(ui.status(), "{text}").unwrap_or_default();
    }
    // A home that is closed was told of already.
    let told = settings.file.closed.is_some();
    if let Some(why) = settings.client.warning.as_ref().filter(|_| !told) {
        writeln!(ui.status(), "WARNING: Error {why}").unwrap_or_default();
    }
    let meant = other_engine::check(
        &settings,
        &invocation.globals,
        invocation.spec.effect_of(&invocation.matches),
    );
    if let Ok(Some(line)) = &meant {
        writeln!(ui.status(), "WARNING: {line}").unwrap_or_default();
    }
    let asks = invocation.spec.effect_of(&invocation.matches) != args::Effect::Nothing;
    let meant = match asks {
        true => settings.check_api().and(meant),
        false => meant,
    };
    for line in args::deprecated(invocation.spec, &invocation.matches) {
        writeln!(ui.status(), "{line}").unwrap_or_default();
    }
    let mut app = App::new(ui, settings, program, &commands::table::TABLE);
    if !invocation.spec.apart {
        app.wake_agent();
        reaper::end_orphans(&app.settings.data_root);
    }
    app.called.clone_from(&invocation.path);
    app.compose = invocation.compose.clone();
    let result = meant
        .and_then(|_| app.choose_node(invocation.spec, &invocation.path))
        .and_then(|()| commands::system::info::require(&app, &invocation.globals.require))
        .and_then(|()| enter(&mut app, invocation))
        .and_then(|()| (invocation.spec.run)(&mut app, &invocation.matches));
    compose::settle();
    app.warn_of_damage();
    let result = result.map_err(|error| did_you_mean::complete(&app, error)).map_err(|error| {
        let witness = app.witness.take();
        port_holder::complete(error, witness, app.engine().ok(), app.program)
    });
    let result = match result {
        Err(error) if invocation.spec.fails_as_run => {
            Err(as_failure_of_run(error, program, &invocation.path))
        }
        result => result,
    };
    (app.ui, result)
}

/// Enters the user's namespaces when the command needs them, or when the next command
/// that comes along has to clean up. `exec` enters those of its container by itself.
fn enter(app: &mut App, invocation: &Invocation) -> Result<(), CliError> {
    let spec = invocation.spec;
    if spec.builds {
        app.outside = compose::outside::Outside::leave(app);
    }
    if spec.may_publish(&invocation.matches) {
        app.witness = port_holder::Witness::leave();
    }
    let needs_recovery = !spec.apart && app.home.needs_recovery();
    if !needs_recovery {
        return match spec.needs_namespace(&invocation.matches) {
            true => app.enter(spec.starts.is_some(), &|_| false),
            false => Ok(()),
        };
    }
    let spared = spared(app, invocation);
    if spec.joins {
        recover_apart(app, &*spared)
    } else if spec.needs_namespace(&invocation.matches) {
        app.enter(true, &*spared)
    } else {
        app.enter_to_recover(&*spared);
        Ok(())
    }
}

/// Containers that a command ends, starts or runs something in are not recovered before: it
/// would start what is to end. The command sees to what a killed monitor left of them.
fn spared(app: &App, invocation: &Invocation) -> Box<dyn Fn(&Container) -> bool> {
    // What a start needs is in the settings.
    if app.settings.broken.is_some() {
        return Box::new(|_| true);
    }
    let names = invocation.matches.try_get_many::<String>("args").ok().flatten();
    let names = names.into_iter().flatten();
    let ids = |names: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        let find = |name: &String| coracle_view::container::find_id(&app.home, name).ok();
        names.filter_map(find).collect()
    };
    let ids = match invocation.spec.spares {
        Spares::Nothing => return Box::new(|_| false),
        Spares::Named => ids(&mut names.into_iter()),
        Spares::First => ids(&mut names.take(1)),
        Spares::Projects => {
            return Box::new(|container| {
                container.config.labels.contains_key(coracle_compose::project::labels::PROJECT)
            });
        }
    };
    Box::new(move |container| ids.contains(&container.id))
}

/// Cleans up in a child: this process is about to enter its container's namespaces itself.
pub(crate) fn recover_apart(
    app: &mut App,
    spared: &dyn Fn(&Container) -> bool,
) -> Result<(), CliError> {
    use coracle_sys::fork::{Fork, exit_now, fork};
    match fork().map_err(|error| CliError::plain(format!("cannot start a child: {error}")))? {
        Fork::Child => {
            app.enter_to_recover(spared);
            app.home.leave();
            exit_now(0)
        }
        Fork::Parent(child) => {
            // If it failed, the command itself finds out what does not run.
            rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()).ok();
            Ok(())
        }
    }
}

/// Failures of `run` and `create` are exit code 125 and point at the help.
fn as_failure_of_run(mut error: CliError, program: &str, path: &str) -> CliError {
    if error.quiet || error.verbatim {
        return error;
    }
    error.message = format!("{program}: {}", error.message);
    error.note = Some(args::run_help_note(program, path));
    if error.status == ExitStatus::Failure {
        error.status = ExitStatus::Ours;
    }
    error
}

fn report(ui: &mut Ui, error: &CliError) -> ExitCode {
    if error.quiet {
        // As a process that died of SIGPIPE.
        return ExitCode::from(141);
    }
    // Nothing is left to do when standard error is closed too.
    writeln!(ui.status(), "{error}").unwrap_or_default();
    ExitCode::from(error.status.code())
}
