//! From targets to requests, by way of the flags that mean the same.

use std::path::Path;

use coracle_builder::bake::{Entry, Selected, Target};
use coracle_builder::flags::contexts::{self, Place};
use coracle_builder::progress::Progress;
use coracle_builder::request::{BuildRequest, Context};

use super::super::args::{BuildArgs, failed};
use super::super::check::refuse_other_frontends;
use super::super::dockerfile;
use super::super::fetched::Fetcher;
use super::super::locate::{Located, locate};
use super::super::unpacked::Unpacked;
use super::super::wanted::{absolute, bad};
use crate::args::values;
use crate::error::CliError;
use crate::run_flags::run_values;
use crate::settings::Settings;

/// A target with all that its build needs.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) request: BuildRequest,
    /// The folder of a context that came as an archive goes with it.
    pub(crate) _unpacked: Option<Unpacked>,
}

/// The requests of targets, each after those that it takes as contexts. `told`: lines of work that were shown before.
pub(crate) fn requests(
    settings: &Settings,
    selected: &Selected,
    progress: &mut dyn Progress,
    told: &mut usize,
) -> Result<Vec<Wanted>, CliError> {
    let mut all: Vec<Wanted> = Vec::new();
    for target in selected.order() {
        let args = args(target)?;
        let mut request = args.wanted(settings)?;
        for (name, context) in &target.contexts {
            let Some(other) = context.strip_prefix("target:") else { continue };
            let index = all.iter().position(|one| one.name == other);
            let missing = || failed(&format!("failed to find target {other}"));
            request.contexts.insert(name.clone(), Context::Result(index.ok_or_else(missing)?));
        }
        let mut fetcher = Fetcher { settings, request: &request, progress, told: *told };
        let located = located(target, &mut fetcher);
        *told = fetcher.told;
        let located = located?;
        refuse_other_frontends(
            &located.dockerfile.text,
            request.build_args.get("BUILDKIT_SYNTAX"),
        )?;
        request.context = located.context;
        request.dockerfile = located.dockerfile;
        request.is_fetched = located.is_fetched;
        request.context_modified = located.modified;
        let _unpacked = located.unpacked;
        request.name.clone_from(&target.name);
        all.push(Wanted { name: target.name.clone(), request, _unpacked });
    }
    Ok(all)
}

/// The flags of `build` that say the same.
fn args(target: &Target) -> Result<BuildArgs, CliError> {
    let pairs = |map: &std::collections::BTreeMap<String, String>| -> Vec<String> {
        map.iter().map(|(key, value)| format!("{key}={value}")).collect()
    };
    let texts = |entries: &[Entry]| entries.iter().map(Entry::to_string).collect::<Vec<_>>();
    let wrong = |key: &str, value: &str, why: &dyn std::fmt::Display| {
        failed(&format!("target {}: invalid value {value} for {key}: {why}", target.name))
    };
    let shm_size = match &target.shm_size {
        Some(text) => Some(values::bytes(text).map_err(|why| wrong("shm-size", text, &why))?),
        None => None,
    };
    let limit =
        |text: &String| run_values::ulimit(text).map_err(|why| wrong("ulimits", text, &why));
    let others = target.contexts.iter().filter(|(_, context)| !context.starts_with("target:"));
    let context = |(name, context): (&String, &String)| {
        format!("{name}={}", context.strip_prefix("cwd://").unwrap_or(context))
    };
    let hosts = target.extra_hosts.iter().flat_map(|(host, addresses)| {
        addresses.split(',').map(move |address| format!("{host}={address}"))
    });
    Ok(BuildArgs {
        add_host: hosts.collect(),
        allow: target.entitlements.clone(),
        annotation: target.annotations.clone(),
        attest: texts(&target.attest),
        build_arg: pairs(&target.args),
        build_context: others.map(context).collect(),
        cache_from: texts(&target.cache_from),
        cache_to: texts(target.cache_to.as_deref().unwrap_or_default()),
        label: pairs(&target.labels),
        network: target.network.clone(),
        no_cache: target.no_cache.unwrap_or_default(),
        no_cache_filter: target.no_cache_filter.clone(),
        output: texts(target.output.as_deref().unwrap_or_default()),
        platform: target.platforms.clone().unwrap_or_default(),
        pull: target.pull.unwrap_or_default(),
        secret: texts(&target.secret),
        shm_size,
        ssh: texts(&target.ssh),
        tag: target.tags.clone().unwrap_or_default(),
        target: target.target.clone(),
        ulimit: target.ulimits.iter().map(limit).collect::<Result<_, _>>()?,
        ..BuildArgs::default()
    })
}

/// Its context, and its Dockerfile in there or in the target itself.
fn located(target: &Target, fetcher: &mut Fetcher<'_>) -> Result<Located, CliError> {
    let context = target.context.as_deref().unwrap_or(".");
    let context = context.strip_prefix("cwd://").unwrap_or(context);
    let context = if context.is_empty() { "." } else { context };
    let file = target.dockerfile.as_deref().unwrap_or(dockerfile::NAME);
    let file = file.strip_prefix("cwd://").unwrap_or(file);
    for (what, name) in [("context", context), ("dockerfile", file)] {
        if name == "-" {
            return Err(CliError::plain(format!("ERROR: {what} from stdin not allowed in bake")));
        }
    }
    let folder = Path::new(context);
    if let Some(text) = &target.dockerfile_inline {
        let bytes = text.clone().into_bytes();
        let (folder, is_fetched, modified) = match contexts::place(context).map_err(bad)? {
            _ if folder.is_dir() => (absolute(folder)?, false, None),
            Place::Git(address) => {
                let arrived = fetcher.repository(&address)?;
                (arrived.path, true, arrived.modified)
            }
            _ => {
                let words = format!("unable to prepare context: path {context:?} not found");
                return Err(failed(&words));
            }
        };
        let ignore = if is_fetched { None } else { dockerfile::ignore_of(&folder) };
        let dockerfile = dockerfile::of_bytes(bytes, dockerfile::NAME, ignore);
        return Ok(Located {
            context: Context::Folder(folder),
            dockerfile,
            is_fetched,
            modified,
            unpacked: None,
        });
    }
    let joined = match folder.is_dir() {
        true => folder.join(file).to_string_lossy().into_owned(),
        false => file.to_owned(),
    };
    Ok(locate(context, Some(&joined), &mut std::io::empty(), fetcher)?)
}
