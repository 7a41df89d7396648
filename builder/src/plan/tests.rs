//! Plans of small files: steps, configuration, history, keys.

use coracle_image::Digest;
use coracle_image::config::{ContainerConfig, History, ImageConfig};

use super::*;
use crate::request::{Context, Network};

/// An image with one layer and variables, one with triggers, and no other.
struct Local;

impl Images for Local {
    fn image(&mut self, name: &Reference, _: &Platform) -> Result<Option<BaseImage>, Unavailable> {
        let config = match name.path() {
            "library/alpine" => ContainerConfig {
                env: Some(vec!["PATH=/bin".into()]),
                cmd: Some(vec!["sh".into()]),
                ..ContainerConfig::default()
            },
            "library/rich" => ContainerConfig {
                on_build: Some(vec!["COPY --from=one a /".into(), "ENV A=1".into()]),
                user: "5".into(),
                working_dir: "/w".into(),
                ..ContainerConfig::default()
            },
            "library/plain" => ContainerConfig::default(),
            _ => {
                let kind = coracle_words::ErrorKind::NotFound;
                return Err(Unavailable::new("the registry says no", kind));
            }
        };
        let host = Platform::host();
        let mut image =
            ImageConfig { os: host.os, architecture: host.architecture, ..ImageConfig::default() };
        image.config = config;
        image.history.push(History::default());
        image.rootfs.diff_ids.push(Digest::of(name.path().as_bytes()));
        Ok(Some(BaseImage { config: image, digest: None }))
    }

    fn epoch(&mut self, of: &Dated) -> Result<Option<i64>, Unavailable> {
        Ok((*of == Dated::Context(None)).then_some(7))
    }
}

fn with(text: &str, request: &Request) -> Plan {
    match plan(text, request, &mut Local) {
        Ok(planned) => planned.plan,
        Err(why) => panic!("{why}: {text}"),
    }
}

fn of(text: &str) -> Plan {
    with(text, &Request::default())
}

fn fault(text: &str, request: &Request) -> String {
    plan(text, request, &mut Local).unwrap_err().to_string()
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.name.as_str()).collect()
}

fn history(plan: &Plan) -> Vec<String> {
    let entries = plan.outcome.image.history.iter().skip(plan.outcome.inherited);
    let entries = entries.map(|entry| {
        let mark = if entry.empty_layer { '-' } else { '+' };
        format!("{mark} {}", entry.created_by.as_deref().unwrap_or_default())
    });
    entries.collect()
}

fn run(step: &Step) -> &Run {
    match &step.operation {
        Operation::Run(run) => run,
        other => panic!("no command: {other:?}"),
    }
}

fn copy(step: &Step) -> &Copy {
    match &step.operation {
        Operation::Copy(copy) => copy,
        other => panic!("no copy: {other:?}"),
    }
}

#[test]
fn only_what_the_target_needs_in_an_order_that_can_be_done() {
    let text = "FROM alpine AS a\nRUN x\nFROM alpine AS b\nRUN y\nFROM scratch\n\
                COPY --from=a /x /\nCOPY --from=alpine /e /\n";
    let plan = of(text);
    assert_eq!(
        names(&plan),
        [
            "[a 1/2] FROM docker.io/library/alpine:latest",
            "FROM docker.io/library/alpine:latest",
            "[a 2/2] RUN x",
            "[stage-2 1/2] COPY --from=a /x /",
            "[stage-2 2/2] COPY --from=alpine /e /"
        ]
    );
    for (at, step) in plan.steps.iter().enumerate() {
        assert!(step.on.is_none_or(|on| on < at));
        let mut sources = step.operation.sources();
        assert!(sources.all(|from| !matches!(from, From::Step(step) if *step >= at)));
    }
    assert_eq!((plan.steps[3].on, plan.outcome.step), (None, Some(4)));
    let plan = with(text, &Request { target: Some("B".into()), ..Request::default() });
    assert_eq!(names(&plan), ["[b 1/2] FROM docker.io/library/alpine:latest", "[b 2/2] RUN y"]);
    let unused =
        "FROM alpine AS a\nRUN x\nFROM alpine\nRUN --mount=type=tmpfs,from=a,target=/t y\n";
    assert_eq!(names(&of(unused)).len(), 2, "nothing of it is used");
}

