//! Start a container's first process: mounts, files, specification, libcontainer.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use coracle_sys::process::ProcessId;
use oci_spec::runtime::Spec;
use rustix::event::{PollFd, PollFlags};
use rustix::process::Pid;

use super::charge::Charge;
use super::child::{failed, in_child, terminal_streams};
use super::network::{self, Begun, Wiring};
use super::output::Streams;
use crate::error::{EngineError, with_causes};
use crate::model::Container;
use crate::networks;
use crate::one_id::Span;
use crate::order::MonitorOrder;
use crate::paths::{Paths, make_private};
use crate::records::ProcessRecord;
use crate::reopen::Kept;
use crate::rootfs::Overlay;
use crate::spec::NetworkMode;
use crate::start::early_mounts;
use crate::start::failure::Failure;
use crate::start::fresh_network;
use crate::start::fresh_network::FreshNetwork;
use crate::start::init;
use crate::start::init::{Place, Program, Stdio};
use crate::start::launch_plan;
use crate::start::masked;
use crate::start::users::User;

/// A started container.
pub(super) struct FirstProcess {
    pub(super) pid: Pid,
    pub(super) streams: Streams,
    pub(super) init_record: ProcessRecord,
    pub(super) cgroup: Option<PathBuf>,
    pub(super) wiring: Option<Wiring>,
    /// What the user should know: what is done otherwise than usual here.
    pub(super) warnings: Vec<String>,
}

/// Makes the runtime folder and listens on the control socket in it; makes and enters the
/// folder that only this side sees.
///
/// Sockets are bound by a relative name: their paths are limited to 108 bytes.
pub(super) fn runtime_folder(paths: &Paths, id: &str) -> io::Result<UnixListener> {
    let folder = paths.running(id);
    make_private(&folder).map_err(io::Error::other)?;
    rustix::process::chdir(&folder)?;
    drop(fs::remove_file("control.sock"));
    let listener = UnixListener::bind("control.sock")?;
    listener.set_nonblocking(true)?;
    make_private(&paths.merged(id)).map_err(io::Error::other)?;
    rustix::process::chdir(paths.bundle(id))?;
    Ok(listener)
}

/// Holds what an `exec` reads from the runtime folder.
pub(super) fn keep(paths: &Paths, id: &str) -> Kept {
    let oci = Path::new("oci").join(id);
    let files =
        [PathBuf::from("config.json"), oci.join("state.json"), oci.join("youki_config.json")];
    Kept::hold(&paths.bundle(id), files.iter().map(PathBuf::as_path))
}

/// Forgets what libcontainer keeps of the last run; the mounts stay for the next.
pub(super) fn reset_runtime(charge: &Charge) {
    drop(fs::remove_dir_all(charge.paths.bundle(&charge.container.id).join("oci")));
}

/// Starts the container.
pub(super) fn start(charge: &mut Charge) -> Result<FirstProcess, Failure> {
    let id = charge.container.id.clone();
    make_private(&charge.paths.bundle(&id).join("oci"))
        .map_err(failed("make the runtime folder"))?;
    // First of all: the network helper gets ready while the rest is done.
    let begun = network::begin(charge)?;
    let mut warnings = mount_root(charge)?;
    if begun.is_some() {
        warnings.extend(networks::low_port_notes(&charge.container, charge.order.low_ports));
    }
    warnings.extend(networks::hint_for_host(&charge.container));
    crate::rootfs::check_places(&charge.paths.merged(&id)).map_err(refused)?;
    let fresh = match NetworkMode::parse(&charge.container.host_config.network_mode) {
        NetworkMode::Host | NetworkMode::Container(_) => None,
        _ => Some(fresh_network::begin().map_err(failed("start a thread"))?),
    };
    let (paths, layers) = (&charge.paths, &charge.order.layers);
    let (mut container, holds) =
        super::volumes::attach(paths, layers, &charge.container).map_err(|error| match error {
            EngineError::Start(failure) => failure,
            other => refused(with_causes(&other)),
        })?;
    charge.holds = holds;
    super::volumes::tell_mounted(&charge.events, &container);
    super::binds::check(&container, &charge.paths.merged(&id))?;
    let cgroups = charge.order.cgroups();
    let resources = &mut container.host_config.resources;
    let (cgroup, discarded) = limit(&charge.order, cgroups.as_ref(), resources)?;
    warnings.extend(discarded);
    let container = &container;
    // So that it is removed if something fails from here on.
    charge.life.cgroup.clone_from(&cgroup);
    let mut prepared =
        launch_plan::prepare(&charge.paths, container, &charge.order, cgroup.as_deref())
            .map_err(EngineError::into_failure)?;
    warnings.append(&mut prepared.warnings);
    warnings.extend(super::unwritable::find(container, &prepared.user));
    let working_dir = &container.config.working_dir;
    if !working_dir.is_empty() {
        crate::start::working_dir::make(&charge.paths.merged(&id), Path::new(working_dir))?;
    }
    let cgroup_of = (cgroups.as_ref(), cgroup.as_deref());
    let (pid, streams, wiring) =
        first_process(charge, container, prepared, (begun, fresh), cgroup_of)?;
    let raw = pid.as_raw_nonzero().get();
    let init_record = ProcessId::of(raw).unwrap_or(ProcessId { pid: raw, start_ticks: 0 }).into();
    Ok(FirstProcess { pid, streams, init_record, cgroup, wiring, warnings })
}

