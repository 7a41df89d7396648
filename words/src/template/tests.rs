//! Templates against recorded output.

use serde_json::{Value, json};

use super::{Data, Missing, Template, TemplateError};

fn on(source: &str, value: &Value) -> Result<String, TemplateError> {
    Template::parse("", source)?.apply(Data::Document { value, missing: Missing::Map })
}

fn shows(source: &str, value: Value) -> String {
    on(source, &value).unwrap()
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
        "template: :1:8: executing \"\" at <.State.Health.Status>: \
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
    let others = serde_json::json!({ "M": { "k": "v", "j": "w", "i": 3 }, "N": [2, true] });
    assert_eq!(shows("{{join .M \",\"}} {{join .N \"-\"}}", others), "3,v,w 2-true");
    assert_eq!(
        shows("{{truncate .N 3}} {{.N | printf \"%-7s|%q\" \"x\"}}", value.clone()),
        "web x      |\"web:1\""
    );
    assert_eq!(shows("{{println .N 1}}{{json .L}}", value.clone()), "web:1 1\n[\"a\",\"b\"]");
    assert_eq!(shows("{{and .N .L | len}} {{or \"\" .N}} {{not .N}}", value), "2 web:1 false");
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
fn what_has_types_of_its_own_prints_as_in_go() {
    let value = json!({
        "Config": {},
        "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {}}},
        "Platform": {"architecture": "arm64", "os": "linux", "variant": "v8"},
        "IPAM": {"Config": [{"Subnet": "10.0.0.0/28", "Gateway": "10.0.0.1"}]},
        "Status": {"IPAM": {"Subnets": {"10.0.0.0/28": {"IPsInUse": 4, "DynamicIPsAvailable": 12}}}},
        "Descriptor": {"mediaType": "a/b", "digest": "sha256:0", "size": 405},
        "State": {"Status": "running", "Pid": 7},
    });
    for (source, text) in [
        ("{{.Config.Cmd}}|{{.Config.Entrypoint}}|{{.Config.Labels}}", "[]|[]|map[]"),
        ("{{.HostConfig.LogConfig}}{{.HostConfig.LogConfig.Config}}", "{json-file map[]}map[]"),
        ("{{.Platform}}", "linux/arm64/v8"),
        ("{{.IPAM.Config}}", "[{10.0.0.0/28 invalid Prefix 10.0.0.1 map[]}]"),
        ("{{.Status}}", "{{map[10.0.0.0/28:{4 12}]}}"),
        ("{{.Descriptor}}", "{a/b sha256:0 405 [] map[] [] <nil> }"),
        ("{{.State}}", "{running 7}"),
    ] {
        assert_eq!(shows(source, value.clone()), text, "{source}");
    }
}

/// As recorded.
#[test]
fn errors_say_where_they_are_as_in_go() {
    let value = json!({"Name": "n", "Args": ["a"], "Config": {}, "State": {}});
    for (source, text) in [
        (
            "{{.Config.Hostname}}",
            "1:9: executing \"\" at <.Config.Hostname>: map has no entry for key \"Hostname\"",
        ),
        (
            "{{.Config.Bogus.X}}",
            "1:9: executing \"\" at <.Config.Bogus.X>: map has no entry for key \"Bogus\"",
        ),
        (
            "{{$x := .State}}{{$x.Bogus}}",
            "1:20: executing \"\" at <$x.Bogus>: map has no entry for key \"Bogus\"",
        ),
        (
            "{{.Name.Foo}}",
            "1:7: executing \"\" at <.Name.Foo>: can't evaluate field Foo in type interface {}",
        ),
        (
            "{{index .Args 5}}",
            "1:2: executing \"\" at <index .Args 5>: error calling index: index out of range: 5",
        ),
        (
            "{{(index .Args 1).X}}",
            "1:3: executing \"\" at <index .Args 1>: error calling index: \
             reflect: slice index out of range",
        ),
    ] {
        assert_eq!(on(source, &value).unwrap_err().to_string(), format!("template: :{text}"));
    }
    // What is absent because it is empty is an error where another field is.
    let source = "{{.Config.User}}|{{.Bogus}}";
    let raw = Data::Document { value: &value, missing: Missing::Raw };
    let error = Template::parse("", source).unwrap().apply(raw).unwrap_err();
    assert!(error.to_string().contains("no entry for key \"User\""), "{error}");
}

#[test]
fn what_a_swarm_leaves_out_is_nothing() {
    let service = json!({"ID": "s", "Spec": {"Name": "web", "TaskTemplate": {}}});
    let of = |text: &str| on(text, &service);
    assert_eq!(of("{{if .UpdateStatus}}updated{{else}}not{{end}}").unwrap(), "not");
    assert_eq!(
        of("{{json .PreviousSpec}} {{json .Spec.TaskTemplate.Networks}}").unwrap(),
        "null null"
    );
    assert_eq!(of("{{range .Spec.TaskTemplate.Networks}}x{{end}}").unwrap(), "");
    assert!(of("{{.Networks}}").is_err());
}
