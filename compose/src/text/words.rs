//! A command line cut into words, as Compose cuts `command: "…"`: quotes and backslashes as in
//! a shell; nothing is expanded; `;`, `&`, `|`, `<` and `>` outside of quotes end it.

/// The words, or nothing when quotes or brackets do not match.
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut splitter = Splitter::default();
    for c in line.chars() {
        match splitter.step(c)? {
            Step::On => {}
            Step::End => break,
        }
    }
    splitter.finish()
}

#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Quote {
    #[default]
    None,
    Single,
    Double,
    Backtick,
    /// `$(`
    Dollar,
}

enum Step {
    On,
    End,
}

#[derive(Default)]
struct Splitter {
    words: Vec<String>,
    word: String,
    /// A word has begun; an empty one in quotes too.
    begun: bool,
    quote: Quote,
    escaped: bool,
}

impl Splitter {
    fn step(&mut self, c: char) -> Option<Step> {
        if self.escaped {
            self.escaped = false;
            self.put(match c {
                't' => '\t',
                'n' => '\n',
                c => c,
            });
            return Some(Step::On);
        }
        match (c, self.quote) {
            ('\\', Quote::Single) => self.word.push(c),
            ('\\', _) => self.escaped = true,
            (' ' | '\t' | '\r' | '\n', Quote::None) => self.end_word(),
            (' ' | '\t' | '\r' | '\n', _) => self.word.push(c),
            ('\'', Quote::None | Quote::Backtick) => self.open(Quote::Single),
            ('\'', Quote::Single) => self.close(),
            ('"', Quote::None | Quote::Backtick) => self.open(Quote::Double),
            ('"', Quote::Double) => self.close(),
            ('`', Quote::None) => {
                self.quote = Quote::Backtick;
                self.put(c);
            }
            ('`', Quote::Backtick) => {
                self.quote = Quote::None;
                self.put(c);
            }
            ('(', Quote::None) if self.word.ends_with('$') => {
                self.quote = Quote::Dollar;
                self.word.push(c);
            }
            (')', Quote::Dollar) => {
                self.quote = Quote::None;
                self.put(c);
            }
            ('(', Quote::None | Quote::Dollar) | (')', Quote::None) => return None,
            (';' | '&' | '|' | '<' | '>', Quote::None) => {
                // `2>` takes its number with it.
                if c == '>' && self.word.starts_with(|c: char| c.is_ascii_digit()) {
                    self.begun = false;
                }
                return Some(Step::End);
            }
            _ => self.put(c),
        }
        Some(Step::On)
    }

    fn put(&mut self, c: char) {
        self.word.push(c);
        self.begun = true;
    }

    fn open(&mut self, quote: Quote) {
        self.quote = quote;
    }

    fn close(&mut self) {
        self.quote = Quote::None;
        self.begun = true;
    }

    fn end_word(&mut self) {
        if std::mem::take(&mut self.begun) {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn finish(mut self) -> Option<Vec<String>> {
        self.end_word();
        (self.quote == Quote::None && !self.escaped).then_some(self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn quotes_and_escapes() {
        for (line, words) in [
            ("", vec![]),
            ("a  b\tc\n", vec!["a", "b", "c"]),
            ("sh -c \"echo 'x y' && z\"", vec!["sh", "-c", "echo 'x y' && z"]),
            ("a 'b \\ c' d\\ e", vec!["a", "b \\ c", "d e"]),
            ("'' \"\"", vec!["", ""]),
            ("a; b", vec!["a"]),
            ("a 2>b", vec!["a"]),
            ("echo $(date +%s) `x y`", vec!["echo", "$(date +%s)", "`x y`"]),
            ("a\\tb", vec!["a\tb"]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn what_does_not_close() {
        for line in ["'a", "\"a", "a\\", "(a)", "a)", "`a", "$(a"] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
