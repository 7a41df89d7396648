//! What is refused, and why it says so.

use coracle_integration::recorded;

recorded! {
    "unsupported.md":
    refused_flags = "Refused flags",
    refused_commands = "Refused commands",
}
