//! commit, export, import, save, load.

use coracle_integration::recorded;

recorded! {
    "commit.md":
    commit = "commit",
    export_and_import = "export and import",
    save_and_load = "save and load",
}
