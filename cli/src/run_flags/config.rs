//! `Config`: what of the container does not depend on the host.

use coracle_runtime::model::{Config, Empty};

use super::CreateFlags;
use super::{files, health, ports};
use crate::error::CliError;
use crate::settings::Settings;

pub(super) fn build(
    flags: &CreateFlags,
    image: &str,
    command: Vec<String>,
    detach: bool,
    settings: &Settings,
) -> Result<Config, CliError> {
    let attach = attached(&flags.attach, flags.interactive, detach)?;
    // Proxies win over the files, as in Docker, and give way to `-e`.
    let given = files::with_proxies(&flags.env, settings.proxies());
    let env = files::environment(&flags.env_file, &given, &settings.environment)
        .map_err(|error| of_flag("--env-file", error))?;
    let labels = files::labels(&flags.label_file, &flags.label)
        .map_err(|error| of_flag("--label-file", error))?;
    Ok(Config {
        hostname: flags.hostname.clone().unwrap_or_default(),
        domainname: flags.domainname.clone().unwrap_or_default(),
        user: flags.user.clone().unwrap_or_default(),
        attach_stdin: attach.stdin,
        attach_stdout: attach.stdout,
        attach_stderr: attach.stderr,
        exposed_ports: ports::exposed(&flags.expose)?
            .into_iter()
            // What is published is exposed.
            .chain(ports::published(&flags.publish)?.into_keys())
            .map(|port| (port, Empty {}))
            .collect(),
        tty: flags.tty,
        open_stdin: flags.interactive,
        stdin_once: flags.interactive && attach.stdin,
        env,
        cmd: (!command.is_empty()).then_some(command),
        healthcheck: health::build(flags)?,
        image: image.to_owned(),
        working_dir: flags.workdir.clone().unwrap_or_default(),
        entrypoint: flags.entrypoint.clone().map(|entry| vec![entry]),
        labels,
        stop_signal: flags.stop_signal.clone().unwrap_or_default(),
        stop_timeout: flags.stop_timeout,
        ..Config::default()
    })
}

/// A file that cannot be read is told of with the flag that names it.
fn of_flag(flag: &str, mut error: CliError) -> CliError {
    error.message.insert_str(0, &format!("{flag}: "));
    error
}

/// Streams the command line is connected to.
struct Attached {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

fn attached(wanted: &[String], interactive: bool, detach: bool) -> Result<Attached, CliError> {
    if detach {
        if !wanted.is_empty() {
            let text = "conflicting options: cannot specify both --attach and --detach";
            return Err(CliError::plain(text).verbatim());
        }
        return Ok(Attached { stdin: false, stdout: false, stderr: false });
    }
    if wanted.is_empty() {
        return Ok(Attached { stdin: interactive, stdout: true, stderr: true });
    }
    let mut attached = Attached { stdin: false, stdout: false, stderr: false };
    for stream in wanted {
        match stream.to_lowercase().as_str() {
            "stdin" => attached.stdin = true,
            "stdout" => attached.stdout = true,
            "stderr" => attached.stderr = true,
            _ => {
                return Err(CliError::plain(format!(
                    "invalid argument {stream:?} for \"-a, --attach\" flag: \
                     valid streams are STDIN, STDOUT and STDERR"
                )));
            }
        }
    }
    Ok(attached)
}
