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
use coracle_runtime::Home;
use coracle_runtime::engine::ImageFacts;
use coracle_runtime::ladder::Ladder;
use coracle_view::build_cache::{Room, Wanted};
use coracle_view::{Now, container};
use serde_json::Value;

use crate::app::App;
use crate::args::Table;
use crate::commands::build::cache::prune::prune;
use crate::commands::container::create;
use crate::commands::system::info;
use crate::error::CliError;
use crate::registries;
use crate::settings::Settings;
use crate::ui::Ui;
use crate::{BUILD, VERSION};

/// Does what one request asks for. Its argument is the data root.
pub(crate) fn main(mut words: ArgsOs, table: &'static Table) -> ExitCode {
    let data_root = words.next().unwrap_or_default().into();
    let Ok(mut settings) = Settings::read() else { return ExitCode::FAILURE };
    settings.data_root = data_root;
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
            let spared =
                move |one: &coracle_runtime::model::Container| id.as_ref() == Some(&one.id);
            // What could not be recovered is met again by the request itself.
            drop(crate::recover_apart(&mut self.app, &spared));
        }
    }

    fn now(&self) -> Now {
        self.app.asked()
    }

    fn prepare(&mut self, name: &str) -> Result<(), ApiError> {
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

    fn version(&self) -> &str {
        VERSION
    }

    fn build(&self) -> &str {
        BUILD
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
