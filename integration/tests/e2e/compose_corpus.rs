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
    assert!(output.status.success(), "{text}");
    assert!(text.trim_end().ends_with(" passed, 0 failed"), "{text}");
}
