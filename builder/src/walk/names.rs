//! What steps are called: `[build 2/3] RUN make`.

use coracle_image::Platform;

use super::env::Env;
use super::state::{State, Step};
use crate::instruction::Kind;

/// How many steps a stage has, and how many got their name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    pub(super) total: usize,
    named: usize,
}

impl State {
    /// Counts what will have a name: its image, and instructions that add a layer.
    pub(super) fn count_steps(&mut self) {
        let adds = |step: &&Step| {
            matches!(
                step.instruction.kind,
                Kind::Add(_) | Kind::Copy(_) | Kind::Run(_) | Kind::Workdir(_)
            )
        };
        let has_image = self.base_name != "scratch" && self.base.is_none();
        let own = self.steps.iter().filter(adds).count();
        self.numbers.total = if self.is_context { 0 } else { own + usize::from(has_image) };
    }

    /// The name of the next step. `platform` is that of the step where names say theirs.
    pub(super) fn name_step(&mut self, text: &str, platform: Option<&str>) -> String {
        let total = self.numbers.total;
        if total == 0 {
            return text.to_owned();
        }
        self.numbers.named += 1;
        let mut before = String::new();
        for part in [platform.unwrap_or_default(), &self.title] {
            if !part.is_empty() {
                before.push_str(part);
                before.push(' ');
            }
        }
        let width = total.to_string().len();
        format!("[{before}{:width$}/{total}] {text}", self.numbers.named)
    }
}

/// The first word, up to a blank, in large letters.
pub(super) fn with_large_name(text: &str) -> String {
    match text.split_once(' ') {
        Some((name, rest)) => format!("{} {rest}", name.to_uppercase()),
        None => text.to_uppercase(),
    }
}

/// The first line of a heredoc.
pub(super) fn summary(body: &str) -> String {
    let body = body.trim();
    match body.split_once('\n') {
        Some((first, _)) => format!("{}...", first.strip_suffix('\r').unwrap_or(first)),
        None => body.to_owned(),
    }
}

/// A platform, and the one that is built for where variables tell another: `linux/amd64->arm64`.
pub(super) fn platform(platform: &Platform, env: &Env) -> String {
    let Some(target) = wanted(platform, env) else { return platform.to_string() };
    if target.os != platform.os {
        return format!("{platform}->{target}");
    }
    if target.architecture == platform.architecture {
        return platform.to_string();
    }
    match target.variant.as_str() {
        "" => format!("{platform}->{}", target.architecture),
        variant => format!("{platform}->{}/{variant}", target.architecture),
    }
}

fn wanted(platform: &Platform, env: &Env) -> Option<Platform> {
    if let Some(whole) = env.get("TARGETPLATFORM").and_then(|text| text.parse().ok()) {
        return Some(whole);
    }
    let parts = ["TARGETOS", "TARGETARCH", "TARGETVARIANT"].map(|name| env.get(name));
    if parts.iter().all(Option::is_none) {
        return None;
    }
    let [os, architecture, variant] = parts.map(Option::unwrap_or_default);
    let or = |text: String, other: &String| if text.is_empty() { other.clone() } else { text };
    Some(Platform::new(&or(os, &platform.os), &or(architecture, &platform.architecture), &variant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_same_room() {
        let mut state = State { title: "build".to_owned(), ..State::default() };
        assert_eq!(state.name_step("FROM a", None), "FROM a", "something to copy from");
        state.numbers.total = 10;
        assert_eq!(state.name_step("RUN x", None), "[build  1/10] RUN x");
        assert_eq!(
            state.name_step("RUN y", Some("linux/arm64")),
            "[linux/arm64 build  2/10] RUN y"
        );
        state.title.clear();
        assert_eq!(state.name_step("RUN z", None), "[ 3/10] RUN z");
        assert_eq!(with_large_name("run  x y"), "RUN  x y");
        assert_eq!(summary("\n a\r\nb\n"), "a...");
    }

    #[test]
    fn the_platform_that_is_built_for() {
        let host = Platform::new("linux", "amd64", "");
        let mut env = Env::default();
        assert_eq!(platform(&host, &env), "linux/amd64");
        env.set("TARGETARCH", "arm64");
        assert_eq!(platform(&host, &env), "linux/amd64->arm64");
        env.set("TARGETPLATFORM", "linux/arm/v6");
        assert_eq!(platform(&host, &env), "linux/amd64->arm/v6");
    }
}