#[test]
fn names_of_steps() {
    let name = |text: &str| of(text).steps.pop().unwrap().name;
    assert_eq!(name("FROM alpine\nENV A=b\nrun echo \"$A\" $N\n"), "[2/2] RUN echo \"b\" $N");
    assert_eq!(
        name("FROM alpine\nRUN --mount=target=/m x\n"),
        "[stage-0 2/2] RUN --mount=target=/m x"
    );
    assert_eq!(name("FROM alpine\nRUN <<E\na\nb\nE\n"), "[2/2] RUN <<E (a...)");
    assert_eq!(name("FROM alpine\nENV A=b\nCOPY \"$A\" $N/\n"), "[2/2] COPY b /");
    let request = Request {
        platform: Some(Platform::new("linux", "amd64", "")),
        shows_platform: true,
        ..Request::default()
    };
    let plan =
        with("FROM --platform=linux/arm64 alpine AS arm64\nARG TARGETARCH\nRUN x\n", &request);
    assert_eq!(
        names(&plan),
        [
            "[linux/arm64 1/2] FROM docker.io/library/alpine:latest",
            "[linux/arm64->amd64 2/2] RUN x"
        ]
    );
    let many = "RUN x\n".repeat(9);
    assert_eq!(of(&format!("FROM alpine\n{many}")).steps[1].name, "[ 2/10] RUN x");
}

#[test]
fn configuration_and_history() {
    let plan = of(
        "FROM alpine AS base\nLABEL a=1 b=2\nONBUILD RUN x\nFROM base\nARG V=1 W\nENV PATH=$PATH:/x B=$V\n\
                   EXPOSE 81/UDP 80-81\nVOLUME /v \"$B\"\nUSER u\nWORKDIR a/../b\nWORKDIR /\nSTOPSIGNAL 9\n\
                   HEALTHCHECK --interval=90s CMD x y\nSHELL [\"/s\", \"-c\"]\nCMD x \"y\nENTRYPOINT [\"e\"]\nRUN z\n",
    );
    let image = &plan.outcome.image;
    let config = &image.config;
    assert_eq!(config.env.as_deref().unwrap(), ["PATH=/bin:/x", "B=1"]);
    assert_eq!(config.cmd.as_deref().unwrap(), ["/s", "-c", "x \"y"]);
    assert_eq!((config.working_dir.as_str(), config.user.as_str()), ("/", "u"));
    assert_eq!(config.labels.as_ref().unwrap().len(), 2);
    assert!(config.args_escaped && config.on_build.is_none());
    assert_eq!(
        history(&plan),
        [
            "- LABEL a=1 b=2",
            "+ RUN /bin/sh -c x # buildkit",
            "- ARG V=1 W",
            "- ENV PATH=/bin:/x B=1",
            "- EXPOSE [80/tcp 81/tcp 81/udp]",
            "- VOLUME [/v 1]",
            "- USER u",
            "+ WORKDIR /b",
            "- WORKDIR /",
            "- STOPSIGNAL 9",
            "- HEALTHCHECK {Test:[CMD-SHELL x y] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}",
            "- SHELL [/s -c]",
            "- CMD [\"/s\" \"-c\" \"x \\\"y\"]",
            "- ENTRYPOINT [\"e\"]",
            "+ RUN |2 V=1 W= /s -c z # buildkit"
        ]
    );
    let command = run(plan.steps.last().unwrap());
    assert_eq!((command.user.as_str(), command.working_dir.as_str()), ("u", "/"));
    assert!(command.env.contains(&"V=1".to_owned()));
    assert_eq!(of("FROM alpine\nENTRYPOINT [\"e\"]\n").outcome.image.config.cmd, None);
    assert_eq!(of("FROM alpine\nUSER x\n").outcome.image.config.cmd.unwrap(), ["sh"]);
}

#[test]
fn what_an_image_brings() {
    let plan = of("FROM alpine AS one\nFROM rich\nRUN x\n");
    assert_eq!(
        names(&plan),
        [
            "[stage-1 1/2] FROM docker.io/library/rich:latest",
            // Its number was given when nobody wanted it yet, and again.
            "[one 2/1] FROM docker.io/library/alpine:latest",
            "[stage-1 2/4] ONBUILD COPY --from=one a /",
            "[stage-1 3/4] RUN x"
        ]
    );
    let command = run(&plan.steps[3]);
    assert_eq!((command.user.as_str(), command.working_dir.as_str()), ("5", "/w"));
    assert!(command.env.contains(&"A=1".to_owned()), "{command:?}");
    assert_eq!(plan.outcome.image.config.on_build, None);
}

