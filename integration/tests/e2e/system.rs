//! System commands and prune.

use coracle_integration::recorded;

recorded! {
    "system.md":
    prune = "prune",
    df = "df",
    wrong_commands = "Wrong commands",
}
