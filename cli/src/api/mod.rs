//! What the Engine API needs to know from above: settings, images that are part of this program.

mod build;

use std::env::ArgsOs;
use std::io::Read;
use std::process::ExitCode;

use coracle_api::{ApiError, Host, Located};
use coracle_builder::exec::{BuildError, Built, Pruned};
use coracle_builder::progress::Progress;
use coracle_builder::request::BuildRequest;
use coracle_image::RegistrySettings;
use coracle_runtime::docker_socket::DockerSocket;
use coracle_runtime::engine::ImageFacts;
use coracle_runtime::ladder::Ladder;
use coracle_runtime::{Home, api_session};
use coracle_swarm::client::Client;
use coracle_swarm::command::NOT_A_MANAGER;
use coracle_swarm::journal::Reader;
use coracle_swarm::model::node::NodeDescription;
use coracle_view::build_cache::{Room, Wanted};
use coracle_view::system::Program;
use coracle_view::{Now, container};
use serde_json::Value;

use crate::app::App;
use crate::args::Table;
use crate::commands::build::cache::prune::prune;
use crate::commands::container::create;
use crate::commands::machine::description;
use crate::commands::system::info;
use crate::commands::system::version::PROGRAM;
use crate::error::CliError;
use crate::registries;
use crate::settings::Settings;
use crate::ui::Ui;

/// Does what one request asks for. Its arguments are the data root, and the session that it is of.
pub(crate) fn main(mut words: ArgsOs, table: &'static Table) -> ExitCode {
    let data_root = words.next().unwrap_or_default().into();
    let Ok(mut settings) = Settings::read() else { return ExitCode::FAILURE };
    settings.data_root = data_root;
    settings.owner = words.next().and_then(|word| word.into_string().ok());
    if settings.owner.as_ref().is_some_and(|id| !api_session::is_there(&settings.data_root, id)) {
        // What it made would be nobody's.
        return ExitCode::FAILURE;
    }
    if let Some(id) = &settings.owner {
        settings.docker_socket =
            DockerSocket { own: api_session::socket(&settings.data_root, id), allowed: true };
    }
    settings.read_client_config();
    let app = App::new(Ui::new(), settings, "coracle", table);
    ExitCode::from(coracle_api::work(&mut Surroundings { app }))
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

    fn enter(&mut self, starts: bool) -> Result<(), ApiError> {
        self.app.enter(starts, &|_| true).map_err(|error| as_answer(&error))
    }

    fn recover(&mut self, spared: Option<&str>) {
        if self.app.home.needs_recovery() {
            let id = spared.and_then(|name| container::find_id(&self.app.home, name).ok());
            let owner = self.app.settings.owner.clone();
            // A session leaves those of others alone.
            let spared = move |one: &coracle_runtime::model::Container| {
                id.as_ref() == Some(&one.id) || owner.is_some() && one.owner != owner
            };
            // What could not be recovered is met again by the request itself.
            drop(crate::recover_apart(&mut self.app, &spared));
        }
    }

    fn now(&self) -> Now {
        self.app.asked()
    }

    fn meant(&self, name: &str) -> String {
        match &self.app.settings.owner {
            Some(_) => crate::builtin::stand_in(name).unwrap_or(name).to_owned(),
            None => name.to_owned(),
        }
    }

    fn brings(&self, names: &[String]) {
        let is_here = |name: &&String| coracle_view::image::find(&self.app.home, name).is_ok();
        names.iter().filter(|name| !is_here(name)).for_each(|name| self.brought(name));
    }

    fn brought(&self, id: &str) {
        if let Some(owner) = &self.app.settings.owner {
            // What is not noted stays, and harms nobody.
            drop(api_session::note_image(&self.app.settings.data_root, owner, id));
        }
    }

    fn prepare(&mut self, name: &str) -> Result<(), ApiError> {
        let found = self.app.home.names().resolve(name);
        if found.is_ok_and(|found| found.domain() == crate::builtin::DOMAIN) {
            // Its layer has owners.
            self.enter(false)?;
        }
        crate::builtin::prepare(&mut self.app, name).map_err(|error| as_answer(&error))
    }

    fn image(&mut self, name: &str, platform: Option<&str>) -> Result<ImageFacts, ApiError> {
        self.prepare(name)?;
        let found = create::local(&self.app, name, platform).map_err(|error| as_answer(&error))?;
        let Some(image) = found else {
            // The words of whoever looks for it.
            let error = coracle_view::image::find(&self.app.home, name).err();
            return Err(error.map_or_else(
                || ApiError::new(404, format!("No such image: {name}")),
                ApiError::from,
            ));
        };
        create::facts(&self.app, &image, name).map_err(|error| as_answer(&error))
    }

    fn registries(&self) -> RegistrySettings {
        registries::settings(&self.app.settings)
    }

    fn set_credentials(&mut self, credentials: String) {
        let environment = &mut self.app.settings.environment;
        environment.all.insert(registries::AUTH.to_owned(), credentials);
    }

    fn unpack(&mut self, archive: &mut dyn Read, dockerfile: &str) -> Result<Located, ApiError> {
        build::unpack(&self.app, archive, dockerfile)
    }

    fn fetch(&mut self, address: &str, dockerfile: &str) -> Result<Located, ApiError> {
        build::fetch(&self.app, address, dockerfile)
    }

    fn build_image(
        &mut self,
        request: &BuildRequest,
        progress: &mut dyn Progress,
    ) -> Result<Built, BuildError> {
        build::build(&mut self.app, request, progress)
    }

    fn prune_builds(&mut self, all: bool, wanted: &Wanted, room: Room) -> Result<Pruned, ApiError> {
        prune(&self.app, all, wanted, room).map_err(|error| as_answer(&error))
    }

    fn info(&self) -> Result<Value, ApiError> {
        let ladder = Ladder::probe(&self.app.home.ladder_inputs().map_err(ApiError::from)?);
        Ok(info::engine_document(&self.app, &ladder)?)
    }

    fn swarm(&self) -> Result<Client, ApiError> {
        if self.app.settings.owner.is_some() {
            let words = "a swarm in a session of the API: not supported: its services would outlive the session";
            return Err(ApiError::new(501, words));
        }
        self.app.swarm().map_err(|error| as_answer(&error))
    }

    fn manager(&self) -> Result<Reader, ApiError> {
        if self.app.settings.owner.is_some() {
            return Err(ApiError::new(503, NOT_A_MANAGER));
        }
        self.app.manager().map_err(|error| {
            let ApiError { message, .. } = as_answer(&error);
            // Its clients are Docker's.
            ApiError::new(503, message.replace("coracle swarm ", "docker swarm "))
        })
    }

    fn node_description(&self) -> NodeDescription {
        description()
    }

    fn program(&self) -> Program<'static> {
        PROGRAM
    }
}

/// The words of a build that fails, without what a command says before them.
fn of_build(error: &CliError) -> &str {
    let begins = ["ERROR: ", "failed to build: ", "failed to solve: "];
    begins
        .iter()
        .fold(error.message.as_str(), |words, begin| words.strip_prefix(begin).unwrap_or(words))
}

/// What a command would print, as an answer.
fn as_answer(error: &CliError) -> ApiError {
    let message = error.message.trim_start_matches("Error response from daemon: ");
    let all = std::iter::once(message).chain(error.causes.iter().map(String::as_str));
    let status = match error.missing {
        Some(_) => 404,
        None => 500,
    };
    ApiError::new(status, all.collect::<Vec<_>>().join(": "))
}
