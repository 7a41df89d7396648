//! The command line against recorded messages, and what help looks like.

use std::ffi::OsString;

use super::{COMPLETE, Effect, Invocation, Parsed, parse, tree};
use crate::commands::table::TABLE;
use crate::error::CliError;

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn fails(line: &str) -> CliError {
    parse("docker", &TABLE, words(line)).unwrap_err()
}

fn runs(line: &str) -> Invocation {
    match parse("docker", &TABLE, words(line)).unwrap() {
        Parsed::Run(invocation) => *invocation,
        Parsed::Print(text) | Parsed::Misused(text, _) => panic!("printed {text}"),
    }
}

fn prints(line: &str) -> String {
    match parse("coracle", &TABLE, words(line)).unwrap() {
        Parsed::Print(text) => text,
        Parsed::Run(_) | Parsed::Misused(..) => panic!("did not print"),
    }
}

#[test]
fn an_unknown_flag() {
    let error = fails("run --nosuchflag alpine true");
    insta::assert_snapshot!(error, @r"
    unknown flag: --nosuchflag

    Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]

    Run 'docker run --help' for more information
    ");
    assert_eq!(error.status.code(), 125);
    assert!(fails("ps -y").to_string().starts_with("unknown shorthand flag: 'y' in -y\n"));
    assert!(fails("ps -ay").to_string().starts_with("unknown shorthand flag: 'y' in -ay\n"));
}

