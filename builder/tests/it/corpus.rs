//! Findings, faults and plans against what BuildKit made of the same files.
//!
//! Reads the corpus of build cases beside the checkout, or where `CORACLE_SHARED` says, and passes without it.
//! Looked at are the findings of every case, the fault of those that end before anything is carried out, and of those
//! that succeed the names of steps, configuration and history.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use coracle_builder::check::{Checked, Options, Request, check};
use coracle_builder::ignore::Ignore;
use coracle_builder::plan::{BaseImage, Dated, Images, NoPlan, Operation, Plan, Unavailable, plan};
use coracle_builder::report;
use coracle_builder::request::{Context, Network};
use coracle_image::config::{History, ImageConfig};
use coracle_image::{Digest, Platform, Reference};
use serde_json::Value;

/// The base images of the corpus say nothing about themselves; others are what a case has built so far.
#[derive(Default)]
struct Local {
    built: BTreeMap<String, ImageConfig>,
}

impl Images for Local {
    fn image(
        &mut self,
        name: &Reference,
        platform: &Platform,
    ) -> Result<Option<BaseImage>, Unavailable> {
        let mut image = BaseImage::default();
        if let Some(config) = self.built.get(&name.familiar()) {
            image.config = config.clone();
            return Ok(Some(image));
        }
        if !["library/alpine", "library/debian"].contains(&name.path()) {
            return Ok(None);
        }
        image.config.os.clone_from(&platform.os);
        image.config.architecture.clone_from(&platform.architecture);
        image.config.rootfs.diff_ids.push(Digest::of(b"a layer"));
        image.config.history.push(History::default());
        Ok(Some(image))
    }

    fn epoch(&mut self, _: &Dated) -> Result<Option<i64>, Unavailable> {
        // What the server of the corpus says of all it has.
        Ok(Some(1_577_836_800))
    }
}

/// One build of a case.
struct Build {
    name: String,
    folder: PathBuf,
    words: Vec<String>,
    stdin: Option<String>,
    /// End of the image's name.
    tag: String,
    /// Of the environment.
    epoch: Option<String>,
    expected: Value,
}

#[expect(clippy::disallowed_methods, reason = "only tests look there")]
fn shared() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var_os("CORACLE_SHARED").map_or(beside, PathBuf::from)
}

#[test]
fn findings_and_plans_are_those_of_buildkit() {
    let corpus = shared().join("build-corpus/own");
    if !corpus.exists() {
        return;
    }
    let cases: Vec<_> =
        fs::read_dir(&corpus).unwrap().map(|entry| of_case(&entry.unwrap().path())).collect();
    let count: usize = cases.iter().map(Vec::len).sum();
    assert!(count > 200, "only {count} builds");
    let mut wrong = Vec::new();
    let (mut findings, mut faults, mut plans) = (0, 0, 0);
    let mut left_out = Vec::new();
    let mut images = Local::default();
    for (at, build) in cases.iter().flat_map(|builds| builds.iter().enumerate()) {
        if at == 0 {
            images.built.clear();
        }
        let Some(done) = run(build, &mut images) else {
            left_out.push(build.name.as_str());
            continue;
        };
        let mut said = warnings(&done.checked);
        if !build.words.iter().any(|word| word == "--check") {
            // The progress of a build shows each once.
            said.dedup();
        }
        let wanted = strings(&build.expected["warnings"]);
        if said != wanted {
            wrong.push(format!("{}: findings {said:#?}, BuildKit {wanted:#?}", build.name));
        }
        findings += wanted.len();
        let fault = done.checked.fault.as_ref().map(|fault| {
            let source =
                report::Source { path: "Dockerfile", name: "Dockerfile", text: &done.text };
            report::fault(fault, source)
        });
        faults += usize::from(fault.is_some());
        if let Some(why) = differs(fault.as_deref(), &build.expected) {
            wrong.push(format!("{}: {why}", build.name));
        }
        if let Some(plan) = &done.plan {
            plans += 1;
            images.built.insert(format!("tag{}:latest", build.tag), made(plan));
            wrong.extend(
                plan_differs(plan, &build.expected).map(|why| format!("{}: {why}", build.name)),
            );
        }
    }
    println!("left out: {left_out:?}");
    println!("{count} builds, {findings} findings, {faults} faults, {plans} plans");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The image of a plan, with layers of no content.
fn made(plan: &Plan) -> ImageConfig {
    let mut image = plan.outcome.image.clone();
    let layers = image.history.iter().filter(|entry| !entry.empty_layer).count();
    image.rootfs.diff_ids = vec![Digest::of(b"a layer"); layers];
    image
}

/// What a plan has otherwise than the image that BuildKit made.
fn plan_differs(plan: &Plan, expected: &Value) -> Option<String> {
    let hides =
        |text: &str| text.replace("127.0.0.1:1", "@SERVER@").replace("0123456789ab", "@SALT@");
    let steps = plan.steps.iter().filter(|step| {
        !matches!(step.operation, Operation::Image { .. }) && !step.name.starts_with("[context ")
    });
    let mut said = serde_json::json!({
        "steps": steps.map(|step| hides(&step.name)).collect::<BTreeSet<_>>(),
    });
    let wanted_steps = strings(&expected["steps"]);
    let wanted_steps: BTreeSet<_> =
        wanted_steps.iter().map(|step| step.strip_prefix("CACHED ").unwrap_or(step)).collect();
    let mut wanted = serde_json::json!({ "steps": wanted_steps });
    let image = &plan.outcome.image;
    if expected.get("config").is_some() {
        for key in ["config", "os", "architecture", "variant", "author", "history"] {
            wanted[key] = expected[key].clone();
        }
        said["config"] = without_empty(serde_json::to_value(&image.config).unwrap());
        said["os"] = image.os.clone().into();
        said["architecture"] = image.architecture.clone().into();
        said["variant"] = image.variant.clone().into();
        said["author"] = image.author.clone().into();
        // All but that of the corpus' own base images.
        let own = image.history.iter().filter(|entry| entry.created_by.is_some());
        let own = own.map(|entry| {
            let mark = if entry.empty_layer { "-" } else { "+" };
            hides(&format!("{mark} {}", entry.created_by.as_deref().unwrap_or_default()))
        });
        said["history"] = own.collect::<Vec<_>>().into();
    }
    if expected.get("created").is_some() {
        wanted["created"] = expected["created"].clone();
        let own = image.history.iter().skip(plan.outcome.inherited);
        let times = own.filter_map(|entry| entry.created.as_ref()).chain(&image.created);
        said["created"] =
            times.cloned().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().into();
    }
    (said != wanted).then(|| format!("plan {said:#}, BuildKit {wanted:#}"))
}

fn without_empty(mut value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(is) => !is,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Number(_) => false,
    };
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, value| !is_empty(value));
    }
    value
}

