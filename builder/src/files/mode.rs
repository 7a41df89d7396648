//! `--chmod`: octal, or as chmod(1) takes it.

/// Bits of a mode that are not its type.
const ALL: u32 = 0o7777;
/// Bits that a new folder has not.
const MASK: u32 = 0o022;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModeChange {
    /// Whatever it was.
    Octal(u32),
    Symbolic(Vec<Action>),
}

/// `u+x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Bits of those it is about: 0o700, 0o070, 0o007.
    who: u32,
    operator: char,
    /// As for all, 0o111 times the bits of one.
    bits: u32,
    /// `X`: execution, for what is a folder or may be executed by somebody already.
    if_executable: bool,
    set_id: bool,
    sticky: bool,
    /// Taken from user, group or others: how far their bits are to the left.
    copies: Option<u32>,
}

impl ModeChange {
    /// None: it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(mode) = u32::from_str_radix(text, 8) {
            return (mode <= ALL).then_some(Self::Octal(mode));
        }
        let mut actions = Vec::new();
        for clause in text.split(',') {
            let operators = clause.trim_start_matches(['u', 'g', 'o', 'a']);
            let who = match &clause[..clause.len() - operators.len()] {
                "" => 0o777,
                who => who.chars().fold(0, |who, c| {
                    who | match c {
                        'u' => 0o700,
                        'g' => 0o070,
                        'o' => 0o007,
                        _ => 0o777,
                    }
                }),
            };
            if !operators.starts_with(['+', '-', '=']) {
                return None;
            }
            for c in operators.chars() {
                if matches!(c, '+' | '-' | '=') {
                    actions.push(Action::new(who, c));
                } else {
                    actions.last_mut()?.add(c)?;
                }
            }
        }
        Some(Self::Symbolic(actions))
    }

    /// The mode of what had `mode`.
    #[must_use]
    pub fn apply(&self, mode: u32, is_folder: bool) -> u32 {
        match self {
            Self::Octal(mode) => *mode,
            Self::Symbolic(actions) => {
                let before = mode & ALL;
                actions.iter().fold(before, |mode, one| one.apply(mode, before, is_folder))
            }
        }
    }

    /// Folders that are made on the way have the octal one too, as far as the mask of `BuildKit` lets it.
    pub(super) fn of_new_folders(change: Option<&Self>) -> u32 {
        match change {
            Some(Self::Octal(mode)) => mode & 0o777 & !MASK,
            _ => 0o755,
        }
    }
}

impl Action {
    fn new(who: u32, operator: char) -> Self {
        Self {
            who,
            operator,
            bits: 0,
            if_executable: false,
            set_id: false,
            sticky: false,
            copies: None,
        }
    }

    fn add(&mut self, c: char) -> Option<()> {
        match c {
            'r' => self.bits |= 0o444,
            'w' => self.bits |= 0o222,
            'x' => self.bits |= 0o111,
            'X' => self.if_executable = true,
            's' => self.set_id = true,
            't' => self.sticky = true,
            'u' => self.copies = Some(6),
            'g' => self.copies = Some(3),
            'o' => self.copies = Some(0),
            _ => return None,
        }
        Some(())
    }

    fn apply(&self, mode: u32, before: u32, is_folder: bool) -> u32 {
        let mut bits = self.bits;
        if self.if_executable && (is_folder || before & 0o111 != 0) {
            bits |= 0o111;
        }
        if let Some(shift) = self.copies {
            bits |= (mode >> shift & 0o7) * 0o111;
        }
        bits &= self.who;
        let special = (u32::from(self.who & 0o700 != 0) * 0o4000)
            | (u32::from(self.who & 0o070 != 0) * 0o2000);
        if self.set_id {
            bits |= special;
        }
        if self.sticky {
            bits |= 0o1000;
        }
        match self.operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => {
                let sticky = if self.who == 0o777 { 0o1000 } else { 0 };
                mode & !(self.who | special | sticky) | bits
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ModeChange;

    #[test]
    fn changes() {
        for (change, mode, is_folder, wanted) in [
            ("600", 0o644, false, 0o600),
            ("4755", 0o644, false, 0o4755),
            ("u+x", 0o644, false, 0o744),
            ("go-r,u=rwx", 0o644, false, 0o700),
            ("go-r,u=rwx", 0o755, true, 0o711),
            ("a=rX", 0o755, true, 0o555),
            ("a=rX", 0o644, false, 0o444),
            ("+x", 0o644, false, 0o755),
            ("u=rw,go=", 0o755, false, 0o600),
            ("a+X", 0o755, false, 0o755),
            ("a+X", 0o644, false, 0o644),
            ("u+s,g+s,+t", 0o755, true, 0o7755),
            ("g=u", 0o640, false, 0o660),
            ("u-w+x", 0o640, false, 0o540),
        ] {
            let parsed = ModeChange::parse(change).unwrap();
            assert_eq!(parsed.apply(mode, is_folder), wanted, "{change} {mode:o}");
        }
        for (change, wanted) in
            [("777", 0o755), ("775", 0o755), ("2750", 0o750), ("640", 0o640), ("a+w", 0o755)]
        {
            let parsed = ModeChange::parse(change);
            assert_eq!(ModeChange::of_new_folders(parsed.as_ref()), wanted, "{change}");
        }
        for bad in ["999", "10000", "x", "u", "u+q", ""] {
            assert_eq!(ModeChange::parse(bad), None, "{bad}");
        }
    }
}
