//! Carries plans out: keys, steps side by side, layers, the cache, what becomes of the result.
//!
//! # How it works
//!
//! One process with one thread: it forks for whatever takes long (copying files, hashing a layer), has monitors for
//! commands, and waits for all of them in one `poll`. It enters the user's namespaces when the first step has to be
//! carried out; a build whose steps are all in the cache does without.
//!
//! Steps live in a home of their own, `builder/` in the data root: nobody sees them among his containers, networks and
//! events. Layers are those of all images.
//!
//! # Keys
//!
//! A result has an id: the digest of its operation, the id of what it stands on, and the content of what it takes.
//! Whoever makes the same finds it by that id, on whatever machine.

mod cache;
mod error;
mod export;
mod files;
mod finish;
mod graph;
mod jobs;
mod keeper;
mod key;
mod limit;
mod load;
mod mounts;
mod remote;
mod run;
mod scheduler;
mod surroundings;
mod transfer;
mod vertices;
mod workshop;

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use coracle_image::config::ImageConfig;
use coracle_image::{Digest, Image, Layer, Reference, RegistrySettings};
use coracle_runtime::Home;
use coracle_words::ErrorKind;

pub use cache::{Pruned, Usage, UsageKind, prune, usage};
pub use error::{BuildError, FailedStep};
pub use surroundings::{Surroundings, Trouble};

use error::StepError;
use export::{Exporter, Facts};
use graph::{Graph, NodeId};
use load::Loader;
use scheduler::{Given, Outcome, Scheduler};
use transfer::Imports;
use vertices::Vertices;
use workshop::Workshop;

use crate::plan::{BaseImage, From, Plan};
use crate::progress::Progress;
use crate::request::BuildRequest;

/// What came of a request.
#[derive(Debug, Clone)]
pub struct Built {
    /// Its place among the requests.
    pub request: usize,
    /// Id and manifest of the image, when one was made: that in the store comes first.
    pub image: Option<(Digest, Digest)>,
    pub names: Vec<Reference>,
    pub config: ImageConfig,
    pub layers: Vec<Layer>,
}

impl Built {
    /// What an archive has of it, where nothing else is known.
    fn known_as(&mut self, ids: (Digest, Digest), names: &[Reference]) {
        if self.image.is_none() {
            self.image = Some(ids);
            self.names = names.to_vec();
        }
    }
}

/// The images that plans begin with.
#[derive(Debug, Default)]
struct Images(HashMap<Vec<Digest>, Vec<Layer>>);

impl Images {
    fn add(&mut self, image: &Image) {
        self.add_layers(&image.layers);
    }

    fn add_layers(&mut self, layers: &[Layer]) {
        self.0.insert(layers.iter().map(|layer| layer.diff_id).collect(), layers.to_vec());
    }

    fn layers(&self, ids: &[Digest]) -> Result<Vec<Layer>, StepError> {
        let missing = || StepError::new("an image that the plan begins with was not fetched");
        self.0.get(ids).cloned().ok_or_else(missing)
    }
}

/// Builds what is asked for; the results are in the order of the requests.
///
/// # Errors
/// The first thing that fails; what goes on then is given up.
pub fn build(
    requests: &[BuildRequest],
    surroundings: &mut dyn Surroundings,
    progress: &mut dyn Progress,
) -> Result<Vec<Built>, BuildError> {
    // What is built is looked at, and nothing of it entered, by a home that nobody else has.
    let home = Home::new(surroundings.home().settings().clone());
    let mut was_entered = false;
    let outcome = build_in(&home, requests, surroundings, progress, &mut was_entered);
    if was_entered {
        // Others who let go of layers could not remove them meanwhile.
        home.sweep_store();
    }
    outcome
}

