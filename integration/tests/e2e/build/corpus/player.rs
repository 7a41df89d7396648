//! Plays the builds of a case, and tells what differs.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use coracle_integration::web::WebServer;
use coracle_integration::{Output, TestEnv, fixture};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use serde_json::{Map, Value, json};

use super::cases::Case;
use super::compare::{differences, lists, once};
use super::layers::{Lines, STAMP, changes};
use super::printed::{problem, steps, warnings};

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// An image that others stand on.
#[derive(Default)]
pub(super) struct Base {
    ids: Vec<Value>,
    tree: Lines,
    history: usize,
}

/// An image as `save` writes it.
struct Saved {
    config: Value,
    layers: Vec<Vec<u8>>,
}

impl Base {
    pub(super) fn of(env: &TestEnv, name: &str) -> Self {
        let Saved { config, layers } = save(env, name).expect("the base");
        let mut tree = Lines::new();
        for layer in &layers {
            changes(layer, &mut tree, &<[u8]>::to_vec);
        }
        let history = list(&config["history"]).len();
        Self { ids: list(&config["rootfs"]["diff_ids"]).to_vec(), tree, history }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn save(env: &TestEnv, name: &str) -> Result<Saved, String> {
    let path = env.work().join("saved.tar");
    let output = env.run(["save", "-o", &path.display().to_string(), name]);
    if output.status() != 0 {
        return Err(output.stderr());
    }
    let file = fs::File::open(&path).expect("a file of ours");
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for entry in tar::Archive::new(file).entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a name").display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("an entry");
        files.insert(name, content);
    }
    let json = |name: &str| serde_json::from_slice::<Value>(&files[name]).expect("JSON");
    let manifest = json("manifest.json")[0].take();
    let layers = texts(&manifest["Layers"]).iter().map(|name| files[name].clone()).collect();
    Ok(Saved { config: json(manifest["Config"].as_str().expect("a name")), layers })
}

/// Plays a case.
pub(super) struct Player<'a> {
    env: &'a TestEnv,
    base: &'a Base,
    case: &'a Case,
    folder: PathBuf,
    /// What stands for what in files, arguments and results.
    words: Vec<(&'static str, String)>,
    _server: Option<WebServer>,
}

impl<'a> Player<'a> {
    pub(super) fn new(env: &'a TestEnv, base: &'a Base, case: &'a Case) -> Self {
        let folder = env.work().join("cases").join(&case.name);
        let salt = fixture::digest(case.name.as_bytes())[7..19].to_owned();
        let mut words = vec![("@TAG@", format!("corpus/{}", case.name)), ("@SALT@", salt)];
        let server = case.plan.get("server").map(|_| WebServer::start(&folder.join("www")));
        if let Some(server) = &server {
            words.push(("@SERVER@", server.address().to_owned()));
        }
        let player = Self { env, base, case, folder, words, _server: server };
        fs::create_dir_all(&player.folder).expect("a folder of ours");
        for (path, content) in &case.files {
            let path = player.folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of ours");
            fs::write(path, player.filled(content)).expect("a file of ours");
        }
        player
    }

    pub(super) fn play(self) -> Vec<String> {
        settle(&self.folder, true);
        if let Some(script) = self.case.plan["prepare"].as_str() {
            self.shell(script, &Value::Null).success();
            settle(&self.folder, false);
        }
        let mut faults = Vec::new();
        for (number, (build, wanted)) in self.case.builds.iter().enumerate() {
            let found = self.build(number, build, wanted);
            let name = &self.case.name;
            faults
                .extend(found.iter().map(|fault| format!("{name}, build {}:{fault}", number + 1)));
        }
        self.env.sh(&format!("chmod -R u+rwX {}", self.folder.display())).success();
        faults
    }

    fn filled(&self, bytes: &[u8]) -> Vec<u8> {
        self.words.iter().fold(bytes.to_vec(), |bytes, (word, text)| {
            replaced(&bytes, word.as_bytes(), text.as_bytes())
        })
    }

    /// Words put back for what they stood for.
    fn back(&self, bytes: &[u8]) -> Vec<u8> {
        self.words.iter().fold(bytes.to_vec(), |bytes, (word, text)| {
            replaced(&bytes, text.as_bytes(), word.as_bytes())
        })
    }

    fn back_text(&self, text: &str) -> String {
        let text = self.back(text.as_bytes());
        String::from_utf8_lossy(&text).replace(&self.folder.display().to_string(), "")
    }

    fn filled_text(&self, text: &str) -> String {
        String::from_utf8(self.filled(text.as_bytes())).expect("text")
    }

    fn shell(&self, script: &str, build: &Value) -> Output {
        let mut command = self.env.program(Path::new("/bin/bash")).dir(&self.folder);
        for variables in [&self.case.plan["env"], &build["env"]] {
            for (name, value) in variables.as_object().into_iter().flatten() {
                command = command.env(name, value.as_str().expect("a value"));
            }
        }
        let script = format!("umask 022\n{}", self.filled_text(script));
        command.args(["-euc", &script]).run()
    }