#[test]
fn a_bad_value_names_both_spellings_of_the_flag() {
    for (line, message) in [
        (
            "ps -f bad",
            "invalid argument \"bad\" for \"-f, --filter\" flag: bad format of filter (expected name=value)",
        ),
        (
            "run -m bogus alpine",
            "invalid argument \"bogus\" for \"-m, --memory\" flag: invalid size: 'bogus'",
        ),
        (
            "run --dns bogus alpine",
            "invalid argument \"bogus\" for \"--dns\" flag: IP address is not correctly formatted: bogus",
        ),
        (
            "run -e =x alpine",
            "invalid argument \"=x\" for \"-e, --env\" flag: invalid environment variable: =x",
        ),
        (
            "run --sysctl bogus alpine",
            "invalid argument \"bogus\" for \"--sysctl\" flag: sysctl 'bogus' is not allowed",
        ),
        (
            "ps --all=maybe",
            "invalid argument \"maybe\" for \"-a, --all\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        ("ps -f", "flag needs an argument: 'f' in -f"),
        ("ps --filter", "flag needs an argument: --filter"),
    ] {
        let error = fails(line);
        assert_eq!(error.to_string().lines().next(), Some(message), "{line}");
        assert_eq!(error.status.code(), 125, "{line}");
    }
}

#[test]
fn the_number_of_arguments() {
    for (line, message, closing) in [
        ("run", "docker: 'docker run' requires at least 1 argument", "See"),
        ("ps extra", "docker: 'docker ps' accepts no arguments", "Run"),
        ("tag alpine", "docker: 'docker tag' requires 2 arguments", "Run"),
        ("container rename a", "docker: 'docker container rename' requires 2 arguments", "Run"),
        ("images a b", "docker: 'docker images' requires at most 1 argument", "See"),
        (
            "commit a b c",
            "docker: 'docker commit' requires at least 1 and at most 2 arguments",
            "See",
        ),
    ] {
        let error = fails(line);
        let text = error.to_string();
        assert_eq!(text.lines().next(), Some(message), "{line}");
        assert!(text.lines().last().is_some_and(|l| l.starts_with(closing)), "{text}");
        assert_eq!(error.status.code(), 1, "{line}");
    }
}

#[test]
fn unknown_commands() {
    insta::assert_snapshot!(fails("nosuchcommand"), @r"
    docker: unknown command: docker nosuchcommand

    Run 'docker --help' for more information
    ");
    insta::assert_snapshot!(fails("container nosuch"), @r"
    docker: unknown command: docker container nosuch

    Run 'docker container --help' for more information
    ");
    insta::assert_snapshot!(fails("manifest inspect"), @r"
    docker: unknown command: docker manifest

    Run 'docker --help' for more information
    hint: this registry command is not part of this version
    ");
}

#[test]
fn flags_end_at_the_image() {
    let run = runs("run --rm -it -u -1 --init=false alpine ls -l --all");
    let matches = &run.matches;
    assert!(matches.get_one::<bool>("rm").copied().unwrap());
    assert!(matches.get_one::<bool>("interactive").copied().unwrap());
    assert!(matches.get_one::<bool>("tty").copied().unwrap());
    assert!(!matches.get_one::<bool>("init").copied().unwrap());
    assert_eq!(matches.get_one::<String>("user").unwrap(), "-1");
    let args: Vec<_> = matches.get_many::<String>("args").unwrap().collect();
    assert_eq!(args, ["alpine", "ls", "-l", "--all"]);
}

#[test]
fn flags_mix_with_arguments_elsewhere() {
    let stop = runs("stop web -t 3 db --signal INT --signal KILL");
    let args: Vec<_> = stop.matches.get_many::<String>("args").unwrap().collect();
    assert_eq!(args, ["web", "db"]);
    assert_eq!(stop.matches.get_one::<i64>("timeout"), Some(&3));
    assert_eq!(stop.matches.get_one::<String>("signal").unwrap(), "KILL");
}

#[test]
fn long_forms_and_aliases() {
    assert_eq!(runs("container ls -a").spec.names[0], "ps");
    assert_eq!(runs("image rm x").spec.names[0], "rmi");
    assert_eq!(runs("-D container inspect x").spec.names[0], "container inspect");
    assert_eq!(runs("system info").spec.names[0], "info");
}

#[test]
fn what_needs_namespaces() {
    let needs = |line: &str| {
        let run = runs(line);
        run.spec.needs_namespace(&run.matches)
    };
    assert!(needs("run alpine"));
    assert!(needs("ps -s"));
    assert!(!needs("ps"));
    assert!(!needs("version"));
}

#[test]
fn an_engine_is_named_once() {
    for line in ["-H unix:///s ps", "-Hunix:///s ps", "--host=unix:///s ps", "-H=unix:///s ps"] {
        assert_eq!(runs(line).globals.host.as_deref(), Some("unix:///s"), "{line}");
    }
    assert_eq!(runs("-c prod ps").globals.context.as_deref(), Some("prod"));
    assert_eq!(fails("-H a -H b ps").to_string(), "specify only one -H");
    assert_eq!(
        fails("-H a -c b ps").to_string(),
        "conflicting options: cannot specify both --host and --context"
    );
    assert!(fails("--tls ps").to_string().starts_with("--tls: not supported"));
}

/// A command that is not in this list is refused when another engine is meant.
#[test]
fn commands_that_only_look() {
    let of = |effect| {
        let named = TABLE
            .in_order()
            .into_iter()
            .filter(|spec| spec.effect == effect)
            .map(|spec| spec.names[0]);
        named.collect::<Vec<_>>().join(", ")
    };
    insta::assert_snapshot!(of(Effect::Looks), @"ps, build, images, login, logout, version, info, diff, events, export, history, inspect, logs, port, save, stats, top, wait, with-api, builder du, buildx inspect, buildx ls, buildx rm, buildx stop, buildx use, buildx version, buildx create, buildx dap, buildx dial-stdio, buildx history, buildx imagetools, buildx install, buildx policy, buildx uninstall, compose logs, compose ls, compose plan, compose ps, compose why, compose config, compose events, compose export, compose images, compose port, compose publish, compose stats, compose top, compose version, compose volumes, config inspect, config ls, container inspect, image inspect, machine active, machine env, machine inspect, machine ip, machine ls, machine status, machine config, machine mount, machine provision, machine regenerate-certs, machine scp, machine upgrade, machine url, network inspect, network ls, node inspect, node ls, node ps, secret inspect, secret ls, service inspect, service logs, service ls, service plan, service ps, service why, stack ls, stack plan, stack ps, stack services, system df, system service, system dial-stdio, volume inspect, volume ls");
    assert_eq!(of(Effect::Nothing), "completion, stack config, system unit, __complete, man");
}

#[test]
fn the_tree_is_sound() {
    tree("coracle", &TABLE).debug_assert();
}

#[test]
fn every_flag_has_one_line_of_help_that_fits() {
    for spec in TABLE.commands() {
        for argument in spec.shown("x").get_arguments().filter(|a| !a.is_positional()) {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty(), "{}: {}", spec.names[0], argument.get_id());
            assert!(help.len() <= 120, "{}: {}: {help}", spec.names[0], argument.get_id());
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "the overview has that many")]
fn the_overview() {
    let text = prints("");
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    insta::assert_snapshot!(text, @r"
    Usage:  coracle [OPTIONS] COMMAND

    Run containers as an ordinary user, without a daemon

    Common Commands:
      run      Create a container from an image and run a command in it
      exec     Run a further command in a running container
      ps       List containers
      build    Build an image from a Dockerfile
      pull     Fetch an image from a registry
      push     Upload an image to a registry
      images   List images
      login    Log in to a registry
      logout   Forget the credentials of a registry
      version  Show versions
      info     Show what this host offers and what is stored

    Management Commands:
      builder    Manage builds
      buildx     Builds by the name of Docker's plugin
      compose    Define and run multi-container applications
      config     Manage configs of the swarm
      container  Manage containers
      image      Manage images
      machine    Manage machines for rehearsal, which can join a swarm
      network    Manage networks
      node       Manage nodes of the swarm
      secret     Manage secrets of the swarm
      service    Manage services of the swarm
      stack      Manage stacks of the swarm
      swarm      Manage the swarm
      system     See and clean up what is stored
      volume     Manage volumes

    Commands:
      attach      Attach to the main process of a running container
      commit      Make an image of a container's filesystem
      completion  Print or install the completion script of a shell
      cp          Copy files between a container and here
      create      Create a container without starting it
      diff        List what changed in a container's filesystem
      events      Print what happens, as it happens
      export      Write a container's filesystem as a tar
      history     List the layers of an image and what made them
      import      Make an image from a tar of a filesystem
      inspect     Show all about any object as JSON
      kill        Send a signal to containers
      load        Read images from a tar
      logs        Print what a container has written
      pause       Freeze containers
      port        List the published ports of a container
      rename      Give a container another name
      restart     Stop and start containers
      rm          Remove containers
      rmi         Remove images
      save        Write images to a tar
      start       Start stopped containers
      stats       Show what containers use, live
      stop        Stop running containers
      tag         Give an image a further name
      top         List the processes of a container
      unpause     Let frozen containers go on
      unshare     Run a command as root of the user's namespaces
      update      Change limits and restart policy of containers
      wait        Wait until containers stop, and print their exit codes
      with-api    Run a command with a Docker engine, and remove what it made

    Global Options:
          --config <string>     Directory of the client configuration (default
                                ~/.docker)
      -c, --context <string>    Accepted when it means this engine: default, or one
                                with our socket
      -D, --debug               Say more about what happens
      -H, --host <string>       Accepted when it means this engine:
                                unix://RUNTIME_DIR/docker.sock
      -l, --log-level <string>  What is logged: debug, info, warn, error or fatal
                                (default info)
          --node <string>       Ask this node of the swarm (default: the machine
                                itself)
          --require <feature>   Fail unless this machine has it, as `info` lists it
                                (repeatable)
          --limits <string>     Limits this host cannot set: require (an error) or
                                warn (default require)
          --storage <string>    Root filesystems: auto, overlay or copy (default
                                auto)
      -v, --version             Print the version and end

    Run 'coracle COMMAND --help' for more information on a command.
    ");
}

#[test]
fn help_of_a_group_and_of_commands() {
    insta::assert_snapshot!(prints("volume"), @r"
    Usage:  coracle volume COMMAND

    Manage volumes

    Commands:
      create   Create a volume
      inspect  Show all about volumes as JSON
      ls       List volumes
      prune    Remove unused volumes
      rm       Remove volumes

    Run 'coracle volume COMMAND --help' for more information on a command.
    ");
    insta::assert_snapshot!(prints("stop --help"), @r"
    Usage:  coracle stop [OPTIONS] CONTAINER [CONTAINER...]

    Stop running containers

    Aliases:
      coracle stop, coracle container stop

    Options:
      -s, --signal <string>  Signal sent first instead of the configured one
      -t, --timeout <int>    Seconds before SIGKILL; -1 waits for ever
    ");
    insta::assert_snapshot!(prints("images --help"), @r"
    Usage:  coracle images [OPTIONS] [REPOSITORY[:TAG]]

    List images

    Aliases:
      coracle images, coracle image ls, coracle image list

    Options:
      -a, --all              Include untagged and intermediate images
          --digests          Show a table with the DIGEST column
      -f, --filter <filter>  Show only matches, key=value (before, dangling, label,
                             reference, since, until)
          --format <string>  Layout: table, 'table TEMPLATE', json, or a Go template
                             for each line
          --no-trunc         Show a table, and do not shorten anything
      -q, --quiet            Print only ids
          --tree             Show the platforms of each image below it
    ");
}

#[test]
fn help_fits_eighty_columns() {
    // `__complete` takes every word for one of the line that it is asked about.
    for spec in TABLE.commands().filter(|spec| spec.names[0] != COMPLETE) {
        for line in prints(&format!("{} --help", spec.names[0])).lines() {
            let excused = line.starts_with("Usage:") || line.starts_with("  coracle ");
            assert!(excused || line.chars().count() <= 80, "{}: {line}", spec.names[0]);
        }
    }
}

#[test]
fn options_of_compose_stand_before_its_commands() {
    let run = runs("compose -f a.yaml --file=b.yaml -pdemo --profile x --parallel -1 config web");
    assert_eq!(run.spec.names[0], "compose config");
    assert_eq!(run.compose.files, ["a.yaml", "b.yaml"]);
    assert_eq!(run.compose.project_name.as_deref(), Some("demo"));
    assert_eq!(run.compose.profiles, ["x"]);
    assert_eq!(run.compose.parallel, Some(-1));
    assert!(!run.compose.dry_run);
    assert!(runs("compose --dry-run config").compose.dry_run);
    assert!(runs("compose config --dry-run").compose.dry_run);
    assert_eq!(
        runs("compose --workdir /x config").compose.project_directory.as_deref(),
        Some("/x")
    );
    assert_eq!(runs("compose -v").spec.names[0], "compose version");
}

#[test]
fn mistakes_after_compose() {
    for (line, message) in [
        ("compose config --bogus", "unknown flag: --bogus"),
        ("compose --bogus config", "unknown flag: --bogus"),
        ("compose version x", "accepts no arguments"),
        ("compose --progress x config", "unsupported --progress value \"x\""),
        (
            "compose --no-ansi --ansi always config",
            "cannot specify DEPRECATED \"--no-ansi\" and \"--ansi\". Please use only \"--ansi\"",
        ),
        (
            "compose --progress tty --ansi never config",
            "can't use --progress tty while ANSI support is disabled",
        ),
        (
            "compose --insecure-registry r config",
            "--insecure-registry r: not supported: Compose files are not read from registries",
        ),
    ] {
        let error = fails(line);
        assert_eq!(error.to_string(), message, "{line}");
        assert_eq!(error.status.code(), 1, "{line}");
    }
    match parse("docker", &TABLE, words("compose bogus")).unwrap() {
        Parsed::Misused(help, error) => {
            assert!(help.starts_with("Usage:  docker compose [OPTIONS] COMMAND\n"), "{help}");
            assert_eq!(error.to_string(), "unknown docker command: \"compose bogus\"");
            assert_eq!(error.status.code(), 1);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn help_of_compose() {
    for line in ["compose", "compose --help", "compose -h", "--help compose", "help compose"] {
        let text = prints(line);
        assert!(text.starts_with("Usage:  coracle compose [OPTIONS] COMMAND\n"), "{line}: {text}");
        assert!(text.contains("\n  config   Print the resolved project\n"), "{line}: {text}");
    }
    for line in ["compose config --help", "compose config -h", "compose help config"] {
        let text = prints(line);
        assert!(
            text.starts_with("Usage:  coracle compose config [OPTIONS] [SERVICE...]\n"),
            "{text}"
        );
        assert!(text.contains("--dry-run"), "{text}");
    }
}

#[test]
fn every_flag_of_compose_is_known() {
    let parser = |name: &str| match name {
        "compose" => TABLE.compose.parser(),
        name => {
            let found = TABLE.commands().find(|spec| spec.names.contains(&name));
            found.unwrap_or_else(|| panic!("{name} is no command")).parser()
        }
    };
    let text = include_str!("compose-flags.txt");
    let mut missing = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default().replace('.', " ");
        let parser = parser(&name);
        for word in words {
            let takes_value = word.ends_with('=');
            let word = word.trim_end_matches('=');
            let (short, long) = word.split_once(',').unwrap_or(("", word));
            let fits = parser.get_arguments().any(|argument| {
                let letter = argument.get_short().map(|letter| format!("-{letter}"));
                // Of a switch, the value must be joined by an equals sign.
                argument.get_long() == long.strip_prefix("--")
                    && (short.is_empty() || letter.as_deref() == Some(short))
                    && argument.is_require_equals_set() != takes_value
            });
            if !fits {
                missing.push(format!("{name} {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