fn build_in(
    home: &Home,
    requests: &[BuildRequest],
    surroundings: &mut dyn Surroundings,
    progress: &mut dyn Progress,
    was_entered: &mut bool,
) -> Result<Vec<Built>, BuildError> {
    let store = home.store().map_err(StepError::from)?;
    let _hold = store.hold().map_err(StepError::from)?;
    let network = surroundings.network().network;
    let mut build = Build {
        requests,
        home,
        network: &network,
        images: Images::default(),
        vertices: Vertices::of(requests),
        known: HashMap::new(),
        built: requests.iter().map(|_| None).collect(),
        workshop: None,
        cleared: HashSet::new(),
    };
    let mut outcome = Ok(());
    while outcome.is_ok() && build.built.iter().any(Option::is_none) {
        outcome = build.wave(surroundings, progress);
    }
    *was_entered = build.workshop.is_some();
    outcome?;
    Ok(build.built.into_iter().flatten().collect())
}

/// A build that goes on.
struct Build<'a> {
    requests: &'a [BuildRequest],
    home: &'a Home,
    network: &'a RegistrySettings,
    images: Images,
    vertices: Vertices,
    /// Images that were asked for.
    known: HashMap<String, BaseImage>,
    built: Vec<Option<Built>>,
    workshop: Option<Workshop>,
    /// Names of the cache mounts that began anew.
    cleared: HashSet<String>,
}

