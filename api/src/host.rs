//! What the API needs to know from above: settings, and images that are not stored yet.

use std::any::Any;
use std::io::Read;

use coracle_builder::exec::{BuildError, Built, Pruned};
use coracle_builder::progress::Progress;
use coracle_builder::request::{BuildRequest, Context, Dockerfile};
use coracle_image::RegistrySettings;
use coracle_runtime::Home;
use coracle_runtime::engine::ImageFacts;
use coracle_swarm::client::Client;
use coracle_swarm::journal::Reader;
use coracle_swarm::model::node::NodeDescription;
use coracle_view::Now;
use coracle_view::build_cache::{Room, Wanted};
use coracle_view::system::Program;
use serde_json::Value;

use crate::error::ApiError;

/// Where a build finds its context and its Dockerfile.
#[derive(Debug)]
pub struct Located {
    pub context: Context,
    pub dockerfile: Dockerfile,
    /// When the context was last changed, where the one that it came from says so.
    pub modified: Option<i64>,
    /// What goes when the build is over.
    pub kept: Box<dyn Any>,
}

/// The program that the API is part of.
pub trait Host {
    /// Engine, store and session.
    fn home(&self) -> &Home;

    fn home_mut(&mut self) -> &mut Home;

    /// Enters the user's namespaces, and takes care of what killed monitors left.
    ///
    /// # Errors
    /// When this user has none.
    fn enter(&mut self, starts: bool) -> Result<(), ApiError>;

    /// Takes care of what killed monitors left, but for the container of that name, with which this request deals.
    fn recover(&mut self, spared: Option<&str>);

    fn now(&self) -> Now;

    /// The image that a name means here: in a session, that of a reaper is our own.
    fn meant(&self, name: &str) -> String;

    /// Images of these names will be fetched or made for the session, if this is one. Those that are here are not its.
    fn brings(&self, names: &[String]);

    /// An image was, with a name that is new or without one.
    fn brought(&self, id: &str);

    /// Makes the image of that name, if it is part of this program and not stored yet.
    ///
    /// # Errors
    /// When it cannot be stored.
    fn prepare(&mut self, name: &str) -> Result<(), ApiError>;

    /// The image of that name or id, as a container needs it; made first if it is part of this program.
    ///
    /// # Errors
    /// When it is not here.
    fn image(&mut self, name: &str, platform: Option<&str>) -> Result<ImageFacts, ApiError>;

    /// How registries are reached.
    fn registries(&self) -> RegistrySettings;

    /// What registries ask for is what the client sent, in the form of a credentials file.
    fn set_credentials(&mut self, credentials: String);

    /// Unpacks the context of a build.
    ///
    /// # Errors
    /// When it is no archive, or has no such Dockerfile.
    fn unpack(&mut self, archive: &mut dyn Read, dockerfile: &str) -> Result<Located, ApiError>;

    /// Fetches the context of a build: a repository, or what a web server has.
    ///
    /// # Errors
    /// When it is not there, or has no such Dockerfile.
    fn fetch(&mut self, address: &str, dockerfile: &str) -> Result<Located, ApiError>;

    /// Builds an image; SIGTERM ends it.
    ///
    /// # Errors
    /// The first thing that fails.
    fn build_image(
        &mut self,
        request: &BuildRequest,
        progress: &mut dyn Progress,
    ) -> Result<Built, BuildError>;

    /// Empties the cache of builds.
    ///
    /// # Errors
    /// When it cannot be read.
    fn prune_builds(&mut self, all: bool, wanted: &Wanted, room: Room) -> Result<Pruned, ApiError>;

    /// What `GET /info` answers.
    ///
    /// # Errors
    /// As [`coracle_view::system::info`].
    fn info(&self) -> Result<Value, ApiError>;

    /// Whom the swarm of this machine is asked by.
    ///
    /// # Errors
    /// In a session, which has none.
    fn swarm(&self) -> Result<Client, ApiError>;

    /// The state of the swarm, which a manager alone has.
    ///
    /// # Errors
    /// When this machine is none.
    fn manager(&self) -> Result<Reader, ApiError>;

    /// What a node of a swarm is told of this machine.
    fn node_description(&self) -> NodeDescription;

    /// This program.
    fn program(&self) -> Program<'static>;
}