#[test]
fn commands_and_their_mounts() {
    let request = Request {
        build_args: [("HTTP_PROXY", "p"), ("BUILDKIT_CACHE_MOUNT_NS", "ns")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        network: Network::None,
        ..Request::default()
    };
    let plan = with(
        "FROM alpine\nWORKDIR /w\nARG D=d\nRUN --mount=type=cache,target=$D,uid=5 \
         --mount=type=secret,id=s,env=S --mount=type=ssh --mount=src=x,target=/m,rw echo $S\n",
        &request,
    );
    let step = &plan.steps[2];
    assert_eq!(step.name.split_once(" echo ").unwrap().1, "****");
    let command = run(step);
    assert_eq!(command.unkeyed_env, ["HTTP_PROXY=p", "http_proxy=p"]);
    assert_eq!(command.network, Network::None);
    let targets: Vec<_> = command.mounts.iter().map(|mount| mount.target.as_str()).collect();
    assert_eq!(targets, ["/w/d", "/run/secrets/s", "/run/buildkit/ssh_agent.0", "/m"]);
    let [cache, secret, _, bind] = &command.mounts[..] else { panic!() };
    assert!(
        matches!(&cache.kind, MountKind::Cache { id, owner: (5, 0), mode: 0o755, from: None, .. } if id == "ns/d")
    );
    assert!(matches!(&secret.kind, MountKind::Secret { is_file: false, mode: 0o400, .. }));
    assert!(
        matches!(&bind.kind, MountKind::Bind { from: From::Context(None), source, writable: true } if source == "/x")
    );
    let script = of("FROM alpine\nRUN <<-E\n\t#!/bin/x\n\ty\nE\n");
    let command = run(&script.steps[1]);
    assert_eq!(command.args, ["/bin/sh", "-c", "/dev/pipes/E"]);
    assert_eq!(*command.scripts[0].1, *"#!/bin/x\ny\n");
    let piped = of("FROM alpine\nRUN cat <<E >x\ny\nE\n");
    assert_eq!(run(&piped.steps[1]).args[2], "cat <<E >x\ny\nE");
}

#[test]
fn copies() {
    let plan = of("FROM alpine\nWORKDIR /w\nARG N=n\nCOPY --chmod=600 --link a ./$N b/\n\
                   ADD --link http://h/x%20y /\nCOPY <<E <<'F' .\n$N\nE\n$N\nF\nCOPY --parents a/./b c\n");
    let paths = |step: &Step| {
        let copy = copy(step);
        let patterns = copy.sources.iter().map(|source| match source {
            Source::Files { pattern, .. } => pattern.clone(),
            Source::Content { name, text } => format!("{name}={text}"),
            Source::Http { name, .. } => name.clone(),
            Source::Git { url, .. } => url.clone(),
        });
        (patterns.collect::<Vec<_>>().join(" "), copy.destination.clone(), copy.link)
    };
    let said: Vec<_> = plan.steps[2..].iter().map(paths).collect();
    let wanted = [
        ("/a /n", "/w/b/", false),
        ("x y", "/", true),
        ("E=n\n F=$N\n", "/w/", false),
        ("a/./b", "/w/c", false),
    ];
    let wanted = wanted.map(|(from, to, link)| (from.to_owned(), to.to_owned(), link));
    assert_eq!(said, wanted);
}

#[test]
fn contexts_in_place_of_stages_and_images() {
    let request = Request {
        contexts: [
            ("alpine", Context::Folder("f".into())),
            ("s", Context::Image(Reference::parse("plain").unwrap())),
            ("more", Context::Git("git://h/r".into())),
        ]
        .map(|(name, context)| (name.to_owned(), context))
        .into(),
        ..Request::default()
    };
    let plan = with(
        "FROM nosuch AS s\nRUN never\nFROM alpine\nCOPY --from=s /a /\nCOPY --from=more x y\n",
        &request,
    );
    assert_eq!(
        names(&plan),
        [
            "[context s] plain:latest",
            "[context more] load git source",
            "[context alpine] load from client",
            "[stage-1 1/3] COPY --from=s /a /",
            "[stage-1 2/3] COPY --from=more x y"
        ]
    );
    let Source::Files { from, .. } = &copy(&plan.steps[4]).sources[0] else { panic!() };
    assert_eq!(*from, From::Step(1));
    assert_eq!(plan.outcome.image.history.iter().filter(|entry| !entry.empty_layer).count(), 3);
}

#[test]
fn times() {
    let with_epoch = |value: &str| {
        let request = Request {
            build_args: [("SOURCE_DATE_EPOCH".to_owned(), value.to_owned())].into(),
            ..Request::default()
        };
        with("FROM alpine\nARG SOURCE_DATE_EPOCH\nRUN x\n", &request)
    };
    let plan = with_epoch("0");
    assert_eq!(plan.epoch, Some(0));
    assert_eq!(plan.outcome.image.created.as_deref(), Some("1970-01-01T00:00:00Z"));
    assert_eq!(history(&plan)[0], "- ARG SOURCE_DATE_EPOCH=0");
    assert_eq!(history(&with_epoch("context"))[0], "- ARG SOURCE_DATE_EPOCH=7");
    assert_eq!(history(&with_epoch(""))[0], "- ARG SOURCE_DATE_EPOCH");
    let stage =
        of("ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\nADD http://h/f /\nFROM alpine\n");
    assert_eq!(stage.epoch, None, "it does not say");
}

#[test]
fn what_has_no_plan() {
    let request = Request::default();
    assert_eq!(fault("FROM gone AS a\nFROM a\n", &request), "gone: the registry says no");
    assert_eq!(
        fault("FROM alpin\n", &request),
        "alpin: the registry says no (did you mean alpine?)"
    );
    let host = "FROM alpine\nRUN --network=host x\n";
    assert_eq!(fault(host, &request), "failed to load LLB: network.host is not allowed");
    let allowed = Request { allow: vec!["network.host".into()], ..Request::default() };
    assert_eq!(run(&with(host, &allowed).steps[1]).network, Network::Host);
    let why = plan("FROM alpine\nENV A b\nBOGUS\n", &request, &mut Local).unwrap_err();
    assert_eq!((why.why.at().len(), why.findings.len()), (1, 0));
    let why = plan("FROM alpine\nENV A b\nEXPOSE x\n", &request, &mut Local).unwrap_err();
    assert_eq!(why.findings.len(), 1, "findings come with a fault");
}

#[test]
fn what_counts_for_the_cache() {
    let key = |text: &str, request: &Request| with(text, request).steps.last().unwrap().key();
    let file = |lines: &str| key(&format!("FROM alpine\n{lines}\n"), &Request::default());
    for (one, other, is_same) in [
        ("RUN x", "RUN  x", true),
        ("RUN x", "RUN y", false),
        ("LABEL a=b\nRUN x", "RUN x", true),
        ("CMD a\nRUN x", "RUN x", true),
        ("ENV A=1\nRUN x", "RUN x", false),
        ("ARG A=1\nRUN x", "ARG A=2\nRUN x", false),
        ("ARG A\nRUN x", "RUN x", true),
        ("USER 5\nRUN x", "RUN x", false),
        ("WORKDIR /a\nRUN x", "RUN x", false),
        ("RUN --network=none x", "RUN x", false),
        (
            "RUN --mount=type=cache,id=a,target=/c x",
            "RUN --mount=type=cache,id=b,target=/c x",
            true,
        ),
        ("RUN --mount=src=a,target=/c x", "RUN --mount=src=b,target=/c x", true),
        ("RUN --mount=target=/c x", "RUN --mount=target=/d x", false),
        ("COPY a /x", "COPY ./a /x", true),
        ("COPY d/a /x", "COPY a /x", true),
        ("COPY a /x", "COPY b /x", false),
        ("COPY a /x", "COPY a /x/", false),
        ("USER 5\nCOPY a /x", "COPY a /x", true),
        ("COPY --chown=5 a /x", "COPY a /x", false),
        ("COPY <<E /x\n1\nE", "COPY <<E /x\n2\nE", false),
        ("COPY a /x", "ADD a /x", false),
    ] {
        assert_eq!(file(one) == file(other), is_same, "{one} and {other}");
    }
    let arg = |name: &str| Request {
        build_args: [(name.to_owned(), "1".to_owned())].into(),
        ..Request::default()
    };
    let text = "FROM alpine\nRUN x\n";
    assert_eq!(key(text, &arg("http_proxy")), key(text, &Request::default()));
    let declared = "FROM alpine\nARG http_proxy\nRUN x\n";
    assert_ne!(key(declared, &arg("http_proxy")), key(declared, &Request::default()));
    let secret = "FROM alpine\nRUN --mount=type=secret,id=a x\n";
    assert_ne!(key(secret, &Request::default()), key(text, &Request::default()));
}

#[test]
fn steps_that_are_done_again() {
    let text = "FROM alpine AS a\nRUN x\nFROM a AS b\nRUN y\nWORKDIR /w\n";
    let request = Request { no_cache_filter: vec!["B".into()], ..Request::default() };
    let ignoring: Vec<_> = with(text, &request).steps.iter().map(|it| it.ignores_cache).collect();
    assert_eq!(ignoring, [false, false, true, false]);
}
