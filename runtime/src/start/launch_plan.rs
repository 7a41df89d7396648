//! From a container's record to everything its start needs: the one place that gathers
//! facts of this host and writes the files mounted into `/etc`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use oci_spec::runtime::Spec;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};

use crate::devices::Devices;
use crate::error::EngineError;
use crate::model::{Container, DeliveredFile};
use crate::one_id::StartIds;
use crate::order::MonitorOrder;
use crate::paths::Paths;
use crate::records::Records;
use crate::spec::{
    CapSets, EtcPaths, Host, Inputs, IpcMode, KernelFs, NetworkMode, NetworkSource, PidMode, Plan,
};
use crate::start::container_etc as etc;
use crate::start::init::Program;
use crate::start::kernel_mounts::KernelMounts;
use crate::start::payload::FinalCapabilities;
use crate::start::users;
use crate::start::users::User;

/// Largest `/etc/passwd` or `/etc/group` that is read, in bytes.
const ACCOUNT_FILE_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// What a start needs beyond the plan itself.
pub(crate) struct LaunchPlan {
    pub(crate) plan: Plan,
    pub(crate) user: User,
    pub(crate) fresh_network: bool,
    /// Whom the program takes itself for, where only id 0 is mapped.
    pub(crate) start_ids: Option<StartIds>,
    /// What the user should know: what is done otherwise than asked for.
    pub(crate) warnings: Vec<String>,
}

/// Works out how to start `container`, whose root filesystem is mounted.
pub(crate) fn prepare(
    paths: &Paths,
    container: &Container,
    order: &MonitorOrder,
    cgroup: Option<&Path>,
) -> Result<LaunchPlan, EngineError> {
    let network = NetworkMode::parse(&container.host_config.network_mode);
    let etc = etc::write(paths, container, &network)?;
    let devices = match container.host_config.privileged {
        true => crate::devices::look(Path::new("/dev")),
        false => Devices::default(),
    };
    let mut prepared = assemble(paths, container, order, cgroup, etc, &devices)?;
    prepared.warnings.extend(devices.warning());
    let named = container.host_config.resources.devices.as_deref().unwrap_or_default();
    prepared.warnings.extend(crate::devices::unfiltered(named));
    if let Some(start) = &mut prepared.start_ids {
        start.owners = take_owners(&mut prepared.plan.spec);
    }
    Ok(prepared)
}

/// The same for a further process: nothing is written.
pub(crate) fn prepare_exec(
    paths: &Paths,
    container: &Container,
    order: &MonitorOrder,
    cgroup: Option<&Path>,
) -> Result<LaunchPlan, EngineError> {
    assemble(paths, container, order, cgroup, EtcPaths::default(), &Devices::default())
}

