//! Views recorded from Docker 29.7.2, with its ids and sizes.

use coracle_view::image::Variant;

use super::*;

/// An image of one platform with that id.
fn image(id: &str, names: &[&str], disk: u64, in_use: bool) -> Stored {
    let bytes = Bytes { disk, content: 3_490_986 };
    let (id, platform) = (id.to_owned(), "linux/amd64".to_owned());
    let variants = vec![Variant { id: id.clone(), platform, bytes, in_use }];
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Stored { names, id, bytes, in_use, variants }
}

/// Newest first, as lists have them.
fn seven() -> Vec<Stored> {
    let alpine = ["127.0.0.1:5000/team/app:1.0", "alpine:3.20", "alpine:latest", "zz:latest"];
    vec![
        image("f02a192cc384", &["dg:1"], 12_004_000, false),
        image("0ab9dbe7b9e6", &["used:stop"], 12_004_000, true),
        image("2a6887384539", &["used:run"], 12_004_000, true),
        image("0d70e413b410", &alpine, 11_900_000, false),
    ]
}

fn on_terminal(width: usize, colour: bool) -> Screen {
    Screen { width: Some(width), legend: true, colour }
}

/// With what a terminal takes for a command made visible.
fn seen(images: &[Stored], tree: bool, screen: Screen) -> String {
    render(images, tree, screen).replace('\x1b', "\\e").replace(" \n", " $\n")
}

#[test]
fn a_row_for_each_name_in_order() {
    insta::assert_snapshot!(seen(&seven(), false, Screen::default()), @r"
    IMAGE                         ID             DISK USAGE   CONTENT SIZE   EXTRA
    127.0.0.1:5000/team/app:1.0   0d70e413b410       11.9MB         3.49MB        $
    alpine:3.20                   0d70e413b410       11.9MB         3.49MB        $
    alpine:latest                 0d70e413b410       11.9MB         3.49MB        $
    dg:1                          f02a192cc384         12MB         3.49MB        $
    used:run                      2a6887384539         12MB         3.49MB   U    $
    used:stop                     0ab9dbe7b9e6         12MB         3.49MB   U    $
    zz:latest                     0d70e413b410       11.9MB         3.49MB        $
    ");
}

#[test]
fn untagged_ones_are_last() {
    let mut images = seven();
    images.insert(0, image("f4102db63eae", &[], 12_004_000, false));
    let text = seen(&images, false, Screen::default());
    assert!(
        text.ends_with(
            "\n<untagged>                    f4102db63eae         12MB         3.49MB        $\n"
        ),
        "{text}"
    );
}

#[test]
fn a_terminal_has_colours_and_a_legend() {
    insta::assert_snapshot!(seen(&seven()[1..3], false, on_terminal(120, true)), @r"
                                                                                                        \e[1m\e[106m\e[30mi\e[0m\e[0m \e[96mInfo → \e[0m\e[0m \e[38;5;0m\e[48;5;14m U \e[0m In Use
    \e[39m\e[1mIMAGE\e[0m       \e[39m\e[1mID\e[0m             \e[39m\e[1mDISK USAGE\e[0m   \e[39m\e[1mCONTENT SIZE\e[0m   \e[39m\e[1mEXTRA\e[0m
    \e[34m\e[1mused:run\e[0m    \e[39m2a6887384539\e[0m         \e[39m12MB\e[0m         \e[39m3.49MB\e[0m   \e[38;5;0m\e[48;5;14m U \e[0m  $
    \e[34m\e[1mused:stop\e[0m   \e[39m0ab9dbe7b9e6\e[0m         \e[39m12MB\e[0m         \e[39m3.49MB\e[0m   \e[38;5;0m\e[48;5;14m U \e[0m  $
    ");
}

#[test]
fn without_colours_the_letters_are_plain() {
    insta::assert_snapshot!(seen(&[], false, on_terminal(120, false)), @r"
                                                                                                           Info ->  U In Use
    IMAGE   ID             DISK USAGE   CONTENT SIZE   EXTRA
    ");
}

#[test]
fn columns_that_do_not_fit_are_left_out() {
    insta::assert_snapshot!(seen(&seven(), false, on_terminal(60, false)), @r"
                                               Info ->  U In Use
    IMAGE               ID             DISK USAGE   CONTENT SIZE
    127.0.0.1:5000/team/app:1.0
                        0d70e413b410       11.9MB         3.49MB
    alpine:3.20         0d70e413b410       11.9MB         3.49MB
    alpine:latest       0d70e413b410       11.9MB         3.49MB
    dg:1                f02a192cc384         12MB         3.49MB
    used:run            2a6887384539         12MB         3.49MB
    used:stop           0ab9dbe7b9e6         12MB         3.49MB
    zz:latest           0d70e413b410       11.9MB         3.49MB
    ");
    insta::assert_snapshot!(seen(&seven()[1..2], false, on_terminal(30, false)), @r"
                 Info ->  U In Use
    IMAGE       ID          $
    used:stop   0ab9dbe7b9e6
    ");
    let unknown = Screen { width: Some(20), legend: false, colour: false };
    insta::assert_snapshot!(seen(&seven()[1..2], false, unknown), @r"
    IMAGE    $
    used:stop
    ");
}

#[test]
fn a_tree_has_the_names_of_an_image_together_and_its_platforms_below() {
    let mut images = seven();
    let other = Variant { platform: "linux/\x1b[m".to_owned(), ..images[1].variants[0].clone() };
    images[1].variants.push(other);
    insta::assert_snapshot!(seen(&images[1..], true, Screen::default()), @r"
    IMAGE                         ID             DISK USAGE   CONTENT SIZE   EXTRA
    127.0.0.1:5000/team/app:1.0
    alpine:3.20                $
    alpine:latest              $
    zz:latest                     0d70e413b410       11.9MB         3.49MB        $
    └─ linux/amd64                0d70e413b410       11.9MB         3.49MB        $

    used:run                      2a6887384539         12MB         3.49MB   U    $
    └─ linux/amd64                2a6887384539         12MB         3.49MB   U    $

    used:stop                     0ab9dbe7b9e6         12MB         3.49MB   U    $
    ├─ linux/amd64                0ab9dbe7b9e6         12MB         3.49MB   U    $
    └─ linux/\x1b[m               0ab9dbe7b9e6         12MB         3.49MB   U    $

    ");
}
