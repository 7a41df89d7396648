//! Puts the parts together.

use std::path::PathBuf;

use oci_spec::runtime::{
    Linux, LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType, RootBuilder, Spec,
};

use crate::model::{Container, HostConfig};
use crate::seccomp::{self, Filter};

use super::capabilities::{self, CapSet, CapSets};
use super::inputs::{Inputs, NetworkSource};
use super::modes::{CgroupnsMode, IpcMode, PidMode, UtsMode};
use super::mounts::{self, Modes};
use super::process_limit::{self, ProcessLimit};
use super::security::{SeccompChoice, SecurityOptions};
use super::{SpecError, process, resources, sysctl};

/// How to start a container: what libcontainer does, then what our executor does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// For libcontainer. Its capabilities hold [`CapSet::TO_FINISH`] besides.
    pub spec: Spec,
    /// The environment in order; libcontainer's own copy is unordered.
    pub env: Vec<String>,
    /// What the executor reduces the process to, after the filter.
    pub final_caps: CapSets,
    /// To be installed by the executor; `None` only when unconfined.
    pub filter: Option<Filter>,
    /// To be set by the executor, after the filter when it can.
    pub no_new_privs: bool,
    /// To be set last: libcontainer itself may need more.
    pub limits: Vec<ProcessLimit>,
    /// To be written to the created process's `oom_score_adj` before it starts.
    pub oom_score_adj: Option<i32>,
}

struct AllModes {
    pid: PidMode,
    ipc: IpcMode,
    uts: UtsMode,
    cgroupns: CgroupnsMode,
}

impl AllModes {
    fn parse(host: &HostConfig) -> Result<Self, SpecError> {
        Ok(Self {
            pid: PidMode::parse(&host.pid_mode)?,
            ipc: IpcMode::parse(&host.ipc_mode)?,
            uts: UtsMode::parse(&host.uts_mode)?,
            cgroupns: CgroupnsMode::parse(&host.cgroupns_mode)?,
        })
    }
}

/// Works out how to start `container` on the host that `inputs` describes.
///
/// # Errors
/// When an option is malformed, contradicts another or cannot be had on this host.
pub fn build(container: &Container, inputs: &Inputs) -> Result<Plan, SpecError> {
    let host_config = &container.host_config;
    let modes = AllModes::parse(host_config)?;
    let security = SecurityOptions::parse(host_config.security_opt.as_deref().unwrap_or_default())?;
    let allowed = capabilities::resolve(
        host_config.cap_add.as_deref().unwrap_or_default(),
        host_config.cap_drop.as_deref().unwrap_or_default(),
        host_config.privileged,
        inputs.host.last_cap,
    )?;
    let final_caps = CapSets::for_user(allowed, inputs.user.uid);
    let config = &container.config;
    let env = process::environment(&config.hostname, config.tty, &config.env, &inputs.user.home);
    let words = process::arguments(container, &modes.pid)?;

    let mut spec = Spec::default();
    let root = RootBuilder::default()
        .path(inputs.rootfs.clone())
        .readonly(host_config.readonly_rootfs)
        .build()
        .expect("every field has a default");
    spec.set_root(Some(root));
    spec.set_process(Some(process::build(container, inputs, words, env.clone(), final_caps)?));
    spec.set_mounts(Some(mounts::build(
        container,
        inputs,
        &Modes { pid: &modes.pid, ipc: &modes.ipc, cgroupns: modes.cgroupns },
    )?));
    set_names(&mut spec, container, modes.uts);
    spec.set_linux(Some(linux(container, inputs, &modes)?));
    if !host_config.annotations.is_empty() {
        let annotations = host_config.annotations.clone().into_iter().collect();
        spec.set_annotations(Some(annotations));
    }
    Ok(Plan {
        spec,
        env,
        final_caps,
        filter: filter(&security, host_config.privileged, allowed, inputs)?,
        no_new_privs: security.no_new_privileges,
        limits: process_limit::limits(
            host_config.resources.ulimits.as_deref().unwrap_or_default(),
        )?,
        oom_score_adj: process::oom_score(host_config.oom_score_adj)?,
    })
}

fn set_names(spec: &mut Spec, container: &Container, uts: UtsMode) {
    let config = &container.config;
    let own = |name: &str| (uts == UtsMode::Private && !name.is_empty()).then(|| name.to_owned());
    spec.set_hostname(own(&config.hostname));
    spec.set_domainname(own(&config.domainname));
}

