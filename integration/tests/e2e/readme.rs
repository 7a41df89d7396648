//! The README does what it shows: its blocks are pasted into a shell, and print what stands under them.
//!
//! A `sh` block with a `text` block behind it is one script; `…` stands for any text in a line, and alone for any lines.
//! Those without one are for the reader's own machine.
//!
//! No registry can be reached meanwhile. What `alpine` stands for is loaded before the first script of a section that
//! names it; scripts before it, and sections without it, have what is in the executable and nothing else.

use coracle_integration::TestEnv;

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));

/// A proxy that is not there: nothing can be pulled.
const NO_REGISTRY: (&str, &str) = ("HTTPS_PROXY", "http://127.0.0.1:9");

/// Sections that say of themselves that they need no network.
const OFFLINE: [&str; 2] = ["Containers in the background", "Building images"];

/// Scripts of a section, each with what it prints.
fn scripts(section: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut script = None;
    let mut parts = section.split("```");
    // Prose, then a block, then prose.
    while let (Some(prose), Some(block)) = (parts.next(), parts.next()) {
        let (kind, text) = block.split_once('\n').expect("a block has lines");
        let told = prose.trim().is_empty();
        match (kind, script.take()) {
            ("sh", _) => script = Some(text.to_owned()),
            ("text", Some(script)) if told => out.push((script, text.to_owned())),
            ("text", _) => panic!("what prints this? {text}"),
            (kind, _) => panic!("a block of {kind}"),
        }
    }
    out
}

/// Whether what was printed is what the README says.
fn agrees(wanted: &[&str], seen: &[&str]) -> bool {
    match (wanted.split_first(), seen.split_first()) {
        (None, None) => true,
        (Some((&"…", rest)), _) => (0..=seen.len()).any(|skip| agrees(rest, &seen[skip..])),
        (Some((first, rest)), Some((line, others))) => {
            let same = match first.split_once('…') {
                Some((start, end)) => line.starts_with(start) && line.ends_with(end),
                None => first == line,
            };
            same && agrees(rest, others)
        }
        _ => false,
    }
}

#[test]
fn the_blocks_of_the_readme_run() {
    let mut seen = 0;
    for section in README.split("\n## ").skip(1) {
        let scripts = scripts(section);
        if scripts.is_empty() {
            continue;
        }
        let title = section.lines().next().unwrap_or_default();
        let env = TestEnv::bare().with(NO_REGISTRY.0, NO_REGISTRY.1);
        let mut has_alpine = false;
        for (script, wanted) in scripts {
            seen += 1;
            if !has_alpine && script.contains("alpine") {
                assert!(!OFFLINE.contains(&title), "{title} names an image of a registry");
                env.load_fixture();
                has_alpine = true;
            }
            let printed = env.sh(&script).success().stdout();
            let (wanted, lines): (Vec<_>, Vec<_>) =
                (wanted.lines().collect(), printed.lines().collect());
            assert!(
                agrees(&wanted, &lines),
                "{script}\nprints\n{printed}\nand not\n{}",
                wanted.join("\n")
            );
        }
        env.sh("docker rm -f $(docker ps -aq) 2> /dev/null; docker volume prune -af").code(0);
        env.assert_nothing_left();
    }
    assert!(seen > 8, "the README shows {seen} commands");
}

#[test]
fn the_readme_names_the_releases_that_are_followed_and_recorded() {
    let env = TestEnv::bare();
    let docker = newest_recorded();
    let compose = env.run(["compose", "version", "--short"]).success().line();
    let said = format!("Coracle follows **Docker {docker}** and **Docker Compose {compose}**:");
    assert_eq!(README.matches(&said).count(), 1, "{said}");
    assert_eq!(README.matches(&docker).count(), 1, "in one place");
    assert_eq!(README.matches(&compose).count(), 1, "in one place");
    env.assert_nothing_left();
}

/// The newest release of Docker that the lists of images were recorded from: they changed with each.
fn newest_recorded() -> String {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/images.md"));
    let head = text.split("\n## ").next().unwrap_or_default();
    let words = head.split([' ', ';', ',', '\n']).filter(|word| is_release(word));
    words.fold(String::new(), |one, other| newer(&one, other))
}

/// `29.7.2`
fn is_release(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok())
}

fn newer(one: &str, other: &str) -> String {
    let numbers =
        |text: &str| text.split('.').filter_map(|part| part.parse().ok()).collect::<Vec<u32>>();
    if numbers(one) >= numbers(other) { one.to_owned() } else { other.to_owned() }
}
