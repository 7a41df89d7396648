//! Whole applications built of Dockerfiles as their authors write them, on Debian roots, then run and asked.
//!
//! Each is a function, which a test calls as an ordinary user, and another one (`one_id`) as a user without
//! subordinate ids. What they fetch comes from the package indexes of the languages; without those they skip.

mod fibonacci;
mod flask;
mod forty;
mod golang;
mod node;
mod one_id;
mod php;

use std::path::Path;

use coracle_integration::{Output, TestEnv, command::Cmd, settings::settings, skip};

use crate::compose_apps::{UP_DEADLINE, copy};

/// Certificates of authorities as Debian keeps them: those of a company's proxy are among them, where there is one.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What package managers say when nobody is there.
const UNREACHABLE: [&str; 9] = [
    "Temporary failure in name resolution",
    "Temporary failure resolving",
    "Name or service not known",
    "Network is unreachable",
    "Failed to establish a new connection",
    "Unable to connect to",
    "EAI_AGAIN",
    "ENOTFOUND",
    "ECONNREFUSED",
];

/// What they say when an index refuses, or breaks off, what it may give a moment later.
const REFUSED: [&str; 13] = [
    // npm
    "code E403",
    "code E429",
    "code E502",
    "code E503",
    "code E504",
    "ECONNRESET",
    "ETIMEDOUT",
    // pip
    "HTTP error 4",
    "HTTP error 5",
    "Read timed out",
    // apt-get
    "Failed to fetch",
    "Hash Sum mismatch",
    "Connection timed out",
];

/// The root of a Debian with certain packages, or a skip.
macro_rules! need_root {
    ($name:ident) => {
        match &coracle_integration::settings::settings().$name {
            Some(root) => root,
            None => coracle_integration::skip!(
                "no root with the packages of the application: run scripts/test"
            ),
        }
    };
}
use need_root;

/// A world with these images, made of roots, and the folders of applications in its work folder.
fn world(images: &[(&str, &Path)], applications: &[&str]) -> TestEnv {
    let env = TestEnv::bare();
    for (name, root) in images {
        let root = root.display().to_string();
        env.coracle().args(["import", &root, name]).deadline(UP_DEADLINE).run().success();
    }
    let folder =
        settings().apps.as_ref().map(|apps| &apps.folder).expect("it comes with the roots");
    for name in applications {
        copy(&folder.join(name), &env.work().join(name));
    }
    env
}

/// `build` of the application in a folder, as the image of that name.
fn build(env: &TestEnv, name: &str, flags: &[&str]) -> Cmd {
    let words = ["build", "--progress", "plain", "-t", name];
    env.coracle().args(words).args(flags).args([name]).deadline(UP_DEADLINE)
}

/// What a command that needs an index of packages printed when it did its work. `None`, and a skip on record, where
/// nobody answers it. What an index refuses is asked for twice more: the steps before it are in the cache.
fn fetched(what: &str, mut command: impl FnMut() -> Output) -> Option<Output> {
    let mut output = command();
    for _ in 0..2 {
        if output.status() == 0 || !REFUSED.iter().any(|words| output.stderr().contains(words)) {
            break;
        }
        output = command();
    }
    if output.status() == 0 {
        return Some(output);
    }
    let told = output.stderr();
    assert!(UNREACHABLE.iter().any(|words| told.contains(words)), "{output}");
    skip::record(&format!("no {what} in reach"));
    None
}

/// Certificates of authorities as a secret `ca`.
fn authorities() -> String {
    format!("id=ca,src={AUTHORITIES}")
}

#[test]
fn flask_from_an_index_with_a_certificate_of_its_own() {
    flask::builds_and_runs();
}

#[test]
fn node_with_a_cache_of_packages() {
    node::builds_and_runs();
}

#[test]
fn go_with_one_file_in_the_image() {
    golang::builds_and_runs();
}

#[test]
fn php_behind_apache() {
    php::builds_and_runs();
}

#[test]
fn forty_steps() {
    forty::builds_and_runs(true);
}

#[test]
fn six_services_with_node_modules_over_a_bind() {
    fibonacci::builds_and_runs();
}
