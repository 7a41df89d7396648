//! What a step is by itself: a digest of its own part, for ids of results.
//!
//! # What counts
//!
//! As in BuildKit: arguments, variables, user and folder of a command; where things are mounted, and how; of files the
//! last part of their name, and where they go. What a step stands on, and the content of what it takes, is for whoever
//! knows them. So are the addresses of remote files: their content and time counts, not where they come from.
//!
//! What does not count: proxies that nobody declared, values of secrets, addresses of further hosts, names and sharing
//! of caches – but for those that are named after their place –, the path within what is mounted, names of steps.

use coracle_image::Digest;
use coracle_image::digest::Hasher;

use super::{Copy, From, Mount, MountKind, Operation, Run, Source, Step};
use crate::instruction::mount::Sharing;
use crate::request::Network;

/// It changes with the meaning of anything below.
const VERSION: &[u8] = b"coracle step 1";

impl Step {
    /// A digest of the operation and of whatever else of the step counts.
    pub fn key(&self) -> Digest {
        let mut key = Key(Hasher::new());
        key.part(VERSION);
        match &self.operation {
            Operation::Image { layers, .. } => {
                key.text("image");
                key.list(layers.iter().map(ToString::to_string));
            }
            Operation::Run(run) => {
                key.text("run");
                key.text(&self.platform.to_string());
                key.run(run);
            }
            Operation::Copy(copy) => {
                key.text("copy");
                key.copy(copy);
            }
            Operation::Folder { path, owner } => {
                key.text("folder");
                key.text(path);
                key.text(owner);
            }
        }
        key.0.finish()
    }
}

struct Key(Hasher);

impl Key {
    /// With its length in front: parts never run into each other.
    fn part(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.part(text.as_bytes());
    }

    fn flag(&mut self, is_set: bool) {
        self.number(u64::from(is_set));
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    fn list<T: AsRef<str>>(&mut self, texts: impl ExactSizeIterator<Item = T>) {
        self.number(texts.len() as u64);
        texts.for_each(|text| self.text(text.as_ref()));
    }

    fn run(&mut self, run: &Run) {
        self.list(run.args.iter());
        self.list(run.env.iter());
        self.text(&run.user);
        self.text(&run.working_dir);
        self.number(match run.network {
            Network::Default => 0,
            Network::Host => 1,
            Network::None => 2,
        });
        self.flag(run.is_insecure);
        self.maybe(run.hostname.as_deref());
        self.list(run.hosts.iter().map(|host| host.split(':').next().unwrap_or_default()));
        self.flag(run.shm_size.is_some());
        self.number(run.shm_size.unwrap_or_default());
        self.list(run.ulimits.iter());
        self.number(run.scripts.len() as u64);
        for (path, text) in &run.scripts {
            self.text(path);
            self.text(text);
        }
        self.number(run.mounts.len() as u64);
        run.mounts.iter().for_each(|mount| self.mount(mount));
    }

    fn mount(&mut self, mount: &Mount) {
        self.text(&mount.target);
        match &mount.kind {
            MountKind::Bind { from, source: _, writable } => {
                self.text("bind");
                self.from(from);
                self.flag(*writable);
            }
            MountKind::Cache { id, from, sharing, owner, mode, read_only } => {
                self.text("cache");
                let name = id.split_once('/').map_or(id.as_str(), |(_, name)| name);
                let is_usual = *sharing == Sharing::Shared && name == mount.target;
                self.maybe(Some(id.as_str()).filter(|_| is_usual));
                self.from(from.as_ref().map_or(&From::Nothing, |(from, _)| from));
                self.owner(*owner, *mode);
                self.flag(*read_only);
            }
            MountKind::Tmpfs { size } => {
                self.text("tmpfs");
                self.text(&size.to_string());
            }
            MountKind::Secret { id, required, owner, mode, env, is_file } => {
                self.text("secret");
                self.text(id);
                self.flag(*required);
                self.owner(*owner, *mode);
                self.maybe(env.as_deref());
                self.flag(*is_file);
            }
            MountKind::Ssh { id, required, owner, mode } => {
                self.text("ssh");
                self.text(id);
                self.flag(*required);
                self.owner(*owner, *mode);
            }
        }
    }

    fn owner(&mut self, (user, group): (u32, u32), mode: u32) {
        self.number(u64::from(user));
        self.number(u64::from(group));
        self.number(u64::from(mode));
    }

    /// Whether there is anything; what it is has a content that counts.
    fn from(&mut self, from: &From) {
        self.flag(*from != From::Nothing);
    }

    fn copy(&mut self, copy: &Copy) {
        self.flag(copy.is_add);
        self.text(&copy.destination);
        self.text(&copy.chown);
        self.text(&copy.chmod);
        self.flag(copy.link);
        self.flag(copy.parents);
        self.list(copy.exclude.iter());
        self.flag(copy.unpack.unwrap_or_default());
        self.flag(copy.unpack.is_some());
        self.number(copy.sources.len() as u64);
        for source in &copy.sources {
            match source {
                Source::Files { from, pattern } => {
                    self.text("files");
                    self.from(from);
                    self.text(if copy.parents { pattern } else { last_part(pattern) });
                }
                Source::Content { name, text } => {
                    self.text("content");
                    self.text(name);
                    self.text(text);
                }
                Source::Http { url: _, name, checksum: _ } => {
                    self.text("http");
                    self.text(name);
                }
                Source::Git { url: _, keeps_git_dir, checksum: _ } => {
                    self.text("git");
                    self.flag(*keeps_git_dir);
                }
            }
        }
    }
}

fn last_part(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}
