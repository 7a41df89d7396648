//! Plays the steps of a case, and tells what differs.

use std::path::{Path, PathBuf};

use coracle_integration::{Output, TestEnv, wait};
use serde_json::{Map, Value, json};

use super::cases::Case;
use super::seen::{
    NAMESPACE, differ, network, patched, pruned, seen_network, seen_service, service, sorted,
    string, without_ids,
};

/// Plays a case.
pub(super) struct Player<'a> {
    env: &'a TestEnv,
    case: &'a Case,
    folder: PathBuf,
    faults: Vec<String>,
}

impl<'a> Player<'a> {
    pub(super) fn new(env: &'a TestEnv, case: &'a Case) -> Self {
        let folder = env.work().join("cases").join(&case.name);
        for (path, text) in &case.files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of ours");
            std::fs::write(path, text).expect("a file of ours");
        }
        Self { env, case, folder, faults: Vec::new() }
    }

    pub(super) fn play(mut self) -> Vec<String> {
        for step in &self.case.steps {
            if !self.step(step) {
                break;
            }
        }
        let mut stacks = vec![self.case.name.as_str()];
        stacks.extend(self.case.steps.iter().filter_map(|step| step["stack"].as_str()));
        for stack in stacks {
            self.gone(stack);
        }
        for line in &self.case.cleanup {
            wait::until(line, || self.run(line, "").status() == 0);
        }
        self.faults
    }

    /// False: the rest of the case has nothing to be compared with.
    fn step(&mut self, step: &Value) -> bool {
        if let Some(stack) = step["gone"].as_str() {
            self.gone(stack);
            return true;
        }
        let line = step["run"].as_str().expect("a command");
        let stdin = step["stdin"].as_str().map_or_else(String::new, |name| {
            std::fs::read_to_string(self.folder.join(name)).expect("a file of the case")
        });
        let stack = step["stack"].as_str().unwrap_or(&self.case.name);
        let before = step.get("replaced").map(|_| self.running(stack));
        let mut output = self.run(line, &stdin);
        if line.starts_with("stack services ") {
            // It was recorded when the tasks ran.
            wait::poll(wait::DEADLINE, || {
                output = self.run(line, &stdin);
                let mut found = Vec::new();
                self.compare(step, &output, &mut found);
                found.is_empty().then_some(())
            });
        }
        if step.get("quiet").is_some() {
            return true;
        }
        let mut found = Vec::new();
        let mut goes_on = true;
        if let Some(words) = step["refused"].as_array() {
            goes_on = self.refused(line, words, &output, &mut found);
        } else {
            self.compare(step, &output, &mut found);
            if let Some(services) = step["services"].as_object() {
                self.state(stack, step, services, &mut found);
            }
            if let (Some(before), Some(wanted)) = (before, step["replaced"].as_object()) {
                self.replaced(stack, &before, wanted, &mut found);
            }
        }
        let name = &self.case.name;
        self.faults.extend(found.iter().map(|fault| format!("{name}: {line}: {fault}")));
        goes_on
    }

    fn run(&self, line: &str, stdin: &str) -> Output {
        let mut command = self.env.program(Path::new("/bin/bash")).dir(&self.folder);
        for (name, value) in &self.case.variables {
            command = command.env(name, value);
        }
        command.args(["-c", &format!("exec docker {line}")]).stdin(stdin).run()
    }

    fn json(&self, line: &str) -> Vec<Value> {
        // What could be inspected is printed even when something is gone by now.
        let text = self.rooted(&self.run(line, "").stdout());
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn gone(&self, stack: &str) {
        wait::until(&format!("{stack} is gone"), || {
            self.run(&format!("stack rm {stack}"), "").stderr().contains("othing found in stack")
        });
    }

    fn rooted(&self, text: &str) -> String {
        let above = self.folder.parent().expect("a folder above").display().to_string();
        let root = self.folder.display().to_string();
        text.replace(&root, "$ROOT").replace(&above, "$ROOT/..")
    }

    /// Lines without spacing, time stamps and ids.
    fn words(&self, text: &str, notice: bool) -> Vec<String> {
        const NOTICE: [&str; 2] = [
            "Since --detach=false was not specified",
            "In a future release, --detach=false will become",
        ];
        let is_notice = |line: &String| NOTICE.iter().any(|notice| line.starts_with(notice));
        let lines = self.rooted(text);
        let lines = lines.lines().map(|line| {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            let rest = line.strip_prefix("time=\"").and_then(|rest| rest.split_once("\" "));
            without_ids(rest.map_or(&*line, |(_, rest)| rest))
        });
        let mut lines: Vec<_> =
            lines.filter(|line| !line.is_empty() && (notice || !is_notice(line))).collect();
        lines.sort();
        lines
    }

    fn refused(
        &self,
        line: &str,
        words: &[Value],
        output: &Output,
        found: &mut Vec<String>,
    ) -> bool {
        if output.status() != 0 {
            let said = output.stderr().to_lowercase();
            if !words.iter().any(|word| said.contains(&string(word).to_lowercase())) {
                found.push(format!("{said:?} names none of {words:?}"));
            }
            return true;
        }
        let mut given = line.split(' ');
        let mut files = String::new();
        while let Some(word) = given.next() {
            if word == "-c" {
                files.push_str(&format!(" -f {}", given.next().unwrap_or_default()));
            }
        }
        let config = self.run(&format!("compose{files} config -q"), "");
        if config.status() != 0 {
            found.push(format!("taken, but Compose does not: {}", config.stderr()));
        }
        !line.starts_with("stack deploy")
    }

    fn compare(&self, step: &Value, output: &Output, found: &mut Vec<String>) {
        let fails = step.get("fails").is_some();
        if fails != (output.status() != 0) {
            found.push(format!("exit status {}", output.status()));
        }
        let (stdout, stderr) = (output.stdout(), output.stderr());
        if let Some(printed) = step["printed"].as_str() {
            let lines = |text: &str| {
                let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
                if step.get("unordered").is_some() {
                    lines.sort();
                }
                lines
            };
            let seen = self.rooted(&stdout);
            if lines(printed) != lines(&seen) {
                found.push(format!("printed {seen}\nexpected {printed}"));
            }
        } else {
            let mut seen = self.words(&stdout, true);
            if step.get("own").is_some() {
                seen.retain(|line| line.contains(&self.case.name));
            }
            if seen != sorted(&step["out"]) {
                found.push(format!("stdout {seen:?}, expected {:?}", sorted(&step["out"])));
            }
        }
        let seen = self.words(&stderr, step.get("notice").is_some());
        if let Some(names) = step["names"].as_array() {
            let said = stderr.to_lowercase();
            let missing = names.iter().filter(|name| !said.contains(&string(name).to_lowercase()));
            found.extend(missing.map(|name| format!("{seen:?} does not name {name}")));
            return;
        }
        let others = step["err_or"].as_array().into_iter().flatten();
        if !others.chain([&step["err"]]).any(|lines| seen == sorted(lines)) {
            found.push(format!("stderr {seen:?}, expected {:?}", sorted(&step["err"])));
        }
    }

    fn state(
        &self,
        stack: &str,
        step: &Value,
        services: &Map<String, Value>,
        found: &mut Vec<String>,
    ) {
        let all = self.json("network inspect $(docker network ls -q --no-trunc)");
        let mut seen = Map::new();
        let mine = format!("-q -f label={NAMESPACE}={stack}");
        for mut object in self.json(&format!("service inspect $(docker service ls {mine})")) {
            let spec = object["Spec"].take();
            seen.insert(string(&spec["Name"]), seen_service(spec, &all));
        }
        let wanted = services
            .iter()
            .map(|(name, patch)| (name.clone(), patched(service(stack, name), patch)));
        differ("services", &Value::Object(wanted.collect()), &Value::Object(seen), found);

        let text: String = self.case.files.iter().map(|(_, text)| text.as_str()).collect();
        let own = all.iter().filter(|network| network["Labels"][NAMESPACE] == stack);
        let seen = own.map(|network| (string(&network["Name"]), seen_network(network, &text)));
        let seen = Value::Object(seen.collect());
        let default = json!({format!("{stack}_default"): {}});
        let wanted = step["networks"].as_object().or(default.as_object()).into_iter().flatten();
        let wanted = wanted.map(|(name, patch)| (name.clone(), patched(network(stack), patch)));
        differ("networks", &Value::Object(wanted.collect()), &seen, found);

        for kind in ["secret", "config"] {
            let line = format!("{kind} inspect $(docker {kind} ls {mine})");
            let seen = self.json(&line).into_iter().map(|mut object| {
                let mut spec = object["Spec"].take();
                if let Some(data) = spec.get("Data").and_then(Value::as_str) {
                    spec["Data"] = self.env.sh(&format!("echo {data} | base64 -d")).stdout().into();
                }
                (string(&spec["Name"]), pruned(&spec, false))
            });
            let seen = Value::Object(seen.collect());
            let key = format!("{kind}s");
            let wanted = step.get(&key).cloned().unwrap_or_else(|| json!({}));
            differ(&key, &wanted, &seen, found);
        }
    }

    /// The tasks that are to run, by service.
    fn running(&self, stack: &str) -> Map<String, Value> {
        let ls = format!("service ls --format '{{{{.Name}}}}' -f label={NAMESPACE}={stack}");
        let services = self.run(&ls, "").lines().into_iter().map(|name| {
            let ps = format!("service ps -q --no-trunc -f desired-state=running {name}");
            let tasks = self.run(&ps, "").lines();
            (name, json!(tasks))
        });
        services.collect()
    }

    fn replaced(
        &self,
        stack: &str,
        before: &Map<String, Value>,
        wanted: &Map<String, Value>,
        found: &mut Vec<String>,
    ) {
        let stays = wanted.values().all(|counts| counts[0] == 0);
        let mut seen = Map::new();
        let met = wait::poll(wait::DEADLINE, || {
            if stays && self.is_updating(stack) {
                return None;
            }
            let now = self.running(stack);
            let counts = now.iter().map(|(name, tasks)| {
                let tasks = tasks.as_array().expect("a list");
                let is_old = |task: &&Value| {
                    before.get(name).and_then(Value::as_array).is_some_and(|all| all.contains(task))
                };
                let new = tasks.iter().filter(|task| !is_old(task)).count();
                (name.clone(), json!([new, tasks.len()]))
            });
            seen = counts.collect();
            (seen == *wanted).then_some(())
        });
        if met.is_none() {
            found.push(format!("replaced {seen:?}, expected {wanted:?}"));
        }
    }

    fn is_updating(&self, stack: &str) -> bool {
        let ls = format!("$(docker service ls -q -f label={NAMESPACE}={stack})");
        let line = format!("service inspect --format '{{{{json .UpdateStatus}}}}' {ls}");
        self.run(&line, "").stdout().contains("\"updating\"")
    }
}
