//! Writes classic BPF from its end: every jump then goes to code already written.
//!
//! A conditional jump reaches 255 instructions. Where a target is farther, a copy
//! of it (a verdict) or an unconditional jump to it is put in between.

use super::Instruction;
use super::rules::Action;

/// `ld [k]`: a word of the call's data.
const LOAD: u16 = 0x20;
/// `and #k`.
const AND: u16 = 0x54;
/// `ret #k`.
const RETURN: u16 = 0x06;
/// `ja k`.
const JUMP: u16 = 0x05;

/// How far a conditional jump reaches.
const REACH: usize = 255;

/// A comparison of the loaded word with a constant.
#[derive(Debug, Clone, Copy)]
#[repr(u16)]
pub(super) enum Test {
    Equal = 0x15,
    Greater = 0x25,
    GreaterOrEqual = 0x35,
}

/// A place in the program: its distance from the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Label(usize);

/// A program under construction.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// Last instruction first.
    reversed: Vec<Instruction>,
}

impl Assembler {
    fn push(&mut self, code: u16, jt: u8, jf: u8, k: u32) -> Label {
        self.reversed.push(Instruction { code, jt, jf, k });
        Label(self.reversed.len() - 1)
    }

    /// Instructions between the next one written and `target`.
    fn distance(&self, target: Label) -> usize {
        self.reversed.len() - target.0 - 1
    }

    /// Loads the word at `offset`, then goes on at `next`.
    pub(super) fn load(&mut self, offset: u32, next: Label) -> Label {
        self.fall_into(next);
        self.push(LOAD, 0, 0, offset)
    }

    /// Masks the loaded word, then goes on at `next`.
    pub(super) fn and(&mut self, mask: u32, next: Label) -> Label {
        self.fall_into(next);
        self.push(AND, 0, 0, mask)
    }

    /// Ends with `action`.
    pub(super) fn verdict(&mut self, action: Action) -> Label {
        // Half the reach leaves the jump that comes room for what is written before it.
        let recent = self.reversed.iter().rev().take(REACH / 2);
        let found = recent.clone().position(|known| known.code == RETURN && known.k == action.0);
        match found {
            Some(back) => Label(self.reversed.len() - 1 - back),
            None => self.push(RETURN, 0, 0, action.0),
        }
    }

    /// Compares the loaded word with `k` and goes on at `yes` or `no`.
    pub(super) fn branch(&mut self, test: Test, k: u32, yes: Label, no: Label) -> Label {
        // Each bridge moves the other target one farther, so both are asked with one to spare.
        let yes = self.bring_near(yes);
        let no = self.bring_near(no);
        let offset = |target| u8::try_from(self.distance(target)).expect("brought near");
        let (jt, jf) = (offset(yes), offset(no));
        self.push(test as u16, jt, jf, k)
    }

    fn bring_near(&mut self, target: Label) -> Label {
        if self.distance(target) < REACH {
            return target;
        }
        match self.reversed.get(target.0) {
            Some(&Instruction { code: RETURN, k, .. }) => self.push(RETURN, 0, 0, k),
            _ => self.jump(target),
        }
    }

    fn jump(&mut self, target: Label) -> Label {
        let distance = u32::try_from(self.distance(target)).expect("programs are short");
        self.push(JUMP, 0, 0, distance)
    }

    fn fall_into(&mut self, next: Label) {
        if self.distance(next) > 0 {
            self.jump(next);
        }
    }

    /// The program, first instruction first; `start` must be the last one written.
    pub(super) fn finish(mut self, start: Label) -> Vec<Instruction> {
        self.fall_into(start);
        self.reversed.reverse();
        self.reversed
    }
}
