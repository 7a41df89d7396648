//! `ps` and `inspect`.

use coracle_integration::recorded;

recorded! {
    "ps.md":
    ps = "ps",
    inspect = "inspect",
}
