//! Which word is wanted, without a home to ask.

use super::kinds::{Kind, Which, of_argument, of_flag};
use super::typed::{Typed, Wanted, read};
use crate::commands::table::TABLE;

fn typed(line: &str) -> Typed {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    read(&TABLE, &words)
}

/// The kind of the last word of a line.
fn kind(line: &str) -> Kind {
    let typed = typed(line);
    match &typed.wanted {
        Wanted::Value { command, flag } => of_flag(command, flag),
        Wanted::Argument { command, given } => of_argument(command, given.len(), &typed),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn flags_and_their_values_are_told_apart_from_arguments() {
    assert_eq!(kind("-D --node n1 stop "), Kind::Containers(Which::Running));
    assert_eq!(kind("container rm --force -v "), Kind::Containers(Which::All));
    assert_eq!(kind("rm -v x "), Kind::Containers(Which::Removable));
    assert_eq!(kind("run -it --name x -p80:80 -e A=b al"), Kind::Images { repositories: false });
    assert_eq!(kind("run -ite "), Kind::Variables);
    assert_eq!(kind("run --volumes-from="), Kind::Containers(Which::All));
    assert_eq!(kind("run --rm alpine --network "), Kind::Nothing);
    assert_eq!(kind("stop -- -"), Kind::Containers(Which::Running));
    assert_eq!(kind("compose -f a.yaml --profile "), Kind::Profiles);
    assert_eq!(kind("compose -f a.yaml up -d "), Kind::Services);
    assert_eq!(typed("compose -f a.yaml -p x up -d ").compose, ["-f", "a.yaml", "-p", "x"]);
    assert_eq!(kind("network connect own "), Kind::Connected { to: false });
}

#[test]
fn what_would_be_too_much_is_not_offered() {
    for line in ["tag a b ", "compose nosuch ", "logs x y ", "ps "] {
        assert!(matches!(typed(line).wanted, Wanted::Nothing), "{line}");
    }
    let flags = |line: &str| match typed(line).wanted {
        Wanted::Words(words) => words.into_iter().map(|one| one.word).collect::<Vec<_>>(),
        other => panic!("{line}: {other:?}"),
    };
    assert!(flags("run -").contains(&"--rm".to_owned()));
    // Given once, it is not given again, but for those that may be.
    assert!(!flags("run --rm -").contains(&"--rm".to_owned()));
    assert!(flags("run -e A -").contains(&"-e".to_owned()));
    assert!(flags("container ").contains(&"stop".to_owned()));
}
