//! `events`, past and filtered.

use coracle_integration::recorded;

recorded! {
    "events.md":
    events_of_a_container = "Events of a container",
    events_of_images = "Events of images",
}