fn linux(container: &Container, inputs: &Inputs, modes: &AllModes) -> Result<Linux, SpecError> {
    let host_config = &container.host_config;
    let mut linux = Linux::default();
    linux.set_namespaces(Some(namespaces(inputs, modes)?));
    linux.set_seccomp(None);
    linux.set_devices(None);
    linux.set_rootfs_propagation(mounts::root_propagation(&container.mounts)?);

    let paths = |configured: &Option<Vec<String>>, default: Option<Vec<String>>| {
        if host_config.privileged {
            return Vec::new();
        }
        configured.clone().or(default).unwrap_or_default()
    };
    let default = HostConfig::default();
    linux.set_masked_paths(Some(paths(&host_config.masked_paths, default.masked_paths)));
    linux.set_readonly_paths(Some(paths(&host_config.readonly_paths, default.readonly_paths)));

    let owned = sysctl::Owned {
        network: inputs.network != NetworkSource::Host,
        fresh_network: inputs.network == NetworkSource::New,
        ipc: modes.ipc != IpcMode::Host,
        uts: modes.uts == UtsMode::Private,
    };
    let sysctls = sysctl::resolve(&host_config.sysctls, owned, inputs.host.ids)?;
    linux.set_sysctl((!sysctls.is_empty()).then_some(sysctls));

    linux.set_cgroups_path(inputs.cgroups_path.clone());
    linux.set_resources(None);
    if inputs.cgroups_path.is_some() {
        linux.set_resources(Some(resources::to_oci(&host_config.resources)));
    } else {
        let limits = resources::named(&host_config.resources);
        if !limits.is_empty() {
            return Err(SpecError::LimitsUnavailable { limits });
        }
    }
    Ok(linux)
}

fn namespaces(inputs: &Inputs, modes: &AllModes) -> Result<Vec<LinuxNamespace>, SpecError> {
    let mut all = vec![namespace(LinuxNamespaceType::Mount, None)];
    match &inputs.network {
        NetworkSource::New => all.push(namespace(LinuxNamespaceType::Network, None)),
        NetworkSource::Join(path) => {
            all.push(namespace(LinuxNamespaceType::Network, Some(path.clone())));
        }
        NetworkSource::Host => {}
    }
    if modes.uts == UtsMode::Private {
        all.push(namespace(LinuxNamespaceType::Uts, None));
    }
    match &modes.pid {
        PidMode::Private => all.push(namespace(LinuxNamespaceType::Pid, None)),
        PidMode::Container(_) => {
            let path = joined(&inputs.join_pid, "--pid")?;
            all.push(namespace(LinuxNamespaceType::Pid, Some(path)));
        }
        PidMode::Host => {}
    }
    match &modes.ipc {
        IpcMode::Private | IpcMode::Shareable | IpcMode::None => {
            all.push(namespace(LinuxNamespaceType::Ipc, None));
        }
        IpcMode::Container(_) => {
            let path = joined(&inputs.join_ipc, "--ipc")?;
            all.push(namespace(LinuxNamespaceType::Ipc, Some(path)));
        }
        IpcMode::Host => {}
    }
    if modes.cgroupns == CgroupnsMode::Private {
        all.push(namespace(LinuxNamespaceType::Cgroup, None));
    }
    Ok(all)
}

fn joined(path: &Option<PathBuf>, option: &'static str) -> Result<PathBuf, SpecError> {
    path.clone().ok_or(SpecError::NothingToJoin { option })
}

fn namespace(kind: LinuxNamespaceType, path: Option<PathBuf>) -> LinuxNamespace {
    let mut namespace =
        LinuxNamespaceBuilder::default().typ(kind).build().expect("every field has a default");
    namespace.set_path(path);
    namespace
}

/// The filter; `--privileged` means none unless a profile was named.
fn filter(
    security: &SecurityOptions,
    privileged: bool,
    allowed: CapSet,
    inputs: &Inputs,
) -> Result<Option<Filter>, SpecError> {
    let target = seccomp::Target {
        arch: inputs.host.arch,
        kernel: inputs.host.kernel,
        has_cap: &|name| allowed.contains_name(name),
    };
    let compiled = match &security.seccomp {
        SeccompChoice::Unconfined => return Ok(None),
        SeccompChoice::Default if privileged => return Ok(None),
        SeccompChoice::Default => seccomp::default_filter(&target),
        SeccompChoice::Custom(profile) => profile.compile(&target),
    };
    compiled.map(Some).map_err(|source| SpecError::Seccomp { source })
}
