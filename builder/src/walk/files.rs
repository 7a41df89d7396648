//! `COPY` and `ADD` as a step.

use super::copy::{self, is_git, is_http};
use super::dispatch::{Scope, spend};
use super::paths;
use crate::expand::Expander;
use crate::instruction::Copy;
use crate::plan::{self, From, Operation, Source};
use crate::source::Fault;

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
                    keeps_git_dir: read.keep_git_dir.unwrap_or_default(),
                    checksum: checksum.clone(),
                }
            } else if is_http(source) {
                Source::Http {
                    url: source.clone(),
                    name: name_of_url(source),
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

/// The last part of its path, without the escapes of URLs.
fn name_of_url(url: &str) -> String {
    const NONE: &str = "__unnamed__";
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let Some((_, path)) = rest.split_once('/') else { return NONE.to_owned() };
    let Some(path) = unescaped(path) else { return NONE.to_owned() };
    match paths::base(&paths::clean(&path)) {
        "/" => NONE.to_owned(),
        name => name.to_owned(),
    }
}

/// Without `%20` and its kind; `None` where one is wrong.
fn unescaped(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
        let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
        out.push(high * 16 + low);
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::name_of_url;

    #[test]
    fn names_of_remote_files() {
        for (url, name) in [
            ("http://h/a/b.txt?x=/c", "b.txt"),
            ("http://h/a%20b", "a b"),
            ("http://h/a/", "a"),
            ("http://h/", "__unnamed__"),
            ("http://h", "__unnamed__"),
            ("http://h/%zz", "__unnamed__"),
        ] {
            assert_eq!(name_of_url(url), name, "{url}");
        }
    }
}
