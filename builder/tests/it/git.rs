//! Git repositories, served by `git daemon` and as files of a web server.

use std::ffi::OsString;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use coracle_builder::sources::git::{
    Checkout, GitRequest, GitSettings, Resolved, checkout, resolve,
};
use coracle_builder::sources::git_url::GitUrl;
use coracle_builder::sources::{Cache, SourceError};
use coracle_image::RegistrySettings;

use crate::web::Web;

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
const DATE: &str = "2020-01-02T03:04:05Z";
const SECONDS: i64 = 1_577_934_245;

/// Repositories, and a place for what is fetched.
struct World {
    folder: tempfile::TempDir,
    settings: GitSettings,
}

impl World {
    /// `None`, with a word about it, where there is no git.
    fn new() -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            println!("skipped: no git");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let network = RegistrySettings::default();
        let settings = GitSettings { search: OsString::from(PATH), network, known_hosts: None };
        Some(Self { folder, settings })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn git(&self, folder: &str, args: &[&str]) -> String {
        let made = Command::new("git")
            .args(["-c", "protocol.file.allow=always"])
            .args(args)
            .current_dir(self.path(folder))
            .env_clear()
            .envs([("PATH", PATH), ("HOME", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .envs([
                ("GIT_AUTHOR_NAME", "a"),
                ("GIT_AUTHOR_EMAIL", "a@h"),
                ("GIT_AUTHOR_DATE", DATE),
            ])
            .envs([("GIT_COMMITTER_NAME", "c"), ("GIT_COMMITTER_EMAIL", "c@h")])
            .env("GIT_COMMITTER_DATE", DATE)
            .output()
            .unwrap();
        assert!(made.status.success(), "{args:?}: {}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// A repository with two commits on `main`, the first with the tag `v1`; their ids.
    fn repository(&self, name: &str) -> (String, String) {
        fs::create_dir_all(self.path(name).join("sub")).unwrap();
        self.git(name, &["init", "--quiet", "--initial-branch=main"]);
        fs::write(self.path(name).join("f.txt"), "one").unwrap();
        fs::write(self.path(name).join("sub/g.sh"), "g").unwrap();
        let script = self.path(name).join("sub/g.sh");
        fs::set_permissions(script, fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink("sub", self.path(name).join("link")).unwrap();
        self.commit(name, "one");
        self.git(name, &["tag", "--annotate", "--message=first", "v1"]);
        let first = self.git(name, &["rev-parse", "HEAD"]);
        fs::write(self.path(name).join("f.txt"), "two").unwrap();
        self.commit(name, "two");
        self.git(name, &["update-server-info"]);
        (first, self.git(name, &["rev-parse", "HEAD"]))
    }

    fn commit(&self, name: &str, message: &str) {
        self.git(name, &["add", "--all"]);
        self.git(name, &["commit", "--quiet", "--message", message]);
    }

    fn cache(&self) -> Cache {
        Cache::new(self.path("kept"))
    }

    fn resolve(&self, url: &str) -> Result<Resolved, SourceError> {
        let url = GitUrl::read(url).unwrap().unwrap();
        resolve(&self.request(&url), &self.cache())
    }

    fn request<'a>(&'a self, url: &'a GitUrl) -> GitRequest<'a> {
        let settings = &self.settings;
        GitRequest { url, times_of_commit: false, agent: None, authorization: None, settings }
    }

    fn checkout(&self, url: &str) -> Result<Checkout, SourceError> {
        let url = GitUrl::read(url).unwrap().unwrap();
        let request = self.request(&url);
        let resolved = resolve(&request, &self.cache())?;
        checkout(&request, &resolved, &self.cache(), SystemTime::now())
    }

    /// What is kept: nothing unfinished among it.
    fn kept(&self) -> usize {
        let names = fs::read_dir(self.path("kept")).unwrap().flatten();
        let names: Vec<_> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(names.iter().all(|name| name.starts_with("git-")), "{names:?}");
        names.len()
    }
}

/// `git daemon`, ended with the test.
struct Daemon {
    child: Child,
    port: u16,
}

impl Daemon {
    fn new(world: &World) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let programs = world.git("", &["--exec-path"]);
        // By itself: `git daemon` would leave it behind when it is killed.
        let child = Command::new(Path::new(&programs).join("git-daemon"))
            .args(["--listen=127.0.0.1", &format!("--port={port}"), "--export-all"])
            .args(["--reuseaddr", "--informative-errors"])
            .arg(format!("--base-path={}", world.folder.path().display()))
            .env_clear()
            .envs([("PATH", PATH), ("HOME", "/dev/null")])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "git daemon does not listen");
            std::thread::yield_now();
        }
        Self { child, port }
    }

    fn url(&self, rest: &str) -> String {
        format!("git://127.0.0.1:{}/{rest}", self.port)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has children of its own, which end with their connections.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_branch_a_tag_a_commit_and_a_folder() {
    let Some(world) = World::new() else { return };
    let (first, second) = world.repository("g.git");
    let daemon = Daemon::new(&world);

    let main = world.checkout(&daemon.url("g.git")).unwrap();
    assert_eq!((main.commit.as_str(), main.commit_time), (second.as_str(), SECONDS));
    assert_eq!(names(&main.path), ["f.txt", "link", "sub"]);
    assert_eq!(fs::read_to_string(main.path.join("f.txt")).unwrap(), "two");
    let mode = |path: &str| fs::metadata(main.path.join(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode("f.txt"), mode("sub"), mode("sub/g.sh")), (0o644, 0o755, 0o755));

    let tag = world.checkout(&daemon.url("g.git#v1:sub")).unwrap();
    assert_eq!((tag.commit.as_str(), names(&tag.path)), (first.as_str(), vec!["g.sh".to_owned()]));
    assert!(tag.log.contains("[new tag]") || tag.log.contains("v1"), "{}", tag.log);

    let commit = world.checkout(&daemon.url(&format!("g.git#{first}"))).unwrap();
    assert_eq!(fs::read_to_string(commit.path.join("f.txt")).unwrap(), "one");

    let again = world.checkout(&daemon.url("g.git?branch=main")).unwrap();
    assert_eq!((again.path, again.log.as_str()), (main.path, ""));
    assert_eq!(world.kept(), 3);
}

#[test]
fn a_web_server_that_knows_nothing_of_git_is_enough() {
    let Some(world) = World::new() else { return };
    let (first, second) = world.repository("g");
    let web = Web::of_folder(world.folder.path());
    let url = web.url("g/.git");
    assert_eq!(world.checkout(&url).unwrap().commit, second);
    assert_eq!(world.checkout(&format!("{url}#v1")).unwrap().commit, first);
}

#[test]
fn a_kept_repository_knows_its_commit_and_nothing_of_this_machine() {
    let Some(world) = World::new() else { return };
    let (_, second) = world.repository("g.git");
    let daemon = Daemon::new(&world);
    let url = daemon.url("g.git?keep-git-dir=true");
    let kept = world.checkout(&url).unwrap();
    assert_eq!(names(&kept.path), [".git", "f.txt", "link", "sub"]);
    let name = kept.path.strip_prefix(world.folder.path()).unwrap().to_str().unwrap();
    assert_eq!(
        world.git(name, &["rev-parse", "HEAD", "refs/heads/main"]),
        format!("{second}\n{second}")
    );
    assert_eq!(world.git(name, &["status", "--porcelain"]), "");
    let config = fs::read_to_string(kept.path.join(".git/config")).unwrap();
    assert!(config.contains(&format!("url = {}", daemon.url("g.git"))), "{config}");
    assert!(!config.contains(world.folder.path().to_str().unwrap()), "{config}");
    assert!(!kept.path.join(".git/hooks").exists());
    assert!(!kept.path.join(".git/logs").exists());
    assert_ne!(world.checkout(&daemon.url("g.git")).unwrap().path, kept.path);
}

#[test]
fn submodules_come_along_unless_they_are_files_of_this_machine() {
    let Some(world) = World::new() else { return };
    world.repository("part.git");
    world.repository("g.git");
    let daemon = Daemon::new(&world);
    let part = daemon.url("part.git");
    world.git("g.git", &["submodule", "--quiet", "add", &part, "part"]);
    world.commit("g.git", "part");
    let whole = world.checkout(&daemon.url("g.git")).unwrap();
    assert_eq!(names(&whole.path.join("part")), ["f.txt", "link", "sub"]);
    let without = world.checkout(&daemon.url("g.git?submodules=false")).unwrap();
    assert!(names(&without.path.join("part")).is_empty());

    let local = world.path("part.git");
    world.git("g.git", &["submodule", "--quiet", "add", local.to_str().unwrap(), "local"]);
    world.commit("g.git", "local");
    let error = world.checkout(&daemon.url("g.git")).unwrap_err().to_string();
    assert!(error.contains("transport 'file' not allowed"), "{error}");
    world.kept();
}

#[test]
fn what_is_pinned_must_be_there() {
    let Some(world) = World::new() else { return };
    let (first, second) = world.repository("g.git");
    let daemon = Daemon::new(&world);
    let at = |rest: String| world.checkout(&daemon.url(&rest));
    assert_eq!(at(format!("g.git?checksum={}#v1", &first[..7])).unwrap().commit, first);
    let error = at(format!("g.git?checksum={}", &first[..7])).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "failed to load cache key: expected checksum to match {}, got {second}",
            &first[..7]
        )
    );
    let error = at("g.git#nosuch".to_owned()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to load cache key: repository does not contain ref nosuch, output: \"\""
    );
    let nothing = "0123456789012345678901234567890123456789";
    let error = at(format!("g.git#{nothing}")).unwrap_err().to_string();
    assert!(error.contains(nothing), "{error}");
    let error = at("g.git#v1:link".to_owned()).unwrap_err().to_string();
    assert!(error.starts_with("invalid subdir link: git subpath \"link\" contains"), "{error}");
    let error = at("g.git#v1:nosuch".to_owned()).unwrap_err().to_string();
    assert!(error.starts_with("invalid subdir nosuch: failed to lstat"), "{error}");
    world.kept();
}

#[test]
fn times_of_the_commit() {
    let Some(world) = World::new() else { return };
    world.repository("g.git");
    let daemon = Daemon::new(&world);
    let dated = world.checkout(&daemon.url("g.git?mtime=commit")).unwrap();
    for path in ["", "f.txt", "sub", "sub/g.sh", "link"] {
        let about = fs::symlink_metadata(dated.path.join(path)).unwrap();
        assert_eq!(about.mtime(), SECONDS, "{path}");
    }
}

#[test]
fn no_git_no_repository_and_no_agent_are_told() {
    let Some(mut world) = World::new() else { return };
    let daemon = Daemon::new(&world);
    let url = daemon.url("nosuch.git");
    let error = world.resolve(&url).unwrap_err().to_string();
    let begin = format!(
        "failed to load cache key: error fetching default branch for repository {url}: git stderr:\n"
    );
    assert!(error.starts_with(&begin) && error.ends_with(": exit status 128"), "{error}");
    let error = world.resolve("git@127.0.0.1:x").unwrap_err();
    assert_eq!(error.to_string(), "unset ssh forward key default");
    world.settings.search = OsString::from("/nonexistent");
    let error = world.resolve(&url).unwrap_err();
    assert!(error.to_string().contains("git is not installed"), "{error}");
    assert!(error.hint().unwrap().starts_with("install git"));
}

#[test]
fn hooks_filters_and_configuration_of_a_repository_do_nothing() {
    let Some(world) = World::new() else { return };
    world.repository("g.git");
    let mark = world.path("mark");
    let run = format!("touch {}", mark.display());
    fs::write(world.path("g.git/.gitattributes"), "* filter=evil\n").unwrap();
    fs::write(
        world.path("g.git/.gitmodules"),
        format!("[submodule \"x\"]\n\tpath = x\n\turl = ext::{run}\n\tupdate = !{run}\n"),
    )
    .unwrap();
    world.commit("g.git", "evil");
    let hook = world.path("g.git/.git/hooks");
    fs::create_dir_all(&hook).unwrap();
    let id = world.git("g.git", &["rev-parse", "HEAD"]);
    world.git("g.git", &["update-index", "--add", "--cacheinfo", &format!("160000,{id},x")]);
    world.git("g.git", &["commit", "--quiet", "--message=x"]);
    let daemon = Daemon::new(&world);
    let outcome = world.checkout(&daemon.url("g.git"));
    assert!(outcome.is_err(), "{outcome:?}");
    assert!(!mark.exists());
    let without = world.checkout(&daemon.url("g.git?submodules=0")).unwrap();
    assert!(without.path.join(".gitattributes").exists());
    assert!(!mark.exists());
}