fn assemble(
    paths: &Paths,
    container: &Container,
    order: &MonitorOrder,
    cgroup: Option<&Path>,
    etc: EtcPaths,
    devices: &Devices,
) -> Result<LaunchPlan, EngineError> {
    let delivered = delivered(paths, container)?;
    let mut container = joining_the_host(paths, container)?;
    let variables = crate::delivered::environment(paths, &container);
    container.config.env.extend(variables.map_err(EngineError::io("hand over variables"))?);
    let container = &container;
    let rootfs = paths.merged(&container.id);
    let groups = container.host_config.group_add.as_deref().unwrap_or_default();
    let wanted = user(&rootfs, &container.config.user, groups)?;
    let wanted = if container.is_step { wanted.named_once() } else { wanted };
    let (user, start_ids) = if order.single_id {
        // To the kernel it is id 0; to itself it is whoever the image wants.
        let User { uid, gid, groups, home } = wanted;
        let user = User { uid: 0, gid: 0, groups: vec![0], home };
        (user, Some(StartIds { uid, gid, groups, owners: Vec::new() }))
    } else {
        (wanted, None)
    };
    let network = NetworkMode::parse(&container.host_config.network_mode);
    let mountinfo = fs::read_to_string("/proc/self/mountinfo")
        .map_err(EngineError::io("read /proc/self/mountinfo"))?;
    let mounts = KernelMounts::look(&mountinfo);
    if !mounts.hide_proc.is_empty()
        && PidMode::parse(&container.host_config.pid_mode)? != PidMode::Host
    {
        return Err(EngineError::HiddenProc { paths: mounts.hide_proc });
    }
    let inputs = Inputs {
        user: user.clone(),
        network: network_source(paths, &network)?,
        join_pid: joined(paths, &container.host_config.pid_mode, "pid")?,
        join_ipc: joined(paths, &container.host_config.ipc_mode, "ipc")?,
        shm_dir: shm_dir(paths, container)?,
        etc,
        delivered,
        init: order.exe.clone(),
        cgroups_path: cgroup.map(cgroup_name),
        covered: crate::start::covered::look(container, &rootfs),
        host: Host {
            devices: devices.shown.clone(),
            ..host(&network, order.single_id, mounts.sysfs)
        },
        rootfs,
    };
    let mut plan = crate::spec::build(container, &inputs)?;
    if let Some(linux) = plan.spec.linux_mut() {
        // Limits are set by us; libcontainer needs a path, and tolerates one it cannot make.
        linux.set_resources(None);
        // That name must be nobody's: a failed start kills what is in there.
        let none = || PathBuf::from(format!("/coracle-none-{}", container.id));
        let own = cgroup.filter(|_| crate::cgroup::is_tree_ours()).map(cgroup_name);
        linux.set_cgroups_path(Some(own.unwrap_or_else(none)));
    }
    let fresh_network = inputs.network == NetworkSource::New;
    Ok(LaunchPlan { plan, user, fresh_network, start_ids, warnings: Vec::new() })
}

/// Where the files are that were delivered before this start.
fn delivered(paths: &Paths, container: &Container) -> Result<Vec<PathBuf>, EngineError> {
    let place = |(number, file): (usize, &DeliveredFile)| {
        let place = crate::delivered::place(paths, &container.id, number);
        if place.exists() {
            return Ok(place);
        }
        let target = &file.target;
        Err(EngineError::Refuse(format!(
            "{target} was not handed over: only the swarm starts the container of a task"
        )))
    };
    container.delivered.iter().enumerate().map(place).collect()
}

/// Where only one id is mapped, no file system in memory can belong to another: who is to
/// have it goes on record instead.
fn take_owners(spec: &mut Spec) -> Vec<(String, (u32, u32))> {
    let mut owners = Vec::new();
    for mount in spec.mounts_mut().iter_mut().flatten() {
        let options = mount.options().clone().unwrap_or_default();
        let (rest, owner) = crate::volumes::split_owner(options.iter().map(String::as_str));
        if mount.typ().as_deref() == Some("tmpfs")
            && let Some(owner) = owner
        {
            owners.push((mount.destination().display().to_string(), owner));
            mount.set_options(Some(rest.into_iter().map(str::to_owned).collect()));
        }
    }
    owners
}

/// A cgroup below the mount point, as libcontainer names it.
fn cgroup_name(cgroup: &Path) -> PathBuf {
    Path::new("/").join(cgroup.strip_prefix("/sys/fs/cgroup").unwrap_or(cgroup))
}

/// What the payload runs, as the plan has it.
pub(crate) fn program(plan: &Plan) -> Program {
    let process = plan.spec.process().as_ref();
    Program {
        argv: process.and_then(|process| process.args().clone()).unwrap_or_default(),
        working_dir: process.map_or_else(|| PathBuf::from("/"), |process| process.cwd().clone()),
        env: plan.env.clone(),
        capabilities: capabilities(plan.final_caps),
        filter: plan.filter.as_ref().map(|filter| filter.instructions.clone()).unwrap_or_default(),
        no_new_privileges: plan.no_new_privs,
        limits: plan.limits.clone(),
        oom_score_adj: plan.oom_score_adj,
        fresh_network: false,
        start_ids: None,
        terminal_size: None,
        masked: Vec::new(),
    }
}