/// What is different of a fault: its message, and the lines that are marked.
fn differs(fault: Option<&str>, expected: &Value) -> Option<String> {
    let wanted = expected["error"].as_str().unwrap_or_default();
    let (_, message) = wanted.split_once("ERROR: ").unwrap_or(("", ""));
    let message = message.trim_start_matches("failed to build: ");
    let message =
        message.trim_start_matches("failed to solve: ").lines().next().unwrap_or_default();
    match fault {
        Some(fault) if fault.lines().next() != Some(message) => {
            Some(format!("fault {fault:?}, BuildKit {wanted:?}"))
        }
        Some(fault) => {
            let marked = |text: &str| {
                let lines = text.lines().filter(|line| line.contains("| >>> "));
                lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
            };
            (marked(fault) != marked(wanted))
                .then(|| format!("marks of {fault}, BuildKit {wanted}"))
        }
        // A build that began to run, or did not come to read the file, is not ours.
        None if wanted.is_empty()
            || wanted.contains("------\n >")
            || OF_A_BUILD.iter().any(|part| wanted.contains(part)) =>
        {
            None
        }
        None => Some(format!("no fault, BuildKit {wanted:?}")),
    }
}

/// Faults that come after, or before, a Dockerfile is looked at.
const OF_A_BUILD: [&str; 10] = [
    "failed to read dockerfile",
    "unable to prepare context",
    "failed to get build context",
    "failed to load LLB",
    "invalid tag",
    "failed to stat",
    "failed to load cache key",
    "did not complete successfully",
    "failed to compute cache key",
    "secret none: not found",
];

