//! Bind mounts, volumes and tmpfs.

use coracle_integration::recorded;

recorded! {
    "volumes.md":
    bind_mounts = "Bind mounts",
    mount_flag = "--mount",
    tmpfs = "tmpfs",
    named_volumes_and_copy_up = "Named volumes and copy-up",
    anonymous_volumes = "Anonymous volumes",
    volume_create_inspect_ls = "volume create, inspect, ls",
    volumes_in_use_and_prune = "Volumes in use and prune",
}
