//! Health checks.

use coracle_integration::recorded;

recorded! {
    "health.md":
    health_checks = "Health checks",
}
