//! Which boot of the machine, and which pid namespace, a pid belongs to.
//!
//! A data root outlives both: after a reboot its records name pids that are somebody else's
//! now, and two containers that share it (a cache of CI jobs) have different processes with
//! the same pid. So what a record says of processes counts only where its mark is ours.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// What separates the boot from the number of the pid namespace: no boot id has one.
const BETWEEN: char = '.';

/// This boot and this pid namespace, as one word that may name a folder.
#[must_use]
pub fn this() -> &'static str {
    static THIS: OnceLock<String> = OnceLock::new();
    THIS.get_or_init(|| {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        // `pid:[4026531836]`; it cannot be read only where no process can be told from another.
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        format!("{}{BETWEEN}{}", boot.trim(), digits(&namespace.to_string_lossy()))
    })
}

/// Whether a mark is of another boot: none of its processes lives.
#[must_use]
pub(crate) fn is_over(mark: &str) -> bool {
    let boot = |mark: &str| mark.split(BETWEEN).next().map(ToOwned::to_owned);
    boot(mark) != boot(this())
}

/// Whether a word from a record may name a folder of ours: it is neither a path nor empty.
#[must_use]
pub(crate) fn is_mark(word: &str) -> bool {
    word.contains(BETWEEN)
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == BETWEEN)
        && Path::new(word).components().count() == 1
        && !word.starts_with(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_boot_is_a_mark_and_not_over() {
        assert!(is_mark(this()), "{}", this());
        assert!(!is_over(this()));
        let elsewhere = format!("{}{BETWEEN}1", this().split(BETWEEN).next().unwrap());
        assert!(!is_over(&elsewhere) && elsewhere != this());
        assert!(is_over("0c0ffee0-0000-4000-8000-000000000000.4026531836") && is_over(""));
    }

    #[test]
    fn a_path_is_no_mark() {
        for word in ["", ".", "..", "../x.1", "a/b.1", "a.1/..", ".1", "run"] {
            assert!(!is_mark(word), "{word}");
        }
    }
}