/// The sets that the payload reduces itself to.
fn capabilities(sets: CapSets) -> FinalCapabilities {
    FinalCapabilities {
        bounding: sets.bounding.bits(),
        effective: sets.effective.bits(),
        permitted: sets.permitted.bits(),
        inheritable: sets.inheritable.bits(),
    }
}

/// The specification for libcontainer: the working directory is entered later.
pub(crate) fn from_the_root(mut spec: Spec) -> Spec {
    if let Some(process) = spec.process_mut() {
        process.set_cwd(PathBuf::from("/"));
    }
    spec
}

/// Resolves `--user` against the files of the image.
pub(crate) fn user(rootfs: &Path, spec: &str, groups: &[String]) -> Result<User, EngineError> {
    let read = |name: &str| {
        read_beneath(rootfs, name).map_err(EngineError::io(format!("read {name} of the container")))
    };
    Ok(users::resolve(spec, groups, &read("etc/passwd")?, &read("etc/group")?)?)
}

/// Reads a file of the container; links in it lead nowhere else. A missing one is empty.
pub(crate) fn read_beneath(root: &Path, name: &str) -> io::Result<Vec<u8>> {
    let root = rustix::fs::openat(
        CWD,
        root,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let file: OwnedFd = match rustix::fs::openat2(
        &root,
        name,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    ) {
        Ok(file) => file,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut bytes = Vec::new();
    File::from(file).take(ACCOUNT_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The container, with the host's namespaces where it joins a container that has those: there
/// is nothing to enter, and entering them would be refused.
fn joining_the_host(paths: &Paths, container: &Container) -> Result<Container, EngineError> {
    let mut effective = container.clone();
    let host = &mut effective.host_config;
    if let NetworkMode::Container(other) = NetworkMode::parse(&host.network_mode)
        && is_ours(&namespace_of(paths, &other, "net")?, "net")
    {
        "host".clone_into(&mut host.network_mode);
    }
    if let PidMode::Container(other) = PidMode::parse(&host.pid_mode)?
        && is_ours(&namespace_of(paths, &other, "pid")?, "pid")
    {
        "host".clone_into(&mut host.pid_mode);
    }
    if let IpcMode::Container(other) = IpcMode::parse(&host.ipc_mode)?
        && is_ours(&namespace_of(paths, &other, "ipc")?, "ipc")
    {
        "host".clone_into(&mut host.ipc_mode);
    }
    Ok(effective)
}

/// Whether a namespace is that of this process, which is the host's: a monitor has only the
/// user and mount namespaces to itself.
fn is_ours(namespace: &Path, kind: &str) -> bool {
    let own = PathBuf::from(format!("/proc/self/ns/{kind}"));
    match (fs::read_link(namespace), fs::read_link(own)) {
        (Ok(theirs), Ok(ours)) => theirs == ours,
        // Entering it will say why not.
        _ => false,
    }
}

fn network_source(paths: &Paths, mode: &NetworkMode) -> Result<NetworkSource, EngineError> {
    Ok(match mode {
        NetworkMode::Host => NetworkSource::Host,
        NetworkMode::Container(other) => NetworkSource::Join(namespace_of(paths, other, "net")?),
        NetworkMode::None | NetworkMode::Network(_) => NetworkSource::New,
    })
}

fn joined(paths: &Paths, mode: &str, kind: &str) -> Result<Option<PathBuf>, EngineError> {
    let other = match kind {
        "pid" => match PidMode::parse(mode)? {
            PidMode::Container(other) => other,
            _ => return Ok(None),
        },
        _ => match IpcMode::parse(mode)? {
            IpcMode::Container(other) => other,
            _ => return Ok(None),
        },
    };
    namespace_of(paths, &other, kind).map(Some)
}

/// A namespace of another container, which must be running.
fn namespace_of(paths: &Paths, reference: &str, kind: &str) -> Result<PathBuf, EngineError> {
    let records = Records::open(paths)?;
    let id = records.find(reference)?;
    let life = records.life(&id)?;
    match life.init {
        Some(_) if life.state.status.is_running() && !life.is_of_here() => {
            let what = format!("join the {kind} namespace of a container");
            Err(EngineError::Elsewhere { what, name: records.load(&id)?.name })
        }
        Some(init) if life.state.status.is_running() => {
            Ok(PathBuf::from(format!("/proc/{}/ns/{kind}", init.pid)))
        }
        _ if kind == "net" => {
            let (name, status) = (records.load(&id)?.name, life.state.status);
            Err(EngineError::Refuse(format!(
                "cannot join network namespace of a non running container: container {name} is \
                 {status}"
            )))
        }
        _ => Err(EngineError::Refuse(format!(
            "failed to join {} namespace: container {id} is not running",
            kind.to_uppercase()
        ))),
    }
}

/// `/dev/shm` is a folder of the donor when it is shared.
fn shm_dir(paths: &Paths, container: &Container) -> Result<Option<PathBuf>, EngineError> {
    match IpcMode::parse(&container.host_config.ipc_mode)? {
        IpcMode::Shareable => {
            let dir = paths.bundle(&container.id).join("shm");
            mount_shm(&dir, container.host_config.shm_size)?;
            Ok(Some(dir))
        }
        IpcMode::Container(other) => {
            let id = Records::open(paths)?.find(&other)?;
            let dir = paths.bundle(&id).join("shm");
            if !dir.exists() {
                return Err(EngineError::Refuse(format!(
                    "failed to join IPC namespace: container {id}: non-shareable IPC (hint: use \
                     IpcMode:shareable for the donor container)"
                )));
            }
            Ok(Some(dir))
        }
        _ => Ok(None),
    }
}

fn mount_shm(dir: &Path, bytes: i64) -> Result<(), EngineError> {
    if dir.exists() {
        return Ok(());
    }
    fs::create_dir(dir).map_err(EngineError::io("make the shared memory folder"))?;
    let options =
        std::ffi::CString::new(format!("mode=1777,size={bytes}")).expect("a number holds no NUL");
    rustix::mount::mount(
        "shm",
        dir,
        "tmpfs",
        rustix::mount::MountFlags::NOSUID
            | rustix::mount::MountFlags::NODEV
            | rustix::mount::MountFlags::NOEXEC,
        Some(options.as_c_str()),
    )
    .map_err(|error| EngineError::io("mount the shared memory")(error.into()))
}

fn host(network: &NetworkMode, single_id: bool, sysfs: KernelFs) -> Host {
    // Also one that another container made: it belongs to our user namespace.
    let own_network = *network != NetworkMode::Host;
    let uname = rustix::system::uname();
    let mut release = uname.release().to_str().unwrap_or_default().split(['.', '-']);
    let mut number = || release.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let kernel = crate::seccomp::KernelVersion { major: number(), minor: number() };
    Host {
        kernel,
        last_cap: last_cap(),
        ids: mapped_ids(),
        setgroups: !single_id,
        sysfs: if own_network || sysfs == KernelFs::Absent { sysfs } else { KernelFs::Bind },
        mqueue: Path::new("/dev/mqueue").is_dir(),
        ..Host::default()
    }
}

/// How many ids our user namespace has, from 0 on.
pub(crate) fn mapped_ids() -> u32 {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(2)?.parse::<u32>().ok())
        .fold(0, u32::saturating_add)
}

/// The highest capability of this kernel.
pub(crate) fn last_cap() -> u8 {
    fs::read_to_string("/proc/sys/kernel/cap_last_cap")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(crate::spec::LAST_CAP)
}
