//! What a walk is asked to take for given.

use std::collections::BTreeMap;

use coracle_image::{Platform, Reference};

use crate::check::Options;
use crate::ignore::Ignore;
use crate::request::{BuildRequest, Context, Network};

/// Why a file is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For its findings: without a target every stage is looked at, and images may be unknown.
    Check,
    /// For what it can be given: what the target needs is looked at, and images may be unknown.
    Outline,
    /// For its plan: only what the target needs is looked at, which is the last stage if none is named.
    Build,
}

#[derive(Debug, Default)]
pub struct Request {
    /// The stage to build.
    pub target: Option<String>,
    /// `--build-arg`, with what the caller's environment adds.
    pub build_args: BTreeMap<String, String>,
    /// Instead of `# check=`.
    pub options: Option<Options>,
    /// `--platform`; that of this machine without.
    pub platform: Option<Platform>,
    /// Several platforms were asked for, so that names of steps say theirs.
    pub shows_platform: bool,
    /// `.dockerignore` of the context.
    pub ignore: Option<Ignore>,
    /// `--build-context`: these take the place of stages and images of their names.
    pub contexts: BTreeMap<String, Context>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    pub no_cache: bool,
    /// Stages whose steps are done again, by name.
    pub no_cache_filter: Vec<String>,
    /// Of steps that ask for no other.
    pub network: Network,
    /// `network.host`, `security.insecure`.
    pub allow: Vec<String>,
    /// `NAME:ADDRESS`.
    pub add_hosts: Vec<String>,
    pub shm_size: Option<u64>,
    pub ulimits: Vec<String>,
}

impl Request {
    /// What counts for the plan of a build.
    ///
    /// # Errors
    /// Where `BUILDKIT_DOCKERFILE_CHECK` cannot be read, in BuildKit's words.
    pub fn of(build: &BuildRequest) -> Result<Self, String> {
        let key = "BUILDKIT_DOCKERFILE_CHECK";
        let options = build.build_args.get(key).map(|text| Options::parse(text)).transpose();
        Ok(Self {
            target: build.target.clone().filter(|target| !target.is_empty()),
            build_args: build.build_args.clone(),
            options: options.map_err(|why| format!("failed to parse build-arg:{key}: {why}"))?,
            platform: build.platform.clone(),
            shows_platform: build.shows_platform,
            ignore: build.dockerfile.ignore.as_deref().map(Ignore::parse),
            contexts: build.contexts.clone(),
            labels: build.labels.clone(),
            no_cache: build.no_cache,
            no_cache_filter: build.no_cache_filter.clone(),
            network: build.network,
            allow: build.allow.clone(),
            add_hosts: build.add_hosts.clone(),
            shm_size: build.shm_size,
            ulimits: build.ulimits.clone(),
        })
    }

    /// The further context of this name, which is compared as names of images are.
    pub(super) fn context(&self, name: &str) -> Option<(&str, &Context)> {
        if self.contexts.is_empty() || RESERVED.iter().any(|it| name.eq_ignore_ascii_case(it)) {
            return None;
        }
        let wanted = familiar(name)?;
        let mut contexts = self.contexts.iter();
        let found = contexts.find(|(name, _)| familiar(name).as_ref() == Some(&wanted));
        found.map(|(name, context)| (name.as_str(), context))
    }

    /// Whether the steps of a stage are done again though they were done before.
    pub(super) fn ignores_cache(&self, stage: &str) -> bool {
        self.no_cache || self.no_cache_filter.iter().any(|name| name.eq_ignore_ascii_case(stage))
    }

    pub(super) fn allows(&self, entitlement: &str) -> bool {
        self.allow.iter().any(|allowed| allowed == entitlement)
    }
}

/// Names that no context can take.
const RESERVED: [&str; 2] = ["scratch", "context"];

fn familiar(name: &str) -> Option<String> {
    let familiar = Reference::parse(name).ok()?.familiar();
    Some(familiar.strip_suffix(":latest").map(str::to_owned).unwrap_or(familiar))
}
