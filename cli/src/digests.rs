//! Digests of the images of services, as registries have them.
//!
//! # How it works
//!
//! A look-up starts threads, and one that hangs (a name server that does not answer) cannot be called off. So all images
//! of a command are asked for at once by a second process: this executable under the name [`DIGEST_ARGV0`], which
//! writes a line for each image it hears of. When [`PATIENCE`] is over it is ended; an image without an answer is not
//! pinned, as with Docker.
//!
//! # Who is asked
//!
//! The registry that a name names. Docker Hub, which a name means that names none, is not asked for an image that was
//! made on this machine, nor where no way leads out of it: then nothing is waited for.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use coracle_image::{DEFAULT_DOMAIN, Distribution, Reference, RegistrySettings};
use coracle_swarm::model::ServiceSpec;
use coracle_view::image;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::builtin;
use crate::error::CliError;
use crate::registries;
use crate::settings::Settings;

/// The name under which the executable asks registries.
pub(crate) const DIGEST_ARGV0: &str = "coracle-digest";

/// How long a command waits for all registries together.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the process that asks is told.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    /// Full names by images as specs name them.
    images: BTreeMap<String, String>,
    docker_config: PathBuf,
    login: bool,
}

/// A line of what it hears.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    name: String,
    digest: String,
    platforms: Vec<Value>,
}

/// What registries answered.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    /// By full names.
    answers: BTreeMap<String, Answer>,
    /// Full names by images as specs name them.
    names: BTreeMap<String, String>,
}

impl Digests {
    /// Asks for images as specs name them; `login` shows the registries who asks.
    pub(crate) fn ask(
        app: &mut App,
        images: impl IntoIterator<Item = String>,
        login: bool,
    ) -> Result<Self, CliError> {
        let mut out = Self::default();
        let mut asked = BTreeMap::new();
        for image in images {
            let Some(name) = registry_name(app, &image) else { continue };
            if is_asked(app, &name) {
                asked.insert(image.clone(), name.to_string());
            }
            out.names.insert(image, name.to_string());
        }
        if asked.is_empty() {
            return Ok(out);
        }
        let docker_config = app.settings.docker_config.clone();
        app.ui.flush()?;
        let said = run(&Order { images: asked, docker_config, login }).map_err(|error| {
            CliError::plain(format!("cannot ask for the digests of images: {error}"))
        })?;
        // A line that was cut off is no answer.
        let lines = said.split(|byte| *byte == b'\n');
        let answers = lines.filter_map(|line| serde_json::from_slice::<Answer>(line).ok());
        out.answers = answers.map(|answer| (answer.name.clone(), answer)).collect();
        Ok(out)
    }

    /// Puts the digest behind the tag, and the platforms into the placement. Gives Docker's warning where the registry
    /// did not say.
    pub(crate) fn pin(&self, spec: &mut ServiceSpec) -> Option<String> {
        let task = &mut spec.task_template;
        let image = &mut task.container_spec.image;
        let Some(answer) = self.answers.get(self.names.get(image)?) else {
            return Some(format!(
                "image {image} could not be accessed on a registry to record\nits digest. Each node will access \
                 {image} independently,\npossibly leading to different nodes running different\nversions of the \
                 image.\n"
            ));
        };
        // One that was given is the one that was asked for.
        if !image.contains('@') {
            image.push('@');
            image.push_str(&answer.digest);
        }
        if !answer.platforms.is_empty() {
            let placement = task.placement.get_or_insert_default();
            placement.platforms.clone_from(&answer.platforms);
        }
        None
    }
}

/// The full name of an image that a registry can have.
fn registry_name(app: &App, image: &str) -> Option<Reference> {
    let candidates = app.home.names().candidates(image).ok()?;
    let name = candidates.into_iter().next()?.with_default_tag();
    (name.domain() != builtin::DOMAIN).then_some(name)
}

fn is_asked(app: &App, name: &Reference) -> bool {
    if name.domain() != DEFAULT_DOMAIN {
        return true;
    }
    let repository = name.repository();
    let is_made_here = image::find(&app.home, &name.to_string())
        .is_ok_and(|image| image.repo_digests.iter().all(|it| it.repository() != repository));
    !is_made_here && has_way_out(&registries::settings(&app.settings))
}

