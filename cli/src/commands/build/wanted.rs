//! From the flags of `build` to what is wanted: everything but the Dockerfile and its context.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coracle_builder::flags::{FlagError, caches, outputs, pairs};
use coracle_builder::request::{BuildRequest, CacheKind, CachePlace, Network, Output, OutputKind};
use coracle_image::Platform;

use super::args::{BuildArgs, failed};
use super::call::{self, Call};
use super::{context, credentials};
use crate::error::CliError;
use crate::settings::Settings;

/// The variable in which the caller gives the time of what is made.
pub(super) const EPOCH: &str = "SOURCE_DATE_EPOCH";

const ONE_BUILDER: &str = "there is one builder, with the name default";

/// Words of a flag that is read and wrong.
pub(super) fn bad(error: FlagError) -> CliError {
    match error {
        FlagError::Unsupported { what, why } => CliError::unsupported(&what, &why),
        error => failed(&error.to_string()),
    }
}

/// As [`bad`], for what Docker's client reads before it has a build.
pub(super) fn bad_early(error: FlagError) -> CliError {
    match error {
        FlagError::Unsupported { what, why } => CliError::unsupported(&what, &why),
        error => CliError::plain(format!("ERROR: {error}")),
    }
}

impl BuildArgs {
    /// How to check; `None` to build.
    pub(super) fn checks(&self) -> Result<Option<Call>, CliError> {
        let call = match &self.call {
            Some(call) => call::parse(call)?,
            None => None,
        };
        Ok(call.or_else(|| self.check.then(Call::default)))
    }

    /// What a check has a use for, too.
    pub(super) fn basics(&self, settings: &Settings) -> Result<BuildRequest, CliError> {
        let contexts = context::named(&self.build_context)?;
        Ok(BuildRequest {
            target: self.target.clone().filter(|target| !target.is_empty()),
            build_args: self.build_args(settings)?,
            platform: self.platform(settings)?,
            ignores: context::ignores(&contexts),
            contexts,
            ..BuildRequest::default()
        })
    }

    /// All that the flags want.
    pub(super) fn wanted(&self, settings: &Settings) -> Result<BuildRequest, CliError> {
        self.refuse_what_is_not_here(settings)?;
        let mut request = self.basics(settings)?;
        request.labels = pairs::labels(&self.label).map_err(bad_early)?;
        request.annotations = pairs::annotations(&self.annotation).map_err(bad)?;
        let names = self.tag.iter().map(|name| outputs::tag(name));
        request.names = names.collect::<Result<_, _>>().map_err(bad)?;
        request.no_cache = self.no_cache;
        request.no_cache_filter = self
            .no_cache_filter
            .iter()
            .flat_map(|list| list.split(','))
            .map(str::to_owned)
            .collect();
        request.pull = self.pull;
        let hosts = self.add_host.iter().map(|host| pairs::host(host));
        request.add_hosts = hosts.collect::<Result<_, _>>().map_err(bad)?;
        request.shm_size =
            self.shm_size.and_then(|size| u64::try_from(size).ok()).filter(|s| *s > 0);
        request.ulimits = self
            .ulimit
            .iter()
            .map(|limit| format!("{}={}:{}", limit.name, limit.soft, limit.hard))
            .collect();
        let allowed = self.allow.iter().map(|right| pairs::entitlement(right));
        request.allow = allowed.collect::<Result<_, _>>().map_err(bad)?;
        request.network = self.network()?;
        if request.network == Network::Host {
            request.allow.push("network.host".to_owned());
        }
        request.secrets = credentials::secrets(&self.secret, &settings.environment)?;
        request.ssh = credentials::agents(&self.ssh, &settings.environment)?;
        request.cache_from = places(&self.cache_from, caches::cache_from)?;
        request.cache_to = places(&self.cache_to, caches::cache_to)?;
        self.outputs(&mut request)?;
        Ok(request)
    }

