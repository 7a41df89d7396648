//! Listings against recorded output.

use super::{Columns, Listing, Row, units};

const COLUMNS: Columns = Columns {
    titles: &[("Names", "NAMES"), ("Ports", "PORTS"), ("ID", "CONTAINER ID")],
    table: "Names Ports",
    quiet: "ID",
    raw: "",
};

fn rows() -> Vec<Row> {
    let mut first = Row::new("*formatter.ContainerContext");
    first.set("Names", "p2").set("Ports", "").set("ID", "f0e55c91c896");
    first.set_labels([].into());
    let mut second = Row::new("*formatter.ContainerContext");
    second.set("Names", "p1").set("Ports", "0.0.0.0:8081->80/tcp").set("ID", "48fc025c0a4b");
    second.set_labels([("tier".to_owned(), "web".to_owned())].into());
    vec![first, second]
}

#[test]
fn a_table_with_a_label_column() {
    let listing =
        Listing::new(&COLUMNS, Some(r#"table {{.Names}}\t{{.Ports}}\t{{.Label "tier"}}"#), false);
    let text = listing.unwrap().render(&rows()).unwrap();
    assert_eq!(
        text,
        "NAMES     PORTS                  tier\n\
         p2                               \n\
         p1        0.0.0.0:8081->80/tcp   web\n"
    );
}

#[test]
fn quiet_and_json_layouts() {
    let quiet = Listing::new(&COLUMNS, None, true).unwrap().render(&rows()).unwrap();
    assert_eq!(quiet, "f0e55c91c896\n48fc025c0a4b\n");
    let json = Listing::new(&COLUMNS, Some("json"), false).unwrap().render(&rows()[1..]).unwrap();
    assert_eq!(
        json,
        "{\"ID\":\"48fc025c0a4b\",\"Labels\":\"tier=web\",\"Names\":\"p1\",\
         \"Ports\":\"0.0.0.0:8081-\\u003e80/tcp\"}\n"
    );
}

#[test]
fn errors_of_list_commands() {
    let unknown = Listing::new(&COLUMNS, Some("{{.Bogus}}"), false).unwrap();
    assert_eq!(
        unknown.render(&rows()).unwrap_err().to_string(),
        "template parsing error: template: :1:2: executing \"\" at <.Bogus>: \
         can't evaluate field Bogus in type *formatter.ContainerContext"
    );
    let unclosed = Listing::new(&COLUMNS, Some("{{"), false).unwrap_err();
    assert_eq!(unclosed.to_string(), "template parsing error: template: :1: unclosed action");
    let checked = |format| Listing::checked(&COLUMNS, Some(format), false, &rows()[0]).unwrap_err();
    assert_eq!(
        checked("{{.Bogus}}").to_string(),
        "failed to execute template: template: :1:2: executing \"\" at <.Bogus>: \
         can't evaluate field Bogus in type *formatter.ContainerContext"
    );
    let unclosed = checked("{{").to_string();
    assert_eq!(unclosed, "failed to parse template: template: :1: unclosed action");
}

#[test]
fn sizes() {
    assert_eq!(units::human_size(7_797_760), "7.798MB");
    assert_eq!(units::short_size(7_797_760), "7.8MB");
    assert_eq!(units::short_size(13_264), "13.3kB");
    assert_eq!(units::human_size(13_264), "13.26kB");
    assert_eq!(units::human_size(0), "0B");
    assert_eq!(units::human_size(137), "137B");
    assert_eq!(units::short_size(999_900), "1e+03kB");
    assert_eq!(units::binary_size(64 * 1024 * 1024), "64MiB");
    assert_eq!(units::binary_size(25_276_510_208), "23.54GiB");
}

#[test]
fn ages() {
    for (seconds, words) in [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (14 * 86400, "2 weeks"),
        (60 * 86400, "2 months"),
        (2 * 365 * 86400, "2 years"),
    ] {
        assert_eq!(coracle_words::age::age(seconds), words, "{seconds} s");
    }
}

#[test]
fn cuts() {
    assert_eq!(units::ellipsis("sh -c 'sleep 1000; echo a long'", 20), "sh -c 'sleep 1000; …");
    assert_eq!(units::short_id("sha256:e1f34b438478a61ec4d5"), "e1f34b438478");
}

#[test]
fn what_would_command_a_terminal_is_escaped_in_tables() {
    let mut row = Row::new("*formatter.ContainerContext");
    row.set("Names", "a\u{1b}[2Jb").set("Ports", "\r\n\u{9b}1m").set("ID", "x");
    let labels = [("k".to_owned(), "\u{1b}]0;t\u{7}".to_owned())];
    row.set_labels(labels.into());
    let shown =
        |format| Listing::new(&COLUMNS, Some(format), false).unwrap().render([&row]).unwrap();
    let text = shown("table {{.Names}}\t{{.Ports}}\t{{.Label \"k\"}}");
    assert!(text.ends_with("a\\x1b[2Jb   \\r\\n\\u009b1m   \\x1b]0;t\\a\n"), "{text:?}");
    // Programs read what is there, byte by byte.
    assert_eq!(shown("{{.Names}}"), "a\u{1b}[2Jb\n");
}
