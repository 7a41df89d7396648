//! Image commands.

use coracle_integration::{TestEnv, recorded};

recorded! {
    "images.md":
    ls_tag_rmi_history_inspect = "ls, tag, rmi, history, inspect",
    images_in_tables = "images in tables",
    rmi_of_an_image_in_use = "rmi of an image in use",
    history = "history",
}

/// The signal for a file that grows too large ends it in the middle of writing.
#[test]
fn a_save_that_is_killed_leaves_nothing() {
    let env = TestEnv::new();
    env.sh("mkdir out; cd out; (ulimit -f 64; docker save -o x.tar alpine) 2> /dev/null; [ $? -gt 128 ] && ls -A")
        .success()
        .stdout_is("");
    // What one of before left, and what another writes at this moment.
    env.sh("cd out; echo half > .x.tar.12345; exec 9> .x.tar.23456; flock 9; docker save -o x.tar alpine && ls -A")
        .success()
        .stdout_is(".x.tar.23456\nx.tar\n");
    env.sh("cd out; docker save -o x.tar alpine; docker load -q -i x.tar; ls -A; stat -c %a x.tar")
        .success()
        .stdout_is("Loaded image: alpine:latest\nx.tar\n600\n");
    env.assert_nothing_left();
}