    fn build_args(&self, settings: &Settings) -> Result<BTreeMap<String, String>, CliError> {
        let environment = &settings.environment;
        let caller = |name: &str| environment.all.get(name).cloned();
        let mut args = pairs::build_args(&self.build_arg, &caller).map_err(bad_early)?;
        // That of the caller counts as if it were given.
        if let Some(epoch) = environment.get(EPOCH) {
            args.entry(EPOCH.to_owned()).or_insert_with(|| epoch.to_owned());
        }
        let proxies = settings.proxies();
        let proxies = proxies.iter().filter_map(|proxy| proxy.split_once('='));
        let is_given = |name: &str| args.keys().any(|given| given.eq_ignore_ascii_case(name));
        let further: Vec<_> = proxies.filter(|(name, _)| !is_given(name)).collect();
        args.extend(further.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(args)
    }

    fn platform(&self, settings: &Settings) -> Result<Option<Platform>, CliError> {
        let given = self.platform.iter().flat_map(|list| list.split(','));
        let mut given: Vec<&str> = given.map(str::trim).filter(|text| !text.is_empty()).collect();
        if given.is_empty() {
            given.extend(settings.environment.get("DOCKER_DEFAULT_PLATFORM"));
        }
        let mut platform = None;
        for text in given {
            let read: Platform = text.parse().map_err(|_| {
                failed(&format!("{text:?}: cannot parse platform specifier: invalid argument"))
            })?;
            if platform.as_ref().is_some_and(|first| *first != read) {
                let why = "an image is built for one platform at a time";
                return Err(CliError::unsupported("--platform with several platforms", why));
            }
            platform = Some(read);
        }
        Ok(platform)
    }

    fn network(&self) -> Result<Network, CliError> {
        match self.network.as_deref() {
            None | Some("" | "default") => Ok(Network::Default),
            Some("host") => Ok(Network::Host),
            Some("none") => Ok(Network::None),
            Some(other) => Err(failed(&format!(
                "network mode {other:?} not supported by buildkit - you can define a custom network for your builder \
                 using the network driver-opt in buildx create"
            ))),
        }
    }

    fn outputs(&self, request: &mut BuildRequest) -> Result<(), CliError> {
        for text in &self.output {
            let read = outputs::output(text).map_err(bad)?;
            request.annotations.extend(read.annotations);
            request.outputs.push(read.output);
        }
        outputs::complete(&mut request.outputs, &request.names, self.push, self.load);
        let is_file =
            |output: &Output| matches!(output.kind, OutputKind::Local(_) | OutputKind::Tar(_));
        if self.iidfile.is_some() && request.outputs.iter().any(is_file) {
            let text = "ERROR: local and tar exporters are incompatible with image ID file";
            return Err(CliError::plain(text));
        }
        for output in &mut request.outputs {
            let path = match &mut output.kind {
                OutputKind::Local(path) => Some(path),
                OutputKind::Tar(path)
                | OutputKind::Docker { path, .. }
                | OutputKind::Oci { path, .. } => path.as_mut(),
                OutputKind::Image { names, push: true } if names.is_empty() => {
                    return Err(failed("tag is needed when pushing to registry"));
                }
                OutputKind::Image { .. } | OutputKind::Nothing => None,
            };
            if let Some(path) = path {
                *path = absolute(path)?;
            }
        }
        Ok(())
    }

    /// What Docker has and this program has not, unless it is said that nothing of it is wanted.
    fn refuse_what_is_not_here(&self, settings: &Settings) -> Result<(), CliError> {
        let refuse = |what: String, why: &str| Err(CliError::unsupported(&what, why));
        let builder = self.builder.as_deref().or(settings.environment.get("BUILDX_BUILDER"));
        if let Some(builder) = builder.filter(|name| !matches!(*name, "" | "default")) {
            return refuse(format!("--builder {builder}"), ONE_BUILDER);
        }
        if self.cgroup_parent.as_ref().is_some_and(|parent| !parent.is_empty()) {
            let why = "steps run below the cgroup that is delegated to this user";
            return refuse("--cgroup-parent".to_owned(), why);
        }
        if !self.resource.is_empty() {
            return refuse("--resource".to_owned(), "steps have no limits of their own");
        }
        let is_off = |text: &String| text.split(',').any(|field| field == "disabled=true");
        for (flag, given) in [("--attest", &self.attest), ("--policy", &self.policy)] {
            if let Some(text) = given.iter().find(|text| !is_off(text)) {
                return refuse(format!("{flag} {text}"), "only disabled=true is accepted");
            }
        }
        let of_images = "no attestations are made of images";
        for (flag, given) in [("--provenance", &self.provenance), ("--sbom", &self.sbom)] {
            let wanted = given.as_deref().filter(|text| !text.is_empty());
            let is_off = |text: &str| {
                coracle_words::strconv::parse_bool(text) == Some(false) || text == "disabled=true"
            };
            if let Some(text) = wanted.filter(|text| !is_off(text)) {
                return refuse(format!("{flag}={text}"), of_images);
            }
        }
        Ok(())
    }

    /// Whether a policy beside the Dockerfile may be passed over.
    pub(super) fn is_policy_off(&self) -> bool {
        !self.policy.is_empty()
    }
}

fn places(
    given: &[String],
    read: impl Fn(&str) -> Result<Vec<CachePlace>, FlagError>,
) -> Result<Vec<CachePlace>, CliError> {
    let mut all = Vec::new();
    for text in given {
        for mut place in read(text).map_err(bad)? {
            if let CacheKind::Local(path) = &mut place.kind {
                *path = absolute(path)?;
            }
            all.push(place);
        }
    }
    Ok(all)
}

/// A build may go elsewhere before it writes.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path)
        .map_err(|error| failed(&format!("cannot tell where {} is: {error}", path.display())))
}
