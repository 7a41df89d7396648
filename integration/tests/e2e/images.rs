//! Image commands.

use coracle_integration::pty::Terminal;
use coracle_integration::{TestEnv, recorded};

recorded! {
    "images.md":
    ls_tag_rmi_history_inspect = "ls, tag, rmi, history, inspect",
    images_in_tables = "images in tables",
    untagged_images_and_images_in_use = "untagged images and images in use",
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

/// Recorded from Docker 29.7.2; without `NO_COLOR`, what it says there is empty.
#[test]
fn on_a_terminal_the_view_has_colours_and_a_legend() {
    let env = TestEnv::new();
    let seen = |size: (u16, u16), words: &[&str]| {
        let (code, text) = Terminal::start_sized(&env, size, words).finish();
        assert_eq!(code, 0, "{text:?}");
        text
    };
    let text = seen((24, 80), &["images", "alpine"]);
    let legend = "\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo → \x1b[0m\x1b[0m \
                  \x1b[38;5;0m\x1b[48;5;14m U \x1b[0m In Use\r\n";
    let titles = "\x1b[39m\x1b[1mIMAGE\x1b[0m           \x1b[39m\x1b[1mID\x1b[0m";
    let wanted = format!("{}{legend}{titles}", " ".repeat(60));
    assert!(text.starts_with(&wanted), "{text:?}");
    assert!(text.contains("\r\n\x1b[34m\x1b[1malpine:latest\x1b[0m   \x1b[39m"), "{text:?}");
    // Two columns have room; a terminal without a size is taken for one of 20 columns.
    let text = seen((24, 30), &["images", "alpine"]);
    assert!(text.contains("ID") && !text.contains("DISK"), "{text:?}");
    let text = seen((0, 0), &["images", "alpine"]);
    assert_eq!(
        text,
        "\x1b[39m\x1b[1mIMAGE\x1b[0m        \r\n\x1b[34m\x1b[1malpine:latest\x1b[0m\r\n"
    );
    env.sh("TERM=xterm script -qec 'stty cols 80; NO_COLOR=1 docker images alpine' /dev/null | head -1")
        .success()
        .stdout_is(&format!("{}Info ->  U In Use\r\n", " ".repeat(63)));
    env.assert_nothing_left();
}
