//! From resolved rules to a program.

use super::abi::{Abi, X32_BIT};
use super::assemble::{Assembler, Label, Test};
use super::resolve::{Call, Resolved};
use super::rules::{Action, Condition, Op, Profile, Seen};
use super::{Filter, ProfileError, Target};

/// Offsets in `struct seccomp_data`.
const NUMBER_AT: u32 = 0;
const ARCH_AT: u32 = 4;
const ARGUMENTS_AT: u32 = 16;
const ARGUMENT_SIZE: u32 = 8;

/// The kernel's limit on a filter's length (BPF_MAXINSNS).
const INSTRUCTIONS_MAX: usize = 4096;

impl Profile {
    /// The program that applies this profile to a container.
    ///
    /// # Errors
    /// When the program would be longer than the kernel takes.
    pub fn compile(&self, target: &Target<'_>) -> Result<Filter, ProfileError> {
        let resolved = self.resolve(target);
        let mut program = Assembler::default();
        let mut next = program.verdict(Action::KILL_PROCESS);
        // Written from the end, so the machine's own interface is asked first.
        for one in resolved.iter().rev().filter(|one| one.abi != Abi::X32) {
            let mut number = self.search(&mut program, one);
            if one.abi == Abi::X86_64 {
                let x32 = match resolved.iter().find(|other| other.abi == Abi::X32) {
                    Some(other) => self.search(&mut program, other),
                    None => program.verdict(Action::KILL_PROCESS),
                };
                number = program.branch(Test::GreaterOrEqual, X32_BIT, x32, number);
            }
            let entry = program.load(NUMBER_AT, number);
            next = program.branch(Test::Equal, one.abi.audit_arch(), entry, next);
        }
        let start = program.load(ARCH_AT, next);
        let instructions = program.finish(start);
        if instructions.len() > INSTRUCTIONS_MAX {
            let length = instructions.len();
            return Err(ProfileError::TooLong { length, max: INSTRUCTIONS_MAX });
        }
        Ok(Filter { instructions })
    }

    /// Finds the loaded number among the calls of an interface.
    fn search(&self, program: &mut Assembler, resolved: &Resolved<'_>) -> Label {
        let ranges = self.ranges(resolved);
        // The argument checks first: the search that is written before them jumps there.
        let targets: Vec<(u32, Place)> = ranges
            .into_iter()
            .map(|(start, outcome)| match outcome {
                Outcome::Verdict(action) => (start, Place::Verdict(action)),
                Outcome::Arguments(call) => {
                    (start, Place::Written(arguments(program, resolved.abi, call)))
                }
            })
            .collect();
        tree(program, &targets)
    }

    /// Divides all numbers into ranges of one outcome each, by their first number.
    fn ranges<'r, 'p>(&self, resolved: &'r Resolved<'p>) -> Vec<(u32, Outcome<'r, 'p>)> {
        let mut ranges = vec![(0, Outcome::Verdict(self.default))];
        for call in &resolved.calls {
            let outcome = if call.conditional.is_empty() {
                Outcome::Verdict(call.otherwise)
            } else {
                Outcome::Arguments(call)
            };
            put(&mut ranges, call.number, outcome);
            if call.number < u32::MAX {
                let after = match resolved.newest {
                    Some(newest) if call.number >= newest => Action::NO_SUCH_CALL,
                    _ => self.default,
                };
                put(&mut ranges, call.number + 1, Outcome::Verdict(after));
            }
        }
        ranges
    }
}

/// What a range of numbers leads to.
#[derive(Clone, Copy)]
enum Outcome<'r, 'p> {
    Verdict(Action),
    Arguments(&'r Call<'p>),
}

/// Where a range's outcome is in the program.
#[derive(Clone, Copy)]
enum Place {
    /// Wherever it is needed.
    Verdict(Action),
    Written(Label),
}

impl Outcome<'_, '_> {
    fn is_verdict(self, wanted: Action) -> bool {
        matches!(self, Self::Verdict(action) if action == wanted)
    }
}

/// Begins a range at `start`; ranges of one verdict become one.
fn put<'r, 'p>(ranges: &mut Vec<(u32, Outcome<'r, 'p>)>, start: u32, outcome: Outcome<'r, 'p>) {
    if ranges.last().is_some_and(|&(last, _)| last == start) {
        ranges.pop();
    }
    let joins = match (outcome, ranges.last()) {
        (Outcome::Verdict(action), Some(&(_, before))) => before.is_verdict(action),
        _ => false,
    };
    if !joins {
        ranges.push((start, outcome));
    }
}

