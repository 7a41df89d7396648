//! Restart policies.

use coracle_integration::recorded;

recorded! {
    "restart.md":
    restart_policies = "Restart policies",
}
