//! A process that stays outside of the namespaces, to build images for a command that is inside.
//!
//! # How it works
//!
//! Builds have namespaces of their own, and there is no way from one into the other. So a command that may have to
//! build leaves this process before it enters. It waits for orders on a pipe, does each in a child, because a build
//! enters as well, and says what became of it on another pipe. It ends with the command.
//!
//! # Limits
//!
//! The project is read again by whoever builds: its files cannot come from standard input.

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _};

use coracle_compose::build::Wish;
use coracle_sys::fork::{Fork, exit_now, fork};
use rustix::process::{Pid, WaitOptions, waitpid};
use serde_json::{Value, json};

use crate::app::App;
use crate::compose::images::build;
use crate::compose::project::place;
use crate::error::{CliError, ExitStatus};

/// The order after which there are no others.
const END: &[u8] = b"end\n";

/// The process, as its command sees it.
#[derive(Debug)]
pub(crate) struct Outside {
    orders: Option<PipeWriter>,
    answers: BufReader<PipeReader>,
    process: Pid,
}

impl Outside {
    /// Leaves one behind; `None` when there can be none, of which is told when it is asked.
    pub(crate) fn leave(app: &mut App) -> Option<Self> {
        let (read_order, orders) = std::io::pipe().ok()?;
        let (answers, answer) = std::io::pipe().ok()?;
        match fork().ok()? {
            Fork::Child => {
                drop((orders, answers));
                // A command that was killed gives no orders any more.
                let signal = Some(rustix::process::Signal::TERM);
                rustix::process::set_parent_process_death_signal(signal).unwrap_or_default();
                serve(app, read_order, answer);
                exit_now(0)
            }
            Fork::Parent(process) => {
                Some(Self { orders: Some(orders), answers: BufReader::new(answers), process })
            }
        }
    }

    /// Has the images of these services built.
    pub(crate) fn build(&mut self, services: &[String], quiet: bool) -> Result<(), CliError> {
        let failed =
            |error: std::io::Error| CliError::plain(format!("cannot have images built: {error}"));
        let mut order = json!({"services": services, "quiet": quiet}).to_string();
        order.push('\n');
        let mut answer = String::new();
        if let Some(orders) = &mut self.orders {
            orders.write_all(order.as_bytes()).map_err(failed)?;
            self.answers.read_line(&mut answer).map_err(failed)?;
        }
        let answer: Value = serde_json::from_str(&answer)
            .map_err(|_| CliError::plain("the build ended without an answer"))?;
        let Some(message) = answer["error"].as_str() else { return Ok(()) };
        let mut error = CliError::plain(message.to_owned());
        error.hint = answer["hint"].as_str().map(str::to_owned);
        let code = answer["code"].as_u64().and_then(|code| u8::try_from(code).ok());
        Err(match code {
            Some(code) if code > 1 => error.status(ExitStatus::Container(code)),
            _ => error.status(ExitStatus::Failure),
        })
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // Others that were left behind may have the pipe open, too.
        if let Some(mut orders) = self.orders.take() {
            orders.write_all(END).unwrap_or_default();
        }
        // Nothing is left to do when it is gone already.
        waitpid(Some(self.process), WaitOptions::empty()).unwrap_or_default();
    }
}

fn serve(app: &mut App, orders: PipeReader, mut answers: PipeWriter) {
    let mut orders = BufReader::new(orders);
    loop {
        let mut order = String::new();
        if orders.read_line(&mut order).unwrap_or(0) == 0 || order.as_bytes() == END {
            return;
        }
        let child = match fork() {
            Ok(Fork::Child) => {
                let answer = match carry_out(app, &order) {
                    Ok(()) => json!({}),
                    Err(error) => json!({
                        "error": error.message, "hint": error.hint, "code": error.status.code(),
                    }),
                };
                answers.write_all(format!("{answer}\n").as_bytes()).unwrap_or_default();
                exit_now(0)
            }
            Ok(Fork::Parent(child)) => child,
            Err(_) => return,
        };
        // One that ended without an answer left none to wait for.
        let status = waitpid(Some(child), WaitOptions::empty());
        let well = matches!(status, Ok(Some((_, status))) if status.exit_status() == Some(0));
        if !well {
            return;
        }
    }
}

fn carry_out(app: &mut App, order: &str) -> Result<(), CliError> {
    let order: Value = serde_json::from_str(order)
        .map_err(|error| CliError::plain(format!("an order that is none: {error}")))?;
    if app.compose.files.iter().any(|file| file == "-") {
        let why = "images are built by a process that reads the files again";
        return Err(CliError::unsupported("building with a Compose file on standard input", why)
            .hint("`compose -f - build` builds, and `up` finds what was built"));
    }
    let names = order["services"].as_array().into_iter().flatten();
    let services: Vec<String> = names.filter_map(Value::as_str).map(str::to_owned).collect();
    let file = place::file_again(app, &services)?;
    let wish = Wish {
        one_platform: true,
        environment: file.loaded.environment.clone(),
        ..Wish::default()
    };
    let definition = build::define(&place::whole(app, &file)?, &services, &wish)?;
    build::build(app, &file, &definition, order["quiet"].as_bool().unwrap_or_default())?;
    Ok(())
}
