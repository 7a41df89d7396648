//! The format engine against recorded output.

use serde_json::{Value, json};

use super::{Columns, Data, Listing, Missing, Row, Template, TemplateError, units};

fn on(source: &str, value: &Value) -> Result<String, TemplateError> {
    Template::parse("", source)?.apply(Data::Document { value, missing: Missing::Map })
}

fn shows(source: &str, value: Value) -> String {
    on(source, &value).unwrap()
}

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
        "failed to execute template: template: :1:2: executing \"\" at <.Bogus>: \
         can't evaluate field Bogus in type *formatter.ContainerContext"
    );
    let unclosed = Listing::new(&COLUMNS, Some("{{"), false).unwrap_err();
    assert_eq!(unclosed.to_string(), "failed to parse template: template: :1: unclosed action");
}

#[test]
fn errors_of_inspect() {
    let error = on("{{.Bogus}}", &json!({"A": 1})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template: :1:2: executing \"\" at <.Bogus>: map has no entry for key \"Bogus\""
    );
    assert!(matches!(on("{{nofunc .A}}", &json!({})), Err(TemplateError::Parse(text))
        if text == "template: :1: function \"nofunc\" not defined"));
    assert!(matches!(on("{{if .A}}x", &json!({})), Err(TemplateError::Parse(text))
        if text == "template: :1: unexpected EOF"));
}

#[test]
fn fields_ranges_and_indexes() {
    let document = json!({
        "NetworkSettings": {
            "IPAddress": "172.17.0.2",
            "Networks": {"bridge": {"IPAddress": "172.17.0.2"}},
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8081"}]}
        },
        "Config": {"Labels": {"tier": "web"}}
    });
    let source = "{{.NetworkSettings.IPAddress}} {{range $k,$v := .NetworkSettings.Networks}}\
                  {{$k}}={{$v.IPAddress}} {{end}} {{index .Config.Labels \"tier\"}} \
                  {{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}";
    assert_eq!(shows(source, document), "172.17.0.2 bridge=172.17.0.2  web 8081");
}

#[test]
fn conditions_variables_and_trimming() {
    let value = json!({"State": {"Running": true, "ExitCode": 3}, "Names": ["a", "b"]});
    assert_eq!(shows("{{if .State.Running}}up{{else}}down{{end}}", value.clone()), "up");
    assert_eq!(
        shows(
            "{{if eq .State.ExitCode 0}}z{{else if gt .State.ExitCode 2}}big{{end}}",
            value.clone()
        ),
        "big"
    );
    assert_eq!(shows("{{$n := len .Names}}{{$n}} {{- /* gone */ -}} !", value.clone()), "2!");
    assert_eq!(shows("{{range .Names}}{{.}}{{break}}{{end}}", value.clone()), "a");
    assert_eq!(shows("{{with .State}}{{.ExitCode}}{{end}}", value.clone()), "3");
    assert_eq!(shows("{{range $i, $e := .Names}}{{$i}}{{$e}}{{end}}", value), "0a1b");
}

#[test]
fn fields_go_by_their_names_in_go_too() {
    let value = json!({"Id": "f08f", "HostConfig": {"NanoCpus": 5}, "timeNano": 7});
    assert_eq!(shows("{{.ID}} {{.HostConfig.NanoCPUs}} {{.TimeNano}}", value), "f08f 5 7");
}

#[test]
fn health_may_be_absent() {
    let value = json!({"State": {"Status": "running"}});
    assert_eq!(shows("{{if .State.Health}}h{{else}}none{{end}}", value.clone()), "none");
    assert_eq!(shows("{{.State.Health}}", value.clone()), "<nil>");
    assert_eq!(
        on("{{.State.Health.Status}}", &value).unwrap_err().to_string(),
        "template: :1:2: executing \"\" at <.State.Health.Status>: \
         map has no entry for key \"Health\""
    );
}

#[test]
fn values_print_as_go_prints_them() {
    let value = json!({
        "Config": {"Env": ["A=1", "B=2"], "Labels": {"b": "2", "a": "1"}, "Cmd": null,
                   "Volumes": null, "ExposedPorts": {"80/tcp": {}}},
        "Size": 7_797_768
    });
    assert_eq!(shows("{{.Config.Env}}", value.clone()), "[A=1 B=2]");
    assert_eq!(shows("{{.Config.Labels}}", value.clone()), "map[a:1 b:2]");
    assert_eq!(shows("{{.Config.Cmd}} {{.Config.Volumes}}", value.clone()), "[] map[]");
    assert_eq!(shows("{{.Config.ExposedPorts}}", value.clone()), "map[80/tcp:{}]");
    assert_eq!(shows("{{json .Config.Cmd}} {{.Size}}", value), "null 7797768");
}

#[test]
fn functions_of_docker() {
    let value = json!({"N": "web:1", "L": ["a", "b"]});
    assert_eq!(
        shows("{{upper .N}} {{title \"ab cd\"}} {{lower \"AB\"}}", value.clone()),
        "WEB:1 Ab Cd ab"
    );
    assert_eq!(shows("{{index (split .N \":\") 1}}", value.clone()), "1");
    assert_eq!(shows("{{join .L \",\"}} [{{pad .N 1 2}}]", value.clone()), "a,b [ web:1  ]");
    assert_eq!(
        shows("{{truncate .N 3}} {{.N | printf \"%-7s|%q\" \"x\"}}", value.clone()),
        "web x      |\"web:1\""
    );
    assert_eq!(shows("{{println .N 1}}{{json .L}}", value.clone()), "web:1 1\n[\"a\",\"b\"]");
    assert_eq!(shows("{{and .N .L | len}} {{or \"\" .N}} {{not .N}}", value), "2 web:1 false");
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
        assert_eq!(units::age(seconds), words, "{seconds} s");
    }
}

#[test]
fn cuts() {
    assert_eq!(units::ellipsis("sh -c 'sleep 1000; echo a long'", 20), "sh -c 'sleep 1000; …");
    assert_eq!(units::short_id("sha256:e1f34b438478a61ec4d5"), "e1f34b438478");
}

#[test]
fn empty_maps_missing_keys_and_limits_print_as_in_go() {
    let value = json!({
        "Config": {"Labels": {}, "Volumes": null},
        "HostConfig": {
            "LogConfig": {"Type": "json-file", "Config": {}},
            "Ulimits": [{"Name": "nofile", "Hard": 2048, "Soft": 1024}],
        },
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "10.0.0.2"}}, "Ports": {}},
        "Containers": {},
    });
    for (source, text) in [
        ("{{.Config.Labels}}{{.NetworkSettings.Ports}}{{.Containers}}", "map[]map[]map[]"),
        ("{{.HostConfig.LogConfig}}", "{json-file map[]}"),
        ("{{.HostConfig.LogConfig.Config}}", "map[]"),
        ("{{.Config.Labels.a}} {{.Config.Volumes.a}}", "<no value> <no value>"),
        ("{{.NetworkSettings.Networks.other.IPAddress}}", "<no value>"),
        ("{{if .Config.Labels.a}}yes{{else}}no{{end}}", "no"),
        ("{{index .Config.Labels \"a\"}}|{{len .Config.Labels}}", "|0"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}{{else}}none{{end}}", "none"),
        ("{{.HostConfig.Ulimits}}", "[nofile=1024:2048]"),
        (
            "{{range .HostConfig.Ulimits}}{{.}} {{.Name}} {{.Hard}}{{end}}",
            "nofile=1024:2048 nofile 2048",
        ),
    ] {
        assert_eq!(shows(source, value.clone()), text, "{source}");
    }
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