    fn build(&self, number: usize, build: &Value, wanted: &Value) -> Vec<String> {
        if let Some(script) = build["edit"].as_str() {
            self.shell(script, build).success();
        }
        let tag = format!("{}{}", self.words[0].1, build["tag"].as_str().unwrap_or_default());
        let args = build["args"].as_str().expect("arguments");
        let input = build["stdin"].as_str();
        let line = format!("docker build --progress plain -t {tag} {args}");
        let line = match input {
            Some(script) => format!("( {script}\n) | {line}"),
            None => format!("{line} < /dev/null"),
        };
        let output = self.shell(&line, build);
        let errors = self.back_text(&output.stderr());
        let all = format!("{}\n{errors}", self.back_text(&output.stdout()));

        let mut faults = Vec::new();
        let code = wanted["rc"].as_i64().unwrap_or(0);
        if code != i64::from(output.status()) {
            let problem = problem(&errors);
            faults.push(format!(" exit code {}, expected {code}: {problem}", output.status()));
            return faults;
        }
        lists(" warning", &texts(&wanted["warnings"]), &warnings(&all), &mut faults);
        if code != 0 {
            let problem = problem(&errors).to_lowercase();
            for name in texts(&build["names"]) {
                if !problem.contains(&name.to_lowercase()) {
                    faults.push(format!(" {name:?} is not in: {problem}"));
                }
            }
            return faults;
        }
        let again = build.get("again").is_some();
        let counted = |steps: Vec<String>| {
            let plain = |step: String| match number == 0 || !again {
                true => step.trim_start_matches("CACHED ").to_owned(),
                false => step,
            };
            once(steps.into_iter().map(plain).collect())
        };
        let (listed, seen) = (counted(texts(&wanted["steps"])), counted(steps(&errors)));
        lists(" step", &listed, &seen, &mut faults);
        if !again && !args.contains("--check") {
            match self.image(&tag, build) {
                Ok(got) => differences(&complete(wanted), &got, "", &mut faults),
                Err(why) => faults.push(format!(" {why}")),
            }
        }
        faults
    }

    /// What is compared of an image.
    fn image(&self, tag: &str, build: &Value) -> Result<Value, String> {
        let saved = save(self.env, tag)?;
        let seen = self.env.run(["image", "inspect", tag]).json()[0].take();
        let name = build["base"].as_str().or(self.case.plan["base"].as_str()).unwrap_or("alpine");
        let none = Base::default();
        let base = if name == "scratch" { &none } else { self.base };
        let ids = list(&saved.config["rootfs"]["diff_ids"]);
        if !ids.starts_with(&base.ids) || ids.len() != saved.layers.len() {
            return Err(format!("layers {ids:?} on {name}"));
        }
        if list(&seen["RootFS"]["Layers"]) != ids {
            return Err("inspect has other layers".to_owned());
        }
        let text = |value: &Value| self.back_text(value.as_str().unwrap_or_default());
        let put_back = |value: Value| -> Value {
            serde_json::from_str(&self.back_text(&value.to_string())).expect("JSON")
        };
        let own = &list(&saved.config["history"])[base.history..];
        let history = own.iter().map(|entry| {
            let sign = if entry["empty_layer"] == true { "- " } else { "+ " };
            without_health(&format!("{sign}{}", text(&entry["created_by"])))
        });
        let mut tree = base.tree.clone();
        let layers = saved.layers[base.ids.len()..].iter();
        let layers = layers.map(|layer| changes(layer, &mut tree, &|bytes| self.back(bytes)));
        let mut out = json!({
            "config": put_back(pruned(&saved.config["config"])),
            "history": history.collect::<Vec<_>>(),
            "layers": layers.collect::<Vec<_>>(),
        });
        let inspected = put_back(pruned(&seen["Config"]));
        if inspected != out["config"] {
            out["inspect"] = inspected;
        }
        let mut times: Vec<&str> =
            own.iter().filter_map(|entry| entry["created"].as_str()).collect();
        times.extend(saved.config["created"].as_str());
        times.sort_unstable();
        times.dedup();
        let is_old = |time: &&str| time[..4] < *"2020" || time.starts_with("2020-01-01T00:00:00");
        if !times.is_empty() && times.iter().all(is_old) {
            out["created"] = json!(times);
        }
        for key in ["author", "variant"] {
            if let Some(value) = saved.config[key].as_str().filter(|value| !value.is_empty()) {
                out[key] = json!(value);
            }
        }
        Ok(out)
    }
}

/// The settings of a health check are printed as a value of Go.
fn without_health(line: &str) -> String {
    if line.starts_with("- HEALTHCHECK") { "- HEALTHCHECK".to_owned() } else { line.to_owned() }
}

/// What is expected of an image, with what the file of cases leaves out.
fn complete(wanted: &Value) -> Value {
    let mut wanted = wanted.as_object().cloned().unwrap_or_default();
    for key in ["rc", "steps", "warnings", "os", "architecture"] {
        wanted.remove(key);
    }
    wanted.entry("config").or_insert_with(|| json!({"Env": [PATH]}));
    let history = texts(wanted.get("history").unwrap_or(&Value::Null));
    let history: Vec<_> = history.iter().map(|line| without_health(line)).collect();
    wanted.insert("history".to_owned(), json!(history));
    Value::Object(wanted)
}

/// An object without its empty values.
fn pruned(value: &Value) -> Value {
    let is_empty = |key: &str, value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty() && !["Cmd", "Entrypoint"].contains(&key),
        Value::Object(object) => object.is_empty(),
        _ => false,
    };
    let all = value.as_object().cloned().unwrap_or_default();
    Value::Object(
        all.into_iter().filter(|(key, value)| !is_empty(key, value)).collect::<Map<_, _>>(),
    )
}

fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(with);
        rest = &rest[at + what.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Known times for all files, and modes where no script has set them.
fn settle(folder: &Path, modes: bool) {
    let time = Timespec { tv_sec: i64::try_from(STAMP).expect("it is small"), tv_nsec: 5 };
    let times = Timestamps { last_access: time, last_modification: time };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            settle(&path, modes);
        }
        if modes && !kind.is_symlink() {
            let mode = if kind.is_dir() { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a file of ours");
        }
        utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("a file of ours");
    }
}
