//! The agent of the swarm: this executable under another name, with what it needs to know of images and settings.
//!
//! It is started with the data root as its argument and the environment of the command that needed it: settings and
//! credentials are read as that command would. A monitor that starts it again adds where it is then: [`INSIDE`] the
//! namespaces, or there with [`ONE_ID`].

use std::env::ArgsOs;
use std::io::Read as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::process::ExitCode;

use coracle_compose::container::Defaults;
use coracle_runtime::Home;
use coracle_runtime::caretaker::Caretaker;
use coracle_runtime::door::Door;
use coracle_runtime::engine::ImageFacts;
use coracle_runtime::home::{HostFacts, Inside};
use coracle_swarm::agent::{self, Fetching, Host};
use coracle_swarm::client::AGENT_ARGV0;
use coracle_sys::process::ProcessId;
use rustix::io::Errno;

use crate::app::App;
use crate::args::Table;
use crate::commands::container::create;
use crate::compose::doing::act::defaults;
use crate::fetch::{self, Transfer};
use crate::settings::Settings;
use crate::ui::Ui;

const INSIDE: &str = "inside";
const ONE_ID: &str = "inside-one-id";

/// Lives as long as it is needed.
pub(crate) fn main(mut words: ArgsOs, table: &'static Table) -> ExitCode {
    let data_root = words.next().unwrap_or_default().into();
    let inside = words.next().map(|word| Inside { one_id: word == ONE_ID });
    let Ok(mut settings) = Settings::read() else { return ExitCode::FAILURE };
    settings.data_root = data_root;
    settings.read_client_config();
    let app = App::inside(Ui::new(), settings, "coracle", table, inside);
    if inside.is_none() {
        // A task that is given the socket of the API says so itself when nobody serves it.
        drop(crate::commands::system::service::serve_for_containers(&app));
    }
    let code = agent::main(&mut Surroundings { app });
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

struct Surroundings {
    app: App,
}

impl Host for Surroundings {
    fn home(&self) -> &Home {
        &self.app.home
    }

    fn home_mut(&mut self) -> &mut Home {
        &mut self.app.home
    }

    fn caretaker(&self, door: Door) -> Option<Caretaker> {
        let Settings { data_root, environment, .. } = &self.app.settings;
        let place = if self.app.home.one_id() { ONE_ID } else { INSIDE };
        let words = [AGENT_ARGV0, data_root.to_str()?, place];
        Some(Caretaker {
            exe: HostFacts::look().ok()?.exe,
            arguments: words.map(str::to_owned).to_vec(),
            environment: environment
                .all
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            door,
            process: ProcessId::current().into(),
        })
    }

    fn defaults(&self) -> Defaults {
        defaults(&self.app)
    }

    fn find(&mut self, name: &str) -> Result<Option<ImageFacts>, String> {
        let app = &mut self.app;
        let found = crate::builtin::prepare(app, name)
            .and_then(|_| create::local(app, name, None))
            .and_then(|found| found.map(|image| create::facts(app, &image, name)).transpose());
        found.map_err(|error| error.message)
    }

    fn fetch(&mut self, name: &str) -> Result<Box<dyn Fetching>, String> {
        let transfer = fetch::begin(&mut self.app, name, None, false).map_err(|it| it.message)?;
        rustix::io::ioctl_fionbio(&transfer.errors, true).map_err(|error| error.to_string())?;
        Ok(Box::new(Fetch { transfer: Some(transfer), said: Vec::new() }))
    }
}

/// An image on its way.
struct Fetch {
    transfer: Option<Transfer>,
    said: Vec<u8>,
}

impl Fetching for Fetch {
    fn fd(&self) -> BorrowedFd<'_> {
        // Only a transfer that goes on is waited for.
        match &self.transfer {
            Some(transfer) => transfer.errors.as_fd(),
            None => rustix::stdio::stdin(),
        }
    }

    fn outcome(&mut self) -> Option<Result<(), String>> {
        let transfer = self.transfer.as_mut()?;
        let mut part = [0; 4096];
        loop {
            match transfer.errors.read(&mut part) {
                Ok(0) => break,
                Ok(length) => self.said.extend_from_slice(&part[..length]),
                Err(error) if error.raw_os_error() == Some(Errno::INTR.raw_os_error()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return None,
                Err(error) => return Some(Err(error.to_string())),
            }
        }
        let transfer = self.transfer.take()?;
        Some(transfer.finish(&self.said).map_err(|error| error.message))
    }

    fn stop(&mut self) {
        if let Some(transfer) = self.transfer.take() {
            transfer.stop();
        }
    }
}
