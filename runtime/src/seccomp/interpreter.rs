//! Runs classic BPF as the kernel would: the tests' witness for what a program does.

use super::Instruction;

/// What the kernel shows a filter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    pub(super) number: u32,
    pub(super) arch: u32,
    pub(super) arguments: [u64; 6],
}

impl Data {
    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.number,
            4 => self.arch,
            16.. => {
                let argument = self.arguments[usize::try_from((offset - 16) / 8).unwrap()];
                let shift = if (offset - 16) % 8 == 4 { 32 } else { 0 };
                u32::try_from((argument >> shift) & 0xffff_ffff).unwrap()
            }
            _ => panic!("word at {offset}"),
        }
    }
}

/// The program's verdict; panics where the kernel would refuse the program.
pub(super) fn run(program: &[Instruction], data: &Data) -> u32 {
    let mut word = 0;
    let mut at = 0;
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let mut branch = |taken: bool| at += usize::from(if taken { jt } else { jf });
        match code {
            0x20 => word = data.word(k),
            0x54 => word &= k,
            0x05 => at += usize::try_from(k).unwrap(),
            0x15 => branch(word == k),
            0x25 => branch(word > k),
            0x35 => branch(word >= k),
            0x06 => return k,
            _ => panic!("instruction {code:#x}"),
        }
    }
}
