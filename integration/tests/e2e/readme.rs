//! The console blocks of the README do what they show.

use coracle_integration::{TestEnv, case};

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));

#[test]
fn the_blocks_of_the_readme_run() {
    let mut seen = 0;
    for section in case::sections(README) {
        if !case::parse(README, section).is_empty() {
            seen += 1;
            case::run_section(&TestEnv::new(), README, section);
        }
    }
    assert!(seen > 0, "the README shows no command");
}