/// Has libcontainer start what is prepared, with the networks on their way to it.
fn first_process(
    charge: &mut Charge,
    container: &Container,
    mut prepared: launch_plan::LaunchPlan,
    (begun, fresh): (Option<Begun>, Option<FreshNetwork>),
    (cgroups, cgroup): (Option<&crate::cgroup::Host>, Option<&Path>),
) -> Result<(Pid, Streams, Option<Wiring>), Failure> {
    let id = container.id.clone();
    let (folder, merged) = (charge.paths.bundle(&id), charge.paths.merged(&id));
    let alone = container.mounts.is_empty() && container.host_config.tmpfs.is_empty();
    let early = early_mounts::take(&mut prepared.plan.spec, &merged, alone);
    let masked = masked::take(&mut prepared.plan.spec);
    let program = launch_plan::program(&prepared.plan);
    let mut spec = launch_plan::from_the_root(prepared.plan.spec);
    // As `exec` is to read it: whoever reads it later has no descriptor of the network.
    let lasting = specification(&spec)?;
    // The thread that makes it is gone from here on: what follows may fork.
    let network = fresh.map(|fresh| fresh.finish(&mut spec)).transpose();
    let network = network.map_err(failed("make a network namespace"))?;
    let own = network.as_ref().map(|_| specification(&spec)).transpose()?;
    write_specification(&folder, own.as_ref().unwrap_or(&lasting))?;
    let (streams, stdio, console) = streams(container, &prepared.user, &folder)?;
    let place = Place { id, bundle: folder.clone(), root: folder.join("oci") };
    let fresh_network = prepared.fresh_network;
    let start_ids = prepared.start_ids.clone();
    if start_ids.is_some() {
        serve_ids(Span::Processes)?;
    }
    let terminal_size = terminal_size(charge, container);
    let program = Program { fresh_network, start_ids, terminal_size, masked, ..program };
    if !container.is_step {
        write_marker(&merged);
    }
    let theirs = begun.as_ref().map(|begun| begun.theirs.try_clone()).transpose();
    let theirs = theirs.map_err(failed("make a socket for the network"))?;
    let job = || {
        early.make().map_err(|error| refused(with_causes(&error)))?;
        init::start(&place, program, stdio, theirs)
    };
    let mut terminal = None;
    let (pid, wiring) = in_child(cgroups, cgroup, job, |report| {
        if let Some(listener) = console.as_ref().filter(|socket| is_offered(socket, report)) {
            terminal = Some(terminal_streams(listener)?);
        }
        begun.map_or(Ok(None), |begun| begun.arrange(charge, report))
    })
    .map_err(|failure| name_sysctls(container, failure))?;
    if network.is_some() {
        write_specification(&folder, &lasting)?;
    }
    drop(fs::remove_file("console.sock"));
    Ok((pid, streams.or(terminal).unwrap_or_default(), wiring))
}

fn specification(spec: &Spec) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(spec).map_err(failed("write the specification"))
}

fn write_specification(bundle: &Path, json: &[u8]) -> Result<(), Failure> {
    fs::write(bundle.join("config.json"), json).map_err(failed("write the specification"))
}

/// libcontainer does not say which setting of the kernel it could not write.
fn name_sysctls(container: &Container, failure: Failure) -> Failure {
    let about = ["failed to set sysctl", "open subpath in procfs"];
    if !about.iter().any(|words| failure.message.contains(words)) {
        return failure;
    }
    let file = |name: &str| Path::new("/proc/sys").join(name.replace('.', "/"));
    let sysctls = container.host_config.sysctls.iter();
    let (there, missing): (Vec<_>, Vec<_>) = sysctls.partition(|(name, _)| file(name).exists());
    let message = match (missing.first(), there.as_slice()) {
        (Some((name, _)), _) => {
            format!("open {}: no such file or directory", file(name).display())
        }
        (None, [(name, value)]) => format!("write {}: {value:?} is refused", file(name).display()),
        (None, several) => {
            let all: Vec<_> =
                several.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("one of these is refused: {}", all.join(", "))
        }
    };
    Failure { message: format!("failed to create task for container: {message}"), ..failure }
}

