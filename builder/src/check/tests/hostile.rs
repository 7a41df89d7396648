//! Files made to take memory and time.

use super::*;

/// Files that would grow without end, or take time without end, if nothing were bounded.
#[test]
fn hostile_files_end() {
    let many = |line: &str, count: usize| line.repeat(count);
    let numbered = |line: &str, count: usize| {
        (0..count).map(|n| line.replace('#', &n.to_string())).collect::<String>()
    };
    let doubling =
        format!("FROM alpine\nENV A={}\n{}", many("x", 60_000), many("ENV A=$A$A\n", 64));
    assert!(fault(&doubling).contains("bytes"));
    let names = format!("FROM alpine\n{}", numbered("ENV V#=x\n", 5000));
    assert_eq!(fault(&names), "a stage has more than 4096 variables");
    let stages = numbered("FROM alpine AS s#\n", 1001);
    assert_eq!(fault(&stages), "the Dockerfile has more than 1000 stages");
    let chain =
        format!("FROM alpine AS s0\n{}", numbered("FROM alpine AS t#\nCOPY --from=s0 a b\n", 900));
    assert_eq!(checked(&chain).fault, None);
    let heredocs = format!("FROM alpine\nCOPY {} /x/\n", many("<<E ", 2000));
    assert_eq!(fault(&heredocs), "an instruction has more than 1000 heredocs");
    let same = format!(
        "FROM alpine\nCOPY {} /x/\n{}{}E\n",
        many("<<E ", 900),
        many("E\n", 899),
        many("0123456789\n", 50_000)
    );
    assert!(fault(&same).contains("bytes"), "each name is a file of its own");
    let images = format!("FROM alpine\n{}", numbered("COPY --from=i# a b\n", 5_000));
    assert_eq!(checked(&images).fault, None);
    let unset = format!("FROM alpine\n{}", numbered("LABEL a=$UNSET#\n", 5_000));
    assert_eq!(checked(&unset).findings.len(), 5_000);
    let instructions = format!("FROM alpine\n{}", many("RUN x\n", 60_000));
    assert_eq!(fault(&instructions), "the Dockerfile has more than 50000 instructions");
    let words = format!("FROM alpine\n{}", many(&format!("LABEL {}\n", many("a=b ", 15_000)), 50));
    assert_eq!(fault(&words), "the Dockerfile has more than 500000 words");
    let long =
        format!("FROM alpine\nRUN x \\\n{}\n", many(&format!("{}\\\n", many("y", 60_000)), 20));
    assert_eq!(fault(&long), "an instruction has more than 1048576 bytes");
    let values = format!("FROM alpine\n{}{}", numbered("ARG a#=b\n", 4000), many("RUN x\n", 2000));
    assert!(fault(&values).contains("bytes"), "each step has all of them");
    let chain = format!(
        "FROM alpine AS s\n{}{}",
        numbered("LABEL a#=b\n", 3000),
        many("FROM s AS s\nLABEL b=c\n", 900)
    );
    assert!(fault(&chain).contains("bytes"), "each stage has all of them");
    let large = format!("FROM alpine\n{}", many("RUN x \\\n\n y\n", 1_500_000));
    assert_eq!(fault(&large), "the Dockerfile is larger than 16777216 bytes");
}
