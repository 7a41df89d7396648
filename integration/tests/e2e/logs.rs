//! `logs` and the log drivers.

use coracle_integration::recorded;

recorded! {
    "logs.md":
    logs = "logs",
    the_json_file_on_disk = "The json-file on disk",
    following_options_rotation = "Following, options, rotation",
    log_drivers = "Log drivers",
}
