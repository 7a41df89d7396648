//! What BuildKit was seen to say.

use coracle_integration::recorded;

recorded! {
    "build.md":
    instructions = "Instructions that are wrong",
    words = "Words that are wrong",
}
