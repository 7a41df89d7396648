//! `COPY` and `ADD` as a step.

use super::copy::{self, is_git, is_http};
use super::dispatch::{Scope, spend};
use super::paths;
use crate::expand::Expander;
use crate::instruction::Copy;
use crate::plan::{self, From, Operation, Source};
use crate::source::Fault;
use crate::sources::git_url::GitUrl;
use crate::sources::http::name_in_address;

impl Scope<'_> {
    pub(super) fn copy(&mut self, written: &Copy, is_add: bool) -> Result<(), Fault> {
        let mut read = written.clone();
        read.chown = self.expand(&written.chown)?;
        read.chmod = self.expand(&written.chmod)?;
        read.checksum = self.expand(&written.checksum)?;
        for source in &mut read.paths.sources {
            *source = self.expand(source)?;
        }
        read.paths.destination = self.expand(&written.paths.destination)?;
        for content in read.paths.contents.iter_mut().filter(|content| content.expands) {
            let raw = Expander { ignores_quotes: true, ..Expander::new('\\') };
            content.text = self.expand_as(&content.text, &raw)?.into();
        }
        copy::check(&read, is_add)?;
        if let (Some(ignore), None) = (&self.request.ignore, &read.from) {
            let verb = if is_add { "Add" } else { "Copy" };
            copy::ignored(&read, verb, ignore, &[self.here()], self.findings);
        }
        let expander = self.expander;
        let name = self.name(&self.instruction().text, &expander, &[]);
        let text = told(&read, is_add);
        let destination =
            paths::destination(self.state.config.working_dir(), &read.paths.destination);
        spend(self.room, destination.len())?;
        let operation = plan::Copy {
            is_add,
            sources: self.files(&read),
            destination,
            // A mode is for files that are here.
            link: read.link && read.chmod.is_empty(),
            chown: read.chown,
            chmod: read.chmod,
            parents: read.parents,
            exclude: read.exclude,
            unpack: read.unpack,
        };
        self.push(name, Operation::Copy(Box::new(operation)))?;
        self.tell(text, true)
    }

    fn files(&self, read: &Copy) -> Vec<Source> {
        let from = match &read.from {
            None => From::Context(None),
            Some(_) => self.sources.first().cloned().unwrap_or(From::Nothing),
        };
        let checksum = Some(read.checksum.clone()).filter(|checksum| !checksum.is_empty());
        let paths = read.paths.sources.iter().map(|source| {
            if is_git(source) {
                Source::Git {
                    url: source.clone(),
                    keeps_git_dir: keeps_git_dir(source).or(read.keep_git_dir).unwrap_or_default(),
                    checksum: checksum.clone(),
                }
            } else if is_http(source) {
                Source::Http {
                    url: source.clone(),
                    name: name_in_address(source),
                    checksum: checksum.clone(),
                }
            } else {
                let pattern = if read.parents { source.clone() } else { paths::source(source) };
                Source::Files { from: from.clone(), pattern }
            }
        });
        let contents = read.paths.contents.iter().map(|content| Source::Content {
            name: content.name.clone(),
            text: content.text.clone(),
        });
        paths.chain(contents).collect()
    }
}

/// What the history says.
fn told(copy: &Copy, is_add: bool) -> String {
    let mut words = vec![if is_add { "ADD" } else { "COPY" }.to_owned()];
    if copy.parents {
        words.push("--parents".to_owned());
    }
    for (flag, value) in [("--chown", &copy.chown), ("--chmod", &copy.chmod)] {
        if !value.is_empty() {
            words.push(format!("{flag}={value}"));
        }
    }
    words.extend(copy.paths.sources.iter().cloned());
    words.extend(copy.paths.contents.iter().map(|content| format!("<<{}", content.name)));
    words.push(copy.paths.destination.clone());
    words.push("# buildkit".to_owned());
    words.join(" ")
}

/// What the address itself says of it.
fn keeps_git_dir(source: &str) -> Option<bool> {
    GitUrl::read(source).ok()??.keeps_git_dir
}
