//! From requests to plans: the Dockerfile is read, images are asked for, and all of that is told.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use coracle_image::{Platform, Reference};
use coracle_words::ErrorKind;

use super::error::BuildError;
use super::{Built, Images, Surroundings, Vertices, key, remote};
use crate::plan::{
    self, BaseImage, Dated, From, NoPlan, NotPlanned, Plan, Planned, Request, Unavailable,
};
use crate::progress::{Event, Progress, Source, Status, Vertex};
use crate::request::{BuildRequest, Context};

/// What a client sends for no ignore file.
const NO_IGNORE_BYTES: u64 = 2;

/// Findings among which the same one is looked for.
const NEAR: usize = 100;

/// Makes plans.
pub(super) struct Loader<'a> {
    pub(super) surroundings: &'a mut dyn Surroundings,
    pub(super) progress: &'a mut dyn Progress,
    pub(super) vertices: &'a mut Vertices,
    /// The place of the request.
    pub(super) number: usize,
    pub(super) images: &'a mut Images,
    /// What earlier requests came to.
    pub(super) built: &'a [Option<Built>],
    /// Images that were asked for, by name and platform.
    pub(super) known: &'a mut HashMap<String, BaseImage>,
}

/// The requests whose results another one begins with.
pub(super) fn needs(request: &BuildRequest) -> impl Iterator<Item = usize> + '_ {
    let all = std::iter::once(&request.context).chain(request.contexts.values());
    all.filter_map(|context| match context {
        Context::Result(request) => Some(*request),
        _ => None,
    })
}

impl Loader<'_> {
    /// The plan of a request.
    pub(super) fn load(&mut self, request: &BuildRequest) -> Result<Plan, BuildError> {
        let file = &request.dockerfile;
        // What was fetched has been told of.
        let mut definition = (!request.is_fetched).then(|| self.define(request));
        let wanted =
            Request::of(request).map_err(|why| BuildError::new(why, ErrorKind::BadRequest))?;
        let planned = {
            let mut asked = Asked { loader: self, request };
            plan::plan(&file.text, &wanted, &mut asked)
        };
        let findings = match &planned {
            Ok(planned) => &planned.findings,
            Err(not) => &not.findings,
        };
        let source = Arc::new(Source { path: file.path.clone(), text: file.text.clone() });
        for (index, finding) in findings.iter().enumerate() {
            // The same about the same lines is said once.
            if findings[index.saturating_sub(NEAR)..index].contains(finding) {
                continue;
            }
            let (finding, source) = (finding.clone(), Arc::clone(&source));
            let vertex = *definition.get_or_insert_with(|| self.define(request));
            self.progress.tell(Event::Warning { vertex, finding, source });
        }
        let bytes = |ignore: Option<&String>| ignore.map_or(NO_IGNORE_BYTES, |it| it.len() as u64);
        for name in planned.as_ref().iter().flat_map(|planned| named(&planned.plan)) {
            if matches!(request.contexts.get(name), Some(Context::Folder(_))) {
                let ignore = self.add(&format!("[context {name}] load .dockerignore"));
                let bytes = bytes(request.ignores.get(name));
                self.show(ignore, &format!("transferring {name}:"), bytes);
            }
        }
        if matches!(request.context, Context::Folder(_)) && !request.is_fetched {
            let ignore = self.add("[internal] load .dockerignore");
            self.show(ignore, "transferring context:", bytes(file.ignore.as_ref()));
        }
        match planned {
            Ok(Planned { plan, .. }) => Ok(plan),
            Err(not) => Err(failed(self.number, *not)),
        }
    }

    /// A line of work of the request.
    fn add(&mut self, name: &str) -> Vertex {
        let title = self.vertices.title(self.number, name);
        self.vertices.add(self.progress, title)
    }

    fn define(&mut self, request: &BuildRequest) -> Vertex {
        let file = &request.dockerfile;
        let name = format!("[internal] load build definition from {}", file.name);
        let vertex = self.add(&name);
        self.show(vertex, "transferring dockerfile:", file.text.len() as u64);
        vertex
    }

    /// A line of work that was done at once.
    fn show(&mut self, vertex: Vertex, id: &str, bytes: u64) {
        let at = SystemTime::now();
        self.progress.tell(Event::Started { vertex, at });
        self.progress.tell(Event::Status(Status {
            vertex,
            id: id.to_owned(),
            current: bytes,
            total: 0,
            started: at,
            completed: Some(at),
        }));
        self.progress.tell(Event::Completed { vertex, at: SystemTime::now(), error: None });
    }

    fn fetch(
        &mut self,
        name: &Reference,
        platform: &Platform,
        pull: bool,
        vertex: Vertex,
    ) -> Result<BaseImage, BuildError> {
        let (started, progress) = (SystemTime::now(), &mut *self.progress);
        let found = self.surroundings.image(name, platform, pull, &mut |current, total| {
            if total > 0 {
                let completed = (current == total).then(SystemTime::now);
                let id = format!("pulling {name}");
                let status = Status { vertex, id, current, total, started, completed };
                progress.tell(Event::Status(status));
            }
            progress.tick();
        })?;
        self.images.add(&found);
        let store = self.surroundings.home().store();
        let config = store
            .map_err(super::error::StepError::from)?
            .config(&found.id)
            .map_err(super::error::StepError::from)?;
        let repository = name.repository();
        let known = found.repo_digests.iter().find(|known| known.repository() == repository);
        let digest = known.and_then(|known| known.digest()?.parse().ok());
        Ok(BaseImage { config, digest })
    }
}

