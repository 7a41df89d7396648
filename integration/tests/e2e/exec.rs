//! `exec`: processes in a running container.

use coracle_integration::recorded;

recorded! {
    "exec.md":
    exec = "exec",
}