fn warnings(checked: &Checked) -> Vec<String> {
    let lines = checked.findings.iter().map(|finding| {
        let line = finding.at.first().map_or(0, |span| span.first);
        format!("{} (line {line}): {}", finding.rule, finding.detail)
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    lines
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    let mut list: Vec<_> = list.filter_map(Value::as_str).map(str::to_owned).collect();
    list.sort();
    list
}

fn json(path: &Path) -> Option<Value> {
    Some(serde_json::from_str(&fs::read_to_string(path).ok()?).unwrap())
}

fn of_case(folder: &Path) -> Vec<Build> {
    let Some(case) = json(&folder.join("case.json")) else { return Vec::new() };
    let expected =
        json(&folder.join("expect-29.json")).or_else(|| json(&folder.join("expect.json")));
    let expected = expected.unwrap();
    let builds = case["builds"].as_array().unwrap().iter().zip(expected.as_array().unwrap());
    let unedited = builds.take_while(|(build, _)| build.get("edit").is_none());
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let builds = unedited.map(|(build, expected)| Build {
        name: name.clone(),
        folder: folder.to_owned(),
        words: split(build["args"].as_str().unwrap_or(".")),
        tag: build["tag"].as_str().unwrap_or_default().to_owned(),
        stdin: build["stdin"].as_str().map(str::to_owned),
        epoch: [build, &case]
            .iter()
            .find_map(|of| of["env"]["SOURCE_DATE_EPOCH"].as_str().map(str::to_owned)),
        expected: expected.clone(),
    });
    builds.collect()
}

/// Words at blanks, with quotes as the corpus has them.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in text.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (' ', None) => words.push(std::mem::take(&mut word)),
            (c, _) => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

struct Done {
    checked: Checked,
    plan: Option<Plan>,
    text: String,
}

#[derive(Default)]
struct Flags<'a> {
    request: Request,
    file: Option<&'a str>,
    context: Option<&'a str>,
    is_check: bool,
}

fn flags(build: &Build) -> Option<Flags<'_>> {
    let mut flags = Flags::default();
    let request = &mut flags.request;
    let mut words = build.words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-f" => flags.file = words.next(),
            "--target" => request.target = words.next().map(str::to_owned),
            "--build-arg" => {
                let (name, value) = words.next()?.split_once('=')?;
                request.build_args.insert(name.to_owned(), value.to_owned());
            }
            "--build-context" => {
                let (name, folder) = words.next()?.split_once('=')?;
                let context = match folder.strip_prefix("docker-image://") {
                    Some(name) => Context::Image(Reference::parse(name).unwrap()),
                    None => Context::Folder(folder.into()),
                };
                request.contexts.insert(name.to_owned(), context);
            }
            "--label" => {
                let label = words.next()?;
                let (name, value) = label.split_once('=').unwrap_or((label, ""));
                request.labels.insert(name.to_owned(), value.to_owned());
            }
            "--allow" => request.allow.push(words.next()?.to_owned()),
            "--network" => {
                request.network = match words.next()? {
                    "host" => Network::Host,
                    "none" => Network::None,
                    _ => Network::Default,
                }
            }
            "--check" => flags.is_check = true,
            // They and their values say nothing about the file.
            "--secret" | "--ssh" | "--add-host" | "-t" | "--shm-size" | "--ulimit" | "--output"
            | "-o" | "--no-cache-filter" => {
                words.next()?;
            }
            word if word.starts_with('-') => {}
            word => flags.context = Some(word),
        }
    }
    Some(flags)
}

fn run(build: &Build, images: &mut Local) -> Option<Done> {
    let Flags { mut request, file, context, is_check } = flags(build)?;
    let checks = request.build_args.get("BUILDKIT_DOCKERFILE_CHECK");
    request.options = checks.map(|text| Options::parse(text).unwrap());
    if build.stdin.is_some() {
        return None;
    }
    if let Some(epoch) = build.epoch.clone() {
        request.build_args.insert("SOURCE_DATE_EPOCH".to_owned(), epoch);
    }
    let folder = build.folder.join(context?);
    let path = file.map_or_else(|| folder.join("Dockerfile"), |file| build.folder.join(file));
    let text = fs::read_to_string(&path).ok()?;
    let text = text
        .replace("@TAG@", "tag")
        .replace("@SERVER@", "127.0.0.1:1")
        .replace("@SALT@", "0123456789ab");
    let own = path.with_file_name(format!("{}.dockerignore", path.file_name()?.to_string_lossy()));
    let ignore =
        fs::read_to_string(own).or_else(|_| fs::read_to_string(folder.join(".dockerignore")));
    request.ignore = ignore.ok().map(|text| Ignore::parse(&text));
    if is_check {
        return Some(Done { checked: check(&text, &request, images), plan: None, text });
    }
    match plan(&text, &request, images) {
        Ok(planned) => {
            let succeeds = build.expected["rc"] == 0;
            let checked = Checked { findings: planned.findings, fault: None };
            Some(Done { checked, plan: Some(planned.plan).filter(|_| succeeds), text })
        }
        Err(why) => {
            let fault = match why.why {
                NoPlan::Fault(fault) => fault,
                why => panic!("{}: {why}", build.name),
            };
            // An image that the case makes for itself.
            if fault.message.ends_with(": not found") {
                return None;
            }
            let checked = Checked { findings: why.findings, fault: Some(fault) };
            Some(Done { checked, plan: None, text })
        }
    }
}