/// What the program gets as its streams: pipes, or a terminal that is offered on a socket.
fn streams(
    container: &Container,
    user: &User,
    folder: &Path,
) -> Result<(Option<Streams>, Stdio, Option<UnixListener>), Failure> {
    if container.config.tty {
        drop(fs::remove_file("console.sock"));
        let listener = UnixListener::bind("console.sock").map_err(failed("make a console"))?;
        let console_socket = folder.join("console.sock");
        return Ok((None, Stdio::Terminal { console_socket }, Some(listener)));
    }
    let (streams, stdio) = Streams::pipes(container.config.open_stdin, user.uid, user.gid)
        .map_err(failed("make pipes"))?;
    Ok((Some(streams), stdio, None))
}

/// Starts whoever answers for ids that are not mapped; its socket is in the runtime folder.
pub(super) fn serve_ids(span: Span) -> Result<Pid, Failure> {
    drop(fs::remove_file(init::ID_SOCKET));
    let socket = UnixListener::bind(init::ID_SOCKET).map_err(failed("make the id server"))?;
    crate::one_id::spawn(&socket, span).map_err(failed("start the id server"))
}

/// The size a terminal begins with: that of whoever starts the container, once, or else of who
/// made it.
fn terminal_size(charge: &Charge, container: &Container) -> Option<(u16, u16)> {
    let fit = |size: u32| u16::try_from(size).unwrap_or(u16::MAX);
    let [rows, columns] = container.host_config.console_size.map(fit);
    let there = charge.order.attach.size.filter(|_| charge.life.restart_count == 0);
    there
        .or_else(|| (rows > 0 && columns > 0).then_some((columns, rows)))
        .filter(|_| container.config.tty)
}

/// Makes the cgroup, with the limits or, where that was asked for, with those that can be had.
fn limit(
    order: &MonitorOrder,
    host: Option<&crate::cgroup::Host>,
    resources: &mut crate::model::Resources,
) -> Result<(Option<PathBuf>, Vec<String>), Failure> {
    let made = if order.limits_optional {
        crate::cgroup::prepare_what_is_there(host, &order.id, resources)
    } else {
        // `pause` and `stats` are better with one.
        let request = crate::cgroup::Request { id: &order.id, resources, wanted: true };
        crate::cgroup::prepare(host, &request).map(|cgroup| (cgroup, Vec::new()))
    };
    made.map_err(|error| Failure { hint: error.hint(), ..refused(with_causes(&error)) })
}

/// Waits until something connects to `listener`; false when `report` speaks first.
fn is_offered(listener: &UnixListener, report: BorrowedFd<'_>) -> bool {
    let watch = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
    let mut fds = [watch(listener.as_fd()), watch(report)];
    while rustix::event::poll(&mut fds, None) == Err(rustix::io::Errno::INTR) {}
    fds[0].revents().contains(PollFlags::IN)
}

/// The empty file by which programs tell that they run in a container.
///
/// A root filesystem where it cannot be made goes without, as in Docker with `--read-only`
/// images that have a folder of that name.
fn write_marker(root: &Path) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    // What is there already may be a pipe, or lead elsewhere.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .custom_flags(flags)
        .mode(0o755)
        .open(root.join(".dockerenv"))
        .ok();
}

fn refused(message: String) -> Failure {
    Failure::setup(message)
}

fn mount_root(charge: &Charge) -> Result<Vec<String>, Failure> {
    let (paths, container) = (&charge.paths, &charge.container);
    let target = paths.merged(&container.id);
    if rustix::fs::stat(target.join("..")).map(|stat| stat.st_dev)
        != rustix::fs::stat(&target).map(|stat| stat.st_dev)
    {
        // A restart: it is still mounted.
        return Ok(Vec::new());
    }
    let overlay = Overlay::of(paths, &charge.order.layers, container);
    for layer in &overlay.layers {
        if !layer.is_dir() {
            let layer = layer.display();
            return Err(refused(format!("image layer {layer} is missing: pull the image again")));
        }
    }
    let warning = overlay.mount(&target).map_err(failed("mount the root filesystem"))?;
    Ok(warning.into_iter().collect())
}