/// The further contexts that a plan takes files of.
fn named(plan: &Plan) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for step in &plan.steps {
        for (from, _) in key::sources(&step.operation) {
            if let From::Context(Some(name)) = from {
                names.insert(name.as_str());
            }
        }
    }
    names
}

fn failed(request: usize, not: NotPlanned) -> BuildError {
    let hint = match &not.why {
        NoPlan::Unavailable { why, .. } => why.hint.clone(),
        NoPlan::Fault(_) => None,
    };
    let at = not.why.at().to_vec();
    BuildError {
        at: Some((request, at)),
        hint,
        ..BuildError::new(not.why.to_string(), not.why.kind())
    }
}

/// Whom the planner asks.
struct Asked<'a, 'b> {
    loader: &'a mut Loader<'b>,
    request: &'a BuildRequest,
}

impl plan::Images for Asked<'_, '_> {
    fn image(
        &mut self,
        name: &Reference,
        platform: &Platform,
    ) -> Result<Option<BaseImage>, Unavailable> {
        let name = name.clone().with_default_tag();
        let key = format!("{name} {platform}");
        if let Some(known) = self.loader.known.get(&key) {
            return Ok(Some(known.clone()));
        }
        let shown = format!("[internal] load metadata for {name}");
        let vertex = self.loader.add(&shown);
        self.loader.progress.tell(Event::Started { vertex, at: SystemTime::now() });
        let fetched = self.loader.fetch(&name, platform, self.request.pull, vertex);
        let error = fetched.as_ref().err().map(|error| error.message.clone());
        self.loader.progress.tell(Event::Completed { vertex, at: SystemTime::now(), error });
        match fetched {
            Ok(base) => {
                self.loader.known.insert(key, base.clone());
                Ok(Some(base))
            }
            Err(BuildError { message, hint, kind, .. }) => Err(Unavailable { message, hint, kind }),
        }
    }

    fn result(&mut self, request: usize) -> Result<Option<BaseImage>, Unavailable> {
        let built = self.loader.built.get(request).and_then(Option::as_ref);
        let missing = || {
            let why = format!("the result of target {request} is not known");
            Unavailable::new(why, ErrorKind::Internal)
        };
        let built = built.ok_or_else(missing)?;
        Ok(Some(BaseImage { config: built.config.clone(), digest: None }))
    }

    fn epoch(&mut self, of: &Dated) -> Result<Option<i64>, Unavailable> {
        match of {
            Dated::Context(None) => Ok(self.request.context_modified),
            // A folder has no such time, and neither has an image.
            Dated::Context(Some(_)) => Ok(None),
            Dated::Http { .. } | Dated::Git { .. } => {
                let settings = self.loader.surroundings.network();
                let data = &self.loader.surroundings.home().settings().data_root;
                let folder = data.join(super::workshop::FOLDER).join(remote::FOLDER);
                let modified = remote::modified(of, self.request, &settings, folder);
                modified.map_err(|error| Unavailable::new(error.message, ErrorKind::NotFound))
            }
        }
    }
}
