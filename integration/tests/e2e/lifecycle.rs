//! start, stop, kill, pause, wait, rename, rm, update.

use coracle_integration::recorded;

recorded! {
    "lifecycle.md":
    stop = "stop",
    kill_and_restart = "kill and restart",
    pause = "pause",
    rm_of_a_running_container = "rm of a running container",
    wait_rename_rm = "wait, rename, rm",
    update = "update",
}