impl<'a> Build<'a> {
    fn exporter<'s>(
        &'s mut self,
        request: usize,
        surroundings: &'s dyn Surroundings,
        progress: &'s mut dyn Progress,
    ) -> Exporter<'s, 'a> {
        Exporter {
            request,
            home: self.home,
            workshop: &mut self.workshop,
            vertices: &mut self.vertices,
            network: self.network,
            surroundings,
            progress,
        }
    }

    /// Builds the requests that begin with nothing that is yet to be built.
    fn wave(
        &mut self,
        surroundings: &mut dyn Surroundings,
        progress: &mut dyn Progress,
    ) -> Result<(), BuildError> {
        let is_there = |request: usize| self.built.get(request).is_some_and(Option::is_some);
        let open = |number: &usize| {
            self.built[*number].is_none() && load::needs(&self.requests[*number]).all(is_there)
        };
        let numbers: Vec<usize> = (0..self.requests.len()).filter(open).collect();
        if numbers.is_empty() {
            return Err(BuildError::new(
                "targets that begin with each other cannot be built",
                ErrorKind::BadRequest,
            ));
        }
        let mut plans = Vec::with_capacity(numbers.len());
        for number in &numbers {
            let mut loader = Loader {
                surroundings,
                progress,
                vertices: &mut self.vertices,
                number: *number,
                images: &mut self.images,
                built: &self.built,
                known: &mut self.known,
            };
            plans.push(loader.load(&self.requests[*number])?);
        }
        let wave = Wave { numbers: &numbers, plans: &plans };
        let built = self.carry_out(&wave, surroundings, progress)?;
        for built in built {
            self.images.add_layers(&built.layers);
            let number = built.request;
            self.built[number] = Some(built);
        }
        Ok(())
    }

    /// Carries out plans.
    fn carry_out(
        &mut self,
        wave: &Wave<'_>,
        surroundings: &dyn Surroundings,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Built>, BuildError> {
        let (home, requests) = (self.home, self.requests);
        let mut imports = Imports::default();
        for number in wave.numbers {
            let wanted = &requests[*number].cache_from;
            self.exporter(*number, surroundings, progress).import(wanted, &mut imports)?;
        }
        let store = home.store().map_err(StepError::from)?;
        let graph = Graph::of(requests, wave.numbers, wave.plans);
        for (number, target) in wave.numbers.iter().zip(&graph.targets) {
            limit::check(&graph, *number, &requests[*number], *target)?;
        }
        self.clear_cache_mounts(&graph)?;
        let shown = context_vertices(&graph, &mut self.vertices, progress);
        let hashes = home.settings().data_root.join("builder/cache").join(cache::HASHES);
        let given = Given {
            requests,
            graph: &graph,
            images: &self.images,
            home,
            store,
            contexts: files::Contexts::new(&hashes, shown),
            imports: &imports,
            interrupt: surroundings.interrupt(),
            settings: surroundings.network(),
            vertex: self.vertices.next,
            titles: self.vertices.titles(&graph),
            workshop: self.workshop.take(),
        };
        self.vertices.next += graph.nodes.len();
        let mut scheduler = Scheduler::new(given, progress);
        let outcome = scheduler.run();
        self.workshop = scheduler.given.workshop.take();
        scheduler.given.contexts.save();
        let layers = if self.workshop.is_some() { scheduler.made() } else { Vec::new() };
        let made = |(number, node): (&usize, &Option<NodeId>)| {
            let caches = requests[*number].cache_to.iter();
            let results = caches.map(|cache| scheduler.results(*node, cache.whole)).collect();
            let outcome = node.and_then(|node| scheduler.outcome(node)).cloned();
            Made { outcome, results }
        };
        let made: Vec<Made> = wave.numbers.iter().zip(&graph.targets).map(made).collect();
        drop(scheduler);
        let built = match outcome {
            Ok(()) => self.hand_over(wave, &made, surroundings, progress),
            Err(error) => Err(error),
        };
        // Also after a failure: what was made is taken by the next build. What an image has by now is on the disk.
        let kept = self.keep(&layers);
        let built = built?;
        kept?;
        Ok(built)
    }

    /// Does with the results what the requests ask for.
    fn hand_over(
        &mut self,
        wave: &Wave<'_>,
        made: &[Made],
        surroundings: &dyn Surroundings,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Built>, BuildError> {
        let mut built = Vec::new();
        for ((number, plan), Made { outcome, results }) in
            wave.numbers.iter().zip(wave.plans).zip(made)
        {
            let of = &self.requests[*number];
            let config = finish::config(&plan.outcome, outcome.as_ref());
            let layers = outcome.as_ref().map(|made| made.layers.clone()).unwrap_or_default();
            let mut out =
                Built { request: *number, image: None, names: of.names.clone(), config, layers };
            let facts = Facts {
                own_layers: outcome.as_ref().map_or(0, |made| made.created.len()),
                epoch: plan.epoch,
            };
            let mut exporter = self.exporter(*number, surroundings, progress);
            exporter.outputs(of, facts, &mut out)?;
            for (cache, results) in of.cache_to.iter().zip(results) {
                exporter.export_cache(cache, results)?;
            }
            built.push(out);
        }
        Ok(built)
    }

    /// Keeps layers that steps made for the builds to come.
    fn keep(&self, layers: &[Digest]) -> Result<(), BuildError> {
        let Some(workshop) = &self.workshop else { return Ok(()) };
        if layers.is_empty() {
            return Ok(());
        }
        let kept = workshop.store.keep_layers(layers);
        let data = &self.home.settings().data_root;
        cache::collect_when_due(data, &workshop.store, SystemTime::now());
        Ok(kept.map_err(StepError::from)?)
    }
}

/// What the target of a request came to.
struct Made {
    outcome: Option<Outcome>,
    /// What each cache that is written has of it.
    results: Vec<transfer::Results>,
}

impl Build<'_> {
    /// Steps that do without the cache begin with empty cache mounts; what one of them leaves there is for the next.
    fn clear_cache_mounts(&mut self, graph: &Graph) -> Result<(), StepError> {
        let mut names = graph.cache_mounts_anew();
        names.retain(|name| !self.cleared.contains(name));
        let cache = cache::Cache::at(&self.home.settings().data_root);
        if cache.has_mounts(&names) {
            if self.workshop.is_none() {
                self.workshop = Some(Workshop::enter(self.home)?);
            }
            cache.clear_mounts(&names);
        }
        self.cleared.extend(names);
        Ok(())
    }
}

/// Requests that are built together.
struct Wave<'a> {
    /// Their places among all.
    numbers: &'a [usize],
    plans: &'a [Plan],
}

/// Contexts that are read are lines of work.
fn context_vertices(
    graph: &Graph,
    vertices: &mut Vertices,
    progress: &mut dyn Progress,
) -> files::Shown {
    let mut known = files::Shown::new();
    for node in &graph.nodes {
        for (from, _) in key::sources(&node.step.operation) {
            let From::Context(name) = from else { continue };
            let key = (node.request, name.clone());
            if known.contains_key(&key) {
                continue;
            }
            let title = vertices.title(node.request, &files::context_title(name.as_deref()));
            known.insert(key, (vertices.add(progress, title.clone()), title));
        }
    }
    known
}
