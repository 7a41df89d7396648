//! Which stage takes from which.

use super::Walk;
use super::state::{Source, State, Step};
use crate::instruction::{Instruction, Kind, mount};
use crate::limits::SOURCES_MAX;
use crate::similar::{did_you_mean, similar};
use crate::source::{Fault, Span};

impl Walk<'_> {
    /// Adds a state, which may begin with a stage before it.
    pub(super) fn add(&mut self, mut state: State) -> usize {
        if !state.is_context {
            state.base = self.exactly(&state.base_name);
        }
        let at = self.states.len();
        if let Some(name) = &state.name {
            self.names.insert(name.clone(), at);
        }
        self.states.push(state);
        at
    }

    /// The last one of this name.
    fn exactly(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.exactly(&name.to_lowercase())
    }

    pub(super) fn target(&self) -> Result<usize, Fault> {
        let Some(target) = self.request.target.as_deref() else {
            return Ok(self.states.len() - 1);
        };
        self.named(target).ok_or_else(|| {
            let near = similar(target, self.states.iter().map(|state| state.title.as_str()));
            let why = format!("target stage {target:?} could not be found");
            Fault::new(did_you_mean(why, near))
        })
    }

    /// Finds out what every instruction takes from.
    pub(super) fn link(&mut self) -> Result<(), Fault> {
        for at in 0..self.states.len() {
            for step in std::mem::take(&mut self.states[at].steps) {
                let step = self.step(step.instruction)?;
                self.need(at, &step);
                self.states[at].steps.push(step);
                if self.states.len() > SOURCES_MAX {
                    let why = "a build takes from more than";
                    return Err(Fault::new(format!("{why} {SOURCES_MAX} stages and images")));
                }
            }
        }
        Ok(())
    }

    pub(super) fn need(&mut self, at: usize, step: &Step) {
        let span = step.instruction.span;
        let needs = step.sources.iter().map(|source| (source.state, span));
        self.states[at].needs.extend(needs);
    }

    pub(super) fn step(&mut self, instruction: Instruction) -> Result<Step, Fault> {
        let span = instruction.span;
        let mut sources = Vec::new();
        match &instruction.kind {
            Kind::Copy(copy) => {
                if let Some(from) = &copy.from {
                    sources
                        .push(Source { state: self.copied_from(from, span)?, name: from.clone() });
                }
            }
            Kind::Run(run) => {
                for mount in &run.mounts {
                    let name = mount::from(mount).unwrap_or_default();
                    let state = match name.as_str() {
                        "" => self.nothing(),
                        name => self.named(name).unwrap_or_else(|| self.image(name, Span::line(0))),
                    };
                    sources.push(Source { state, name });
                }
            }
            _ => {}
        }
        Ok(Step { instruction, is_trigger: false, sources })
    }

    /// A stage by its name or number, or an image.
    fn copied_from(&mut self, from: &str, span: Span) -> Result<usize, Fault> {
        let (expanded, result) = self.expander.text(from, crate::expand::NOTHING);
        result.map_err(Fault::new)?;
        if expanded.text != from {
            return Err(Fault::new(
                "variable expansion is not supported for --from, define a new stage with FROM \
                 using ARG from global scope as a workaround",
            ));
        }
        if let Ok(number) = from.parse::<i64>() {
            let state = usize::try_from(number).ok().filter(|state| *state < self.states.len());
            return state.ok_or_else(|| Fault::new(format!("invalid stage index {number}")));
        }
        Ok(self.named(from).unwrap_or_else(|| self.image(from, span)))
    }

    fn image(&mut self, name: &str, span: Span) -> usize {
        self.add(State { base_name: name.to_owned(), span, ..State::default() })
    }

    /// What a mount takes from that names nothing: BuildKit counts it, and calls a single stage by its number then.
    fn nothing(&mut self) -> usize {
        if let Some(stage) = self.named("scratch") {
            return stage;
        }
        let state = self.nothing.unwrap_or_else(|| self.image("scratch", Span::line(0)));
        self.nothing = Some(state);
        state
    }

    /// A stage may not need itself, by whatever way.
    pub(super) fn refuse_circles(&self) -> Result<(), Fault> {
        let mut visited = vec![false; self.states.len()];
        for (at, state) in self.states.iter().enumerate() {
            if let Some(spans) = self.circle(&mut visited, at) {
                let why = format!("circular dependency detected on stage: {}", state.title);
                return Err(Fault { message: why, at: spans });
            }
        }
        Ok(())
    }

    /// Looks for a way from a stage back to where the way came by: the instructions on it.
    fn circle(&self, visited: &mut [bool], from: usize) -> Option<Vec<Span>> {
        if std::mem::replace(&mut visited[from], true) || self.states[from].needs.is_empty() {
            return None;
        }
        let mut on_way = vec![false; self.states.len()];
        on_way[from] = true;
        // Stages on the way, with the next need of each to look at.
        let mut way = vec![(from, 0)];
        let mut spans = Vec::new();
        while let Some((at, next)) = way.last_mut() {
            let Some((other, span)) = self.states[*at].needs.get(*next) else {
                on_way[*at] = false;
                way.pop();
                spans.pop();
                continue;
            };
            *next += 1;
            if on_way[*other] {
                spans.push(*span);
                return Some(spans);
            }
            if !std::mem::replace(&mut visited[*other], true) {
                spans.push(*span);
                on_way[*other] = true;
                way.push((*other, 0));
            }
        }
        None
    }

    /// What the target needs, by whatever way.
    pub(super) fn reachable(&self, target: usize) -> Vec<bool> {
        let mut reachable = vec![false; self.states.len()];
        let mut open = vec![target];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut reachable[at], true) {
                continue;
            }
            let state = &self.states[at];
            open.extend(state.base);
            open.extend(state.needs.iter().map(|(other, _)| *other));
        }
        reachable
    }

    /// Nothing can be taken from a stage that comes later.
    pub(super) fn refuse_later_sources(&self, at: usize, step: &Step) -> Result<(), Fault> {
        let mut named = step.sources.iter().filter(|source| !source.name.is_empty());
        let Some(source) = named.find(|source| !self.states[source.state].is_done) else {
            return Ok(());
        };
        let name = &source.name;
        let title = &self.states[at].title;
        Err(Fault::new(match step.instruction.kind {
            Kind::Copy(_) => format!(
                "cannot copy from stage {name:?}, it needs to be defined before current stage {title:?}"
            ),
            _ => format!(
                "cannot mount from stage {name:?}, stage needs to be defined before current command"
            ),
        }))
    }
}