fn tree(program: &mut Assembler, ranges: &[(u32, Place)]) -> Label {
    match ranges {
        [] => program.verdict(Action::KILL_PROCESS),
        [(_, Place::Written(label))] => *label,
        [(_, Place::Verdict(action))] => program.verdict(*action),
        _ => {
            let (low, high) = ranges.split_at(ranges.len() / 2);
            let start = high.first().map(|&(start, _)| start).unwrap_or_default();
            let high = tree(program, high);
            let low = tree(program, low);
            program.branch(Test::GreaterOrEqual, start, high, low)
        }
    }
}

/// Asks the rules of a call one after the other.
fn arguments(program: &mut Assembler, abi: Abi, call: &Call<'_>) -> Label {
    let mut fail = program.verdict(call.otherwise);
    for (conditions, action) in call.conditional.iter().rev() {
        let mut pass = program.verdict(*action);
        for condition in conditions.iter().rev() {
            pass = match condition.seen(abi) {
                Seen::Always(true) => pass,
                Seen::Always(false) => fail,
                Seen::Bits(u64::MAX, condition) => compare(program, &condition, pass, fail),
                Seen::Bits(bits, condition) => {
                    compare_low(program, words(bits).0, &condition, pass, fail)
                }
            };
        }
        fail = pass;
    }
    fail
}

/// Compares a whole argument: the high word decides unless it is equal.
fn compare(program: &mut Assembler, condition: &Condition, pass: Label, fail: Label) -> Label {
    let offset = ARGUMENTS_AT + ARGUMENT_SIZE * u32::from(condition.index);
    let (low, high) = words(condition.value);
    let (pass, fail, test) = match condition.op {
        Op::Equal => return equal(program, offset, (low, high), None, pass, fail),
        Op::NotEqual => return equal(program, offset, (low, high), None, fail, pass),
        Op::MaskedEqual => {
            let wanted = words(condition.value_two);
            return equal(program, offset, wanted, Some((low, high)), pass, fail);
        }
        Op::Greater => (pass, fail, Test::Greater),
        Op::GreaterOrEqual => (pass, fail, Test::GreaterOrEqual),
        Op::LessOrEqual => (fail, pass, Test::Greater),
        Op::Less => (fail, pass, Test::GreaterOrEqual),
    };
    let low = program.branch(test, low, pass, fail);
    let low = program.load(offset, low);
    let same = program.branch(Test::Equal, high, low, fail);
    let above = program.branch(Test::Greater, high, pass, same);
    program.load(offset + 4, above)
}

/// Compares those bits of the low word alone: the kernel does not read the others.
fn compare_low(
    program: &mut Assembler,
    bits: u32,
    condition: &Condition,
    pass: Label,
    fail: Label,
) -> Label {
    let (value, value_two) = (words(condition.value).0, words(condition.value_two).0);
    let branch = match condition.op {
        Op::Equal => program.branch(Test::Equal, value, pass, fail),
        Op::NotEqual => program.branch(Test::Equal, value, fail, pass),
        Op::MaskedEqual => program.branch(Test::Equal, value_two, pass, fail),
        Op::Greater => program.branch(Test::Greater, value, pass, fail),
        Op::GreaterOrEqual => program.branch(Test::GreaterOrEqual, value, pass, fail),
        Op::LessOrEqual => program.branch(Test::Greater, value, fail, pass),
        Op::Less => program.branch(Test::GreaterOrEqual, value, fail, pass),
    };
    let mask = if condition.op == Op::MaskedEqual { value } else { bits };
    let masked = if mask == u32::MAX { branch } else { program.and(mask, branch) };
    program.load(ARGUMENTS_AT + ARGUMENT_SIZE * u32::from(condition.index), masked)
}

fn equal(
    program: &mut Assembler,
    offset: u32,
    wanted: (u32, u32),
    mask: Option<(u32, u32)>,
    pass: Label,
    fail: Label,
) -> Label {
    let mut low = program.branch(Test::Equal, wanted.0, pass, fail);
    if let Some((mask, _)) = mask {
        low = program.and(mask, low);
    }
    let low = program.load(offset, low);
    let mut high = program.branch(Test::Equal, wanted.1, low, fail);
    if let Some((_, mask)) = mask {
        high = program.and(mask, high);
    }
    program.load(offset + 4, high)
}

/// The low and the high word; both machines store the low one first.
fn words(value: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}
