//! Flags that are taken and mean nothing any more, or will go.
//!
//! Docker's client tells of them on standard output, before what a script reads there. Here it is
//! standard error.

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::spec::Spec;

/// The flag, its name among the arguments, and what is said of it.
const FLAGS: [(&str, &str, &str); 3] = [
    (
        "--disable-content-trust",
        "disable_content_trust",
        "support for docker content trust was removed",
    ),
    ("--kernel-memory", "kernel_memory", "and no longer supported by the kernel"),
    (
        "--pause",
        "pause",
        "and enabled by default. Use --no-pause to disable pausing during commit.",
    ),
];

/// A line for each such flag that was given.
pub(crate) fn deprecated(spec: &Spec, matches: &ArgMatches) -> Vec<String> {
    // Compose has flags of the same names that mean something.
    let flags = FLAGS.iter().filter(|_| !spec.is_compose());
    let given = |id: &str| {
        matches.try_contains_id(id).unwrap_or(false)
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    let lines = flags.filter(|(_, id, _)| given(id));
    lines.map(|(flag, _, why)| format!("Flag {flag} has been deprecated, {why}")).collect()
}
