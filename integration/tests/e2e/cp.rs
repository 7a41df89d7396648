//! `cp`, `diff`, `top`, `port`.

use coracle_integration::recorded;

recorded! {
    "cp.md":
    top_port_diff = "top, port, diff",
    cp = "cp",
}
