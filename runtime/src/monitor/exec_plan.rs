//! From what is to be executed in a container to everything its start needs.

use std::path::Path;

use super::exec::ExecSession;
use crate::error::EngineError;
use crate::model::{Container, ExecRequest};
use crate::order::MonitorOrder;
use crate::start::init::Program;
use crate::start::launch_plan;

/// Describes a further process of a running container.
///
/// # Errors
/// When the user, the working directory or an option makes no sense.
pub(crate) fn describe(
    container: &Container,
    cgroup: Option<&Path>,
    order: MonitorOrder,
    request: ExecRequest,
    exec_id: &str,
) -> Result<ExecSession, EngineError> {
    let paths = order.paths();
    // The container as it would be with what this process wants otherwise.
    let mut wanted = container.clone();
    wanted.config.tty = request.tty;
    wanted.config.env.extend(request.env);
    wanted.host_config.init = None;
    // It enters what the container's first process has, whoever that came from: their container
    // may have ended by now.
    for mode in [
        &mut wanted.host_config.network_mode,
        &mut wanted.host_config.pid_mode,
        &mut wanted.host_config.ipc_mode,
    ] {
        "host".clone_into(mode);
    }
    wanted.host_config.sysctls.clear();
    let mut words = request.argv.into_iter();
    wanted.path = words.next().unwrap_or_default();
    wanted.args = words.collect();
    if !request.user.is_empty() {
        wanted.config.user = request.user;
    }
    if !request.working_dir.is_empty() {
        crate::start::working_dir::check(Path::new(&request.working_dir))
            .map_err(EngineError::Start)?;
        wanted.config.working_dir = request.working_dir;
    }
    if request.privileged {
        wanted.host_config.cap_add = Some(vec!["ALL".to_owned()]);
        wanted.host_config.cap_drop = None;
    }
    let prepared = launch_plan::prepare_exec(&paths, &wanted, &order, cgroup)?;
    let program = launch_plan::program(&prepared.plan);
    let process = launch_plan::from_the_root(prepared.plan.spec)
        .process()
        .clone()
        .ok_or_else(|| EngineError::Refuse("the process has no description".to_owned()))?;
    let folder = paths.bundle(&container.id);
    Ok(ExecSession {
        place_id: container.id.clone(),
        oci_root: folder.join("oci"),
        bundle: folder,
        process,
        program: Program {
            start_ids: prepared.start_ids,
            terminal_size: request.attach.size.filter(|_| request.tty),
            ..program
        },
        cgroup: cgroup.map(Path::to_owned),
        order,
        stdin: request.attach.stdin,
        attach: request.attach,
        user: (prepared.user.uid, prepared.user.gid),
        exec_id: exec_id.to_owned(),
        container: container.clone(),
    })
}
