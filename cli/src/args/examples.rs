//! Examples of each command, for its man page: `examples.txt`, as `COMMAND: WORDS`.

use super::table::Table;

const TEXT: &str = include_str!("examples.txt");

/// Command lines without the program's name, of the command under any of its names.
pub(crate) fn examples(table: &Table, path: &str) -> Vec<String> {
    // The program's own page has those of its first command.
    let wanted = match (path, table.by_name(path)) {
        ("", _) => "run",
        (_, Some(spec)) => spec.names[0],
        (group, None) => group,
    };
    let lines = TEXT.lines().filter_map(|line| line.split_once(": "));
    let own = lines.filter(|(name, _)| *name == wanted);
    let called = if path.is_empty() { wanted } else { path };
    own.map(|(name, words)| words.replacen(name, called, 1)).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::{Parsed, parse};
    use super::{TEXT, examples};
    use crate::commands::table::TABLE;

    #[test]
    fn every_command_has_an_example_that_parses() {
        for spec in TABLE.commands().filter(|spec| spec.is_listed()) {
            for name in spec.names {
                let all = examples(&TABLE, name);
                assert!(!all.is_empty(), "{name} has no example");
                for line in all {
                    assert!(line.starts_with(name), "{name}: {line}");
                    let words = line.split(' ').map(OsString::from).collect();
                    assert!(
                        matches!(parse("coracle", &TABLE, words), Ok(Parsed::Run(_))),
                        "{line}"
                    );
                }
            }
        }
        for group in TABLE.sections.iter().map(|section| section.name) {
            assert!(!examples(&TABLE, group).is_empty(), "{group} has no example");
        }
        let known = |name| TABLE.commands().any(|spec| spec.names[0] == name);
        let groups: Vec<_> = TABLE.sections.iter().map(|section| section.name).collect();
        for line in TEXT.lines() {
            let (name, _) = line.split_once(": ").unwrap();
            assert!(known(name) || groups.contains(&name), "{line}");
        }
    }
}
