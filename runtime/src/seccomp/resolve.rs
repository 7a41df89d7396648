//! Which rules of a profile count for a container, call by call.

use super::abi::{ARM_PRIVATE, Abi};
use super::rules::{Action, Condition, Profile, Requirements, Rule};
use super::{Arch, Target};

/// The rules for one interface.
pub(super) struct Resolved<'p> {
    pub(super) abi: Abi,
    /// Ascending, each number once.
    pub(super) calls: Vec<Call<'p>>,
    /// Numbers above this are unknown to the profile, and answered as unknown calls.
    pub(super) newest: Option<u32>,
}

/// The verdict on one system call.
pub(super) struct Call<'p> {
    pub(super) number: u32,
    /// Asked in order: all conditions of an entry must hold.
    pub(super) conditional: Vec<(&'p [Condition], Action)>,
    pub(super) otherwise: Action,
}

impl Requirements {
    fn ask_nothing(&self) -> bool {
        self.caps.is_empty() && self.arches.is_empty() && self.min_kernel.is_none()
    }

    fn has_arch(&self, arch: Arch) -> bool {
        self.arches.iter().any(|name| name == arch.go_name())
    }
}

impl Rule {
    /// Docker's reading: every listed inclusion must hold, any listed exclusion suffices.
    fn counts(&self, target: &Target<'_>) -> bool {
        let (includes, excludes) = (&self.includes, &self.excludes);
        let excluded = !excludes.ask_nothing()
            && (excludes.has_arch(target.arch)
                || excludes.caps.iter().any(|cap| (target.has_cap)(cap))
                || excludes.min_kernel.is_some_and(|kernel| target.kernel >= kernel));
        let included = (includes.arches.is_empty() || includes.has_arch(target.arch))
            && includes.caps.iter().all(|cap| (target.has_cap)(cap))
            && includes.min_kernel.is_none_or(|kernel| target.kernel >= kernel);
        included && !excluded
    }
}

impl Profile {
    /// The profile's rules for each interface of the machine that it covers.
    pub(super) fn resolve(&self, target: &Target<'_>) -> Vec<Resolved<'_>> {
        let native = target.arch.abi();
        let rules: Vec<&Rule> = self.rules.iter().filter(|rule| rule.counts(target)).collect();
        let others = self
            .coverage
            .iter()
            .find(|coverage| coverage.native == native)
            .map(|coverage| coverage.others.as_ref())
            .unwrap_or_default();
        let mut abis = vec![native];
        for &other in others {
            if target.arch.has(other) && !abis.contains(&other) {
                abis.push(other);
            }
        }
        abis.into_iter().map(|abi| self.resolve_abi(abi, &rules)).collect()
    }

    fn resolve_abi<'p>(&self, abi: Abi, rules: &[&'p Rule]) -> Resolved<'p> {
        let mut entries: Vec<(u32, &'p Rule)> = Vec::new();
        for &rule in rules {
            entries.extend(rule.numbers[abi.index()].iter().map(|&number| (number, rule)));
        }
        // Stable: rules of one call stay in the profile's order.
        entries.sort_by_key(|&(number, _)| number);
        let newest = entries
            .iter()
            .rev()
            .map(|&(number, _)| number)
            .find(|&number| abi != Abi::Arm || number < ARM_PRIVATE)
            .filter(|_| !self.default.is_permissive());
        let calls = entries
            .chunk_by(|(left, _), (right, _)| left == right)
            .map(|same| self.call(same))
            .collect();
        Resolved { abi, calls, newest }
    }

    fn call<'p>(&self, rules: &[(u32, &'p Rule)]) -> Call<'p> {
        let mut conditional = Vec::new();
        let mut otherwise = None;
        for &(_, rule) in rules {
            if rule.action == self.default {
                // It says nothing new, and must not shadow what another rule says.
                continue;
            }
            let conditions = rule.conditions.as_ref();
            if conditions.is_empty() {
                otherwise = otherwise.or(Some(rule.action));
            } else if repeats_an_index(conditions) {
                // Such rules are alternatives: one argument cannot have two values.
                conditional.extend(conditions.chunks(1).map(|one| (one, rule.action)));
            } else {
                conditional.push((conditions, rule.action));
            }
        }
        let number = rules.first().map(|&(number, _)| number).unwrap_or_default();
        Call { number, conditional, otherwise: otherwise.unwrap_or(self.default) }
    }
}

fn repeats_an_index(conditions: &[Condition]) -> bool {
    conditions.iter().enumerate().any(|(position, condition)| {
        conditions.iter().skip(position + 1).any(|later| later.index == condition.index)
    })
}
