//! What does not keep to a rule yet, by file. One that does keep to it must go from here: the lists stay true.

/// It says, as the last act before a program is executed, why that cannot be.
pub(super) const PRINTS: &[&str] = &["runtime/src/start/tiny_init.rs"];

/// Ports as text, where `words` is to give a type.
pub(super) const PORTS: &[&str] = &[
    "cli/src/commands/container/port.rs",
    "cli/src/compose/verbs/port.rs",
    "cli/src/compose/verbs/ps.rs",
    "cli/src/run_flags/ports.rs",
    "compose/src/container/config.rs",
    "compose/src/text/port.rs",
    "image/src/instruction/apply.rs",
    "runtime/src/networks/links.rs",
    "runtime/src/networks/ports.rs",
    "view/src/container/filter.rs",
    "view/src/container/summary.rs",
];

/// Readers of sizes, of which `words` is to have the only one.
pub(super) const SIZES: &[&str] = &[];
