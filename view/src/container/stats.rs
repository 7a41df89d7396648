//! What containers use now.

use coracle_runtime::processes::stats::{Sample, Target, sample};

use super::find::Known;

/// A container and what it uses, unless it does not run.
#[derive(Debug)]
pub struct Reading {
    /// As whoever asked named it.
    pub named: String,
    pub known: Known,
    pub sample: Option<Sample>,
}

impl Reading {
    /// The share of a processor it has used since it was read before, in percent.
    #[must_use]
    pub fn cpu_percent(&self, before: &[Self]) -> Option<f64> {
        let mine = |one: &&Self| one.known.container.id == self.known.container.id;
        let earlier = before.iter().find(mine).and_then(|one| one.sample.as_ref());
        self.sample.as_ref().zip(earlier).and_then(|(now, earlier)| now.cpu_percent(earlier))
    }
}

/// Reads what a container uses; `named` is what it is called.
#[must_use]
pub fn read(named: String, known: Known) -> Reading {
    let init = known.life.init.filter(|_| known.state.status.is_running());
    // In another pid namespace its pid is somebody else's, or nobody's.
    let visible = |pid| known.life.is_of_here().then_some(pid);
    let target = |pid| Target { cgroup: known.life.cgroup.as_deref(), init: visible(pid) };
    let sample = init.map(|init| sample(&target(init.pid)));
    Reading { named, known, sample }
}
