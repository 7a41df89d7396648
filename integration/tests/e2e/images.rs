//! Image commands.

use coracle_integration::recorded;

recorded! {
    "images.md":
    ls_tag_rmi_history_inspect = "ls, tag, rmi, history, inspect",
    images_in_tables = "images in tables",
    rmi_of_an_image_in_use = "rmi of an image in use",
    history = "history",
}