/// Whether packets to other machines have a way. None is sent.
fn has_way_out(settings: &RegistrySettings) -> bool {
    let has_proxy = settings.https_proxy.as_ref().is_some_and(|proxy| !proxy.is_empty());
    if has_proxy || !settings.mirrors.is_empty() {
        return true;
    }
    // Addresses for documentation (RFC 5737, RFC 3849).
    let v4 = || UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?.connect("192.0.2.1:9");
    let v6 = || UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?.connect("[2001:db8::1]:9");
    v4().or_else(|_| v6()).is_ok()
}

/// Gives what the process wrote until its time was over.
fn run(order: &Order) -> std::io::Result<Vec<u8>> {
    let mut child = Command::new("/proc/self/exe")
        .arg0(DIGEST_ARGV0)
        .arg(serde_json::to_string(order)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let said = child.stdout.take().map(|output| read(output, Instant::now() + PATIENCE));
    // One that has ended already needs no end.
    child.kill().unwrap_or_default();
    child.wait()?;
    Ok(said.unwrap_or_default())
}

fn read(mut output: ChildStdout, until: Instant) -> Vec<u8> {
    let (mut said, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let ready = {
            let mut fds = [PollFd::new(&output, PollFlags::IN)];
            poll(&mut fds, Timespec::try_from(left).ok().as_ref())
        };
        match ready {
            Err(Errno::INTR) => continue,
            Ok(1..) => {}
            Ok(0) | Err(_) => return said,
        }
        match output.read(&mut part) {
            Ok(0) | Err(_) => return said,
            Ok(length) => said.extend_from_slice(&part[..length]),
        }
    }
}

/// The process that asks.
pub(crate) fn main(order: &str) -> ExitCode {
    match answer(order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer(order: &str) -> Result<(), CliError> {
    let order: Order = serde_json::from_str(order)
        .map_err(|e| CliError::plain(format!("cannot understand the order: {e}")))?;
    let mut settings = Settings::read()?;
    settings.docker_config = order.docker_config;
    settings.read_client_config();
    let mut registries = registries::settings(&settings);
    registries.retry.attempts = 1;
    let names: Vec<Reference> =
        order.images.values().filter_map(|name| Reference::parse(name).ok()).collect();
    let asked = coracle_image::distributions(&registries, order.login, &names, &|name, found| {
        let Ok(found) = found else { return };
        let line = serde_json::to_string(&Answer {
            name: name.to_string(),
            digest: found.digest.to_string(),
            platforms: platforms(&found),
        });
        // Nobody is left to read it: then nobody misses it.
        drop(writeln!(std::io::stdout(), "{}", line.unwrap_or_default()));
    });
    asked.map_err(|error| registries::failure(&error, true))
}

/// As a spec has them. Docker leaves out `arm`, which says too little.
fn platforms(found: &Distribution) -> Vec<Value> {
    let one = |platform: &coracle_image::Platform| match platform.architecture.as_str() {
        "arm" | "" => json!({"OS": platform.os}),
        architecture => json!({"Architecture": architecture, "OS": platform.os}),
    };
    found.platforms.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn spec(image: &str) -> ServiceSpec {
        let mut spec = ServiceSpec::default();
        image.clone_into(&mut spec.task_template.container_spec.image);
        spec
    }

    fn digests() -> Digests {
        let full = |name: &str| format!("h.io/{name}");
        let names = ["a:1", "b:1"].map(|image| (image.to_owned(), full(image)));
        let answer = Answer {
            name: full("a:1"),
            digest: DIGEST.to_owned(),
            platforms: vec![json!({"Architecture": "amd64", "OS": "linux"})],
        };
        Digests { answers: BTreeMap::from([(full("a:1"), answer)]), names: names.into() }
    }

    #[test]
    fn an_answer_pins_the_image_and_says_the_platforms() {
        let mut spec = spec("a:1");
        assert_eq!(digests().pin(&mut spec), None);
        let task = &spec.task_template;
        assert_eq!(task.container_spec.image, format!("a:1@{DIGEST}"));
        let placement = serde_json::to_value(&task.placement).unwrap();
        assert_eq!(placement, json!({"Platforms": [{"Architecture": "amd64", "OS": "linux"}]}));
    }

    #[test]
    fn without_an_answer_there_is_a_warning_and_what_no_registry_has_is_passed_over() {
        let mut unknown = spec("b:1");
        let warning = digests().pin(&mut unknown).unwrap();
        assert!(
            warning.starts_with("image b:1 could not be accessed on a registry to record\nits")
        );
        assert_eq!(unknown, spec("b:1"));
        let mut own = spec("coracle.local/whoami:latest");
        assert_eq!(digests().pin(&mut own), None);
        assert_eq!(own, spec("coracle.local/whoami:latest"));
    }
}
