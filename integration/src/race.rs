//! Commands that change one container, let loose on it at once.
//!
//! The container is that of a Compose service, so that `compose up` is about it too, and another container
//! keeps the user's namespaces, so that nothing but the container's own lock stands between the commands.

use std::time::Duration;

use crate::{Output, TestEnv, agreement};

/// What may be done to the container `$ID`, whose monitor is `$MONITOR`.
pub const COMMANDS: [(&str, &str); 15] = [
    ("start", "docker start $ID"),
    ("stop", "docker stop -t 2 $ID"),
    ("restart", "docker restart -t 2 $ID"),
    ("kill", "docker kill $ID"),
    ("rm", "docker rm -f $ID"),
    ("rename", "docker rename $ID another"),
    ("update", "docker update --restart on-failure:1 $ID"),
    ("pause", "docker pause $ID"),
    ("unpause", "docker unpause $ID"),
    ("exec", "docker exec $ID true"),
    ("connect", "docker network connect other $ID"),
    ("disconnect", "docker network disconnect other $ID"),
    // The monitor goes before anybody knows.
    ("recover", "kill -9 $MONITOR 2>/dev/null; docker ps -a >/dev/null"),
    ("up", "docker compose -f app/compose.yaml up -d"),
    ("down", "docker compose -f app/compose.yaml down -t 2"),
];

/// What no command may say: it has met a state that is none of the container's.
const FAULTS: [&str; 9] = [
    "panicked",
    "caused by:",
    "WARNING: container",
    "set up container networking",
    "cannot remove /",
    "does not answer",
    "is being changed by",
    "ended unexpectedly",
    "internal error",
];

const NAME: &str = "app-web-1";
const DEADLINE: Duration = Duration::from_secs(60);
/// An `exec` that has not ended by then, when all other commands have, is taken for one that a pause caught.
const CAUGHT: Duration = Duration::from_secs(5);

/// A world with a container to fight for.
#[derive(Debug)]
pub struct Arena {
    pub env: TestEnv,
    id: String,
    rounds: u32,
}

impl Arena {
    /// A keeper, a project, another network.
    #[must_use]
    pub fn new() -> Self {
        let env = TestEnv::new();
        let keeper = ["run", "-d", "--name", "keeper", "--network", "none", "alpine", "sleep"];
        env.run(keeper.into_iter().chain(["100000"])).success();
        env.run(["network", "create", "other"]).success();
        env.write(
            "app/compose.yaml",
            "services:\n  web:\n    image: alpine\n    init: true\n    command: sleep 100000\n",
        );
        Self { env, id: String::new(), rounds: 0 }
    }

    /// The container runs under its name, in its own network alone.
    fn prepare(&mut self) {
        let format = "{{.Name}} {{.State.Status}} {{len .NetworkSettings.Networks}} \
                      {{.HostConfig.RestartPolicy.Name}}";
        let seen = match self.id.is_empty() {
            true => String::new(),
            false => self.env.run(["inspect", "--format", format, &self.id]).stdout(),
        };
        if seen.trim() == format!("/{NAME} running 1 no") {
            return;
        }
        self.env.sh("docker ps -aq --no-trunc --filter name=app-web-1 --filter name=another | xargs -r docker rm -f").success();
        self.env.sh("docker compose -f app/compose.yaml up -d").success();
        self.id = self.env.run(["ps", "-q", "--no-trunc", "--filter", "name=app-web-1"]).line();
        assert!(!self.id.is_empty(), "`compose up` has succeeded, and nothing runs");
    }

    /// Lets the commands loose; what was wrong then.
    pub fn fight(&mut self, commands: &[(&str, &str)]) -> Vec<String> {
        self.prepare();
        self.rounds += 1;
        let monitor = agreement::monitors(&self.env).remove(&self.id).unwrap_or_default();
        let monitor = monitor.first().map_or_else(|| "0x".to_owned(), ToString::to_string);
        let begin = |(_, line): &(&str, &str)| {
            let shell = self.env.program(std::path::Path::new("/bin/bash")).args(["-c", line]);
            shell.env("ID", &self.id).env("MONITOR", &monitor).deadline(DEADLINE).start()
        };
        let running: Vec<_> = commands.iter().map(|it| (it.0 == "exec", begin(it))).collect();
        let (inside, outside): (Vec<_>, Vec<_>) = running.into_iter().partition(|(is, _)| *is);
        let mut said: Vec<Output> = outside.into_iter().map(|(_, one)| one.finish()).collect();
        for (_, one) in inside {
            // What a pause caught goes on with the container, as in Docker.
            if !one.ends_within(CAUGHT) {
                drop(self.env.run(["unpause", &self.id]));
            }
            said.push(one.finish());
        }
        let mut wrong = agreement::disagreements(&self.env);
        for output in &said {
            let text = output.stderr();
            if !matches!(output.status(), 0 | 1 | 137)
                || FAULTS.iter().any(|fault| text.contains(fault))
            {
                wrong.push(output.to_string());
            }
        }
        if !wrong.is_empty() {
            // What the others said helps to understand.
            wrong.extend(said.iter().map(|output| format!("{}: {output}", output.status())));
            // The next round begins anew.
            self.id.clear();
        }
        wrong
    }

    /// Ends everything.
    pub fn end(self) {
        self.env.sh("docker ps -aq | xargs -r docker rm -f").success();
        self.env.sh("docker network prune -f").success();
        self.env.assert_nothing_left();
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

/// Every two commands, each with itself too.
pub fn pairs() -> impl Iterator<Item = [(&'static str, &'static str); 2]> {
    let at = |index: usize| COMMANDS.into_iter().skip(index);
    COMMANDS
        .into_iter()
        .enumerate()
        .flat_map(move |(index, first)| at(index).map(move |second| [first, second]))
}

/// Six commands, other ones in each round.
#[must_use]
pub fn six(round: usize) -> Vec<(&'static str, &'static str)> {
    // Steps that share no factor with their number, so that all come together in time.
    (0..6).map(|place| COMMANDS[(round * 7 + place * (1 + round % 14)) % COMMANDS.len()]).collect()
}
