//! The whole corpus of Compose files, when this machine has it beside the checkout; the model's
//! own tests hold the cases that were written for this project.

use std::process::Command;

use coracle_integration::{settings::settings, skip};

#[test]
fn every_file_gives_the_answer_of_docker_compose() {
    let check = match &settings().shared {
        Some(shared) => shared.join("compose-corpus/check"),
        None => skip!("no Compose corpus"),
    };
    if !check.is_file() {
        skip!("no Compose corpus");
    }
    let mut command = Command::new("python3");
    command.arg(&check).arg(&settings().binary);
    let output = command.arg("-j").arg("2").output().expect("python3 runs the check");
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, last) = text.trim_end().rsplit_once('\n').expect("the check says how it ended");
    assert!(last.contains(" passed, "), "{text}");
    let failed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("FAIL ")).collect();
    assert_eq!(failed, newer(), "{text}");
}

/// The cases whose answer a newer release changed, as the documentation lists them.
fn newer() -> Vec<&'static str> {
    const PAGE: &str = include_str!("../../../docs/compose.md");
    let lines = PAGE.lines().skip_while(|line| *line != "<!-- newer: begin -->").skip(1);
    let lines = lines.take_while(|line| *line != "<!-- newer: end -->");
    lines.filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}
