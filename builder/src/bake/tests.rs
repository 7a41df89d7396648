//! Whole files: what they come to, as `--print` shows it.

use super::*;

const FILE: &str = r#"
variable "TAG" {
  default = "latest"
}
group "default" {
  targets = ["app", "db"]
}
target "common" {
  args = { V = "1" }
  labels = { "a" = "b" }
}
target "app" {
  inherits = ["common"]
  context = "."
  dockerfile-inline = "FROM alpine\nARG V\nRUN echo app $V\n"
  tags = ["k/app:${TAG}"]
}
target "db" {
  inherits = ["common"]
  dockerfile-inline = "FROM alpine\nARG V\nRUN echo db $V\n"
  tags = ["k/db:${upper(TAG)}x"]
  args = { V = "2" }
}
target "m" {
  name = "m-${v}"
  matrix = { v = ["x", "y"] }
  dockerfile-inline = "FROM scratch\nLABEL v=${v}\n"
  tags = ["k/m:${v}"]
}
"#;

fn facts(environment: &[(&str, &str)]) -> Facts {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Facts {
        environment: environment.iter().map(pair).collect(),
        now: "2026-12-01T02:03:04Z".to_owned(),
        ..Facts::default()
    }
}

fn config(text: &str, facts: &Facts) -> Result<Config, BakeError> {
    let file = File { name: "docker-bake.hcl".to_owned(), text: text.to_owned() };
    read(Config::default(), &[file], facts)
}

fn print(text: &str, names: &[&str], set: &[&str], facts: &Facts) -> String {
    let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let selected =
        config(text, facts).and_then(|config| config.select(&owned(names), &owned(set), facts));
    match selected {
        Ok(selected) => serde_json::to_string(&selected).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_docker_prints() {
    let app = r#""app":{"context":".","dockerfile":"Dockerfile","dockerfile-inline":"FROM alpine\nARG V\nRUN echo app $V\n","args":{"V":"1"},"labels":{"a":"b"},"tags":["k/app:latest"]}"#;
    let db = r#""db":{"context":".","dockerfile":"Dockerfile","dockerfile-inline":"FROM alpine\nARG V\nRUN echo db $V\n","args":{"V":"2"},"labels":{"a":"b"},"tags":["k/db:LATESTx"]}"#;
    assert_eq!(
        print(FILE, &[], &[], &facts(&[])),
        format!(r#"{{"group":{{"default":{{"targets":["app","db"]}}}},"target":{{{app},{db}}}}}"#)
    );
    let app = app.replace("latest", "t");
    assert_eq!(
        print(FILE, &["app"], &[], &facts(&[("TAG", "t")])),
        format!(r#"{{"group":{{"default":{{"targets":["app"]}}}},"target":{{{app}}}}}"#)
    );
    let set = ["*.platform=linux/amd64", "m-x.args.Q=1"];
    assert_eq!(
        print(FILE, &["m"], &set, &facts(&[])),
        r#"{"group":{"default":{"targets":["m"]},"m":{"targets":["m-x","m-y"]}},"target":{"m-x":{"context":".","dockerfile":"Dockerfile","dockerfile-inline":"FROM scratch\nLABEL v=x\n","args":{"Q":"1"},"tags":["k/m:x"],"platforms":["linux/amd64"]},"m-y":{"context":".","dockerfile":"Dockerfile","dockerfile-inline":"FROM scratch\nLABEL v=y\n","tags":["k/m:y"],"platforms":["linux/amd64"]}}}"#
    );
    assert_eq!(print(FILE, &["nosuch"], &[], &facts(&[])), "failed to find target nosuch");
    let names: Vec<String> =
        config(FILE, &facts(&[])).unwrap().groups.into_iter().map(|g| g.name).collect();
    assert_eq!(names, ["default", "m"]);
}

fn tags(expression: &str, environment: &[(&str, &str)]) -> String {
    let text = format!(
        "variable \"N\" {{\n default = 3\n}}\nvariable \"L\" {{\n type = list(string)\n default = [\"a\", \"b\"]\n}}\n\
         function \"twice\" {{\n params = [x]\n result = \"${{x}}${{x}}\"\n}}\nlocal = \"g\"\n\
         target \"default\" {{\n context = \"c\"\n tags = [{expression}]\n}}\n"
    );
    match config(&text, &facts(environment)) {
        Ok(config) => config.targets[0].tags.clone().unwrap().join("|"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn expressions() {
    for (expression, expected) in [
        (r#"N + 1"#, "4"),
        (r#"N > 2 ? "big" : "small""#, "big"),
        (r#""${local}-${N}""#, "g-3"),
        (r#"twice("ab")"#, "abab"),
        (r#"join(",", [for k, v in L : "${k}${v}" if v != "a"])"#, "1b"),
        (r#"join(",", [for v in L : upper(v)])"#, "A,B"),
        (r#"{for v in L : v => upper(v)}["b"]"#, "B"),
        (r#"[{x = 1}, {x = 2}].*.x[1]"#, "2"),
        (r#""%{ if N == 3 }yes%{ else }no%{ endif }""#, "yes"),
        (r#""%{ for v in L ~} <${v}> %{~ endfor }""#, "<a><b>"),
        (r#"format("%s-%03d-%v", "a", 7, true)"#, "a-007-true"),
        (r#"split("/", "a/b")[1]"#, "b"),
        (r#"replace("a.b.c", ".", "-")"#, "a-b-c"),
        (r#"regex("v([0-9]+)", "v12")[0]"#, "12"),
        (r#"regex_replace("a1b2", "[0-9]", "")"#, "ab"),
        (r#"substr("hello", 1, 3)"#, "ell"),
        (r#"title("hello world")"#, "Hello World"),
        (r#"trimprefix("v1", "v"), trimspace(" x ")"#, "1|x"),
        (r#"try(nothing, "other"), can(nothing)"#, "other|false"),
        (r#"convert("3", number) + 1"#, "4"),
        (r#"lookup({a = "x"}, "b", "none")"#, "none"),
        (r#"merge({a = 1}, {a = 2}).a"#, "2"),
        (r#"join("", concat(L, ["c"], reverse(["e", "d"])))"#, "abcde"),
        (r#"sanitize("a.b/c"), basename("x/y"), dirname("x/y")"#, "a_b_c|y|x"),
        (r#"formatdate("YYYY-MM-DD'T'hh", timestamp())"#, "2026-12-01T02"),
        (r#"target.default.context"#, "c"),
        (r#"jsonencode({b = [1], a = null})"#, r#"{"a":null,"b":[1]}"#),
        (r#"base64encode("hi"), urlencode("a b/c")"#, "aGk=|a+b%2Fc"),
        (r#"length(L), max(1, 5, 3), range(3)[2], element(L, 5)"#, "2|5|2|b"),
        (r#"substr(sha256(""), 0, 8)"#, "e3b0c442"),
        ("<<EOT\n  x\nEOT\n", "  x\n"),
        ("<<-EOT\n  x ${N}\n   y\n  EOT\n", "x 3\n y\n"),
    ] {
        let found = tags(expression, &[]);
        assert_eq!(found, expected, "{expression}");
    }
    assert_eq!(tags("N + 1", &[("N", "9")]), "10");
    assert_eq!(tags("L[1]", &[("L", "x,y")]), "y");
    assert_eq!(tags("L[1]", &[("L", "x,y"), ("L_JSON", "[\"p\",\"q\"]")]), "q");
}

#[test]
fn faults() {
    for (expression, part) in [
        ("nothing", "Unknown variable; there is no variable named \"nothing\""),
        ("upper()", "it does not take 0 arguments"),
        ("nosuch(1)", "there is no function named \"nosuch\""),
        ("md5(\"x\")", "this function is not part of this version"),
        ("\"${L}\"", "a list of strings is required, not of list"),
        ("\"x${L}\"", "Invalid template interpolation value"),
        ("target.default.tags", "reference cycle not allowed for target.default.tags"),
        ("1 / 0", "Division by zero"),
        ("null.x", "has no attributes"),
    ] {
        let found = tags(expression, &[]);
        assert!(
            found.starts_with("docker-bake.hcl:15,") && found.contains(part),
            "{expression}: {found}"
        );
    }
    let fault = |text: &str| config(text, &facts(&[])).unwrap_err().to_string();
    assert!(
        fault("variable \"A\" {\n default = B\n}\nvariable \"B\" {\n default = A\n}\n")
            .contains("variable cycle not allowed")
    );
    assert!(
        fault("target \"a\" {\n colour = 1\n}\n")
            .contains("an argument named \"colour\" is not expected here")
    );
    assert!(fault("target \"a b\" {}\n").contains("are allowed"));
    assert!(fault("group \"g\" {}\n").contains("\"targets\" is required"));
    assert!(fault("target \"a\" {\n name = \"x\"\n}\n").contains("name requires matrix"));
    let checked = "variable \"P\" {\n default = 1\n validation {\n condition = P > 5\n error_message = \"P is ${P}\"\n }\n}\n";
    assert!(fault(checked).ends_with("Validation failed; P is 1"), "{}", fault(checked));
}

#[test]
fn no_file_grows_without_end() {
    let mut text = "v0 = \"xxxxxxxxxxxxxxxx\"\n".to_owned();
    for n in 1..64 {
        text.push_str(&format!("v{n} = \"${{v{}}}${{v{0}}}\"\n", n - 1));
    }
    text.push_str("target \"a\" {\n context = v63\n}\n");
    assert!(config(&text, &facts(&[])).unwrap_err().to_string().contains("may ask for"));
    let endless =
        "function \"f\" {\n params = [x]\n result = f(x)\n}\ntarget \"a\" {\n context = f(1)\n}\n";
    assert!(config(endless, &facts(&[])).unwrap_err().to_string().contains("too deep"));
    let wide = "target \"a\" {\n matrix = { x = range(1000), y = range(1000) }\n name = \"a\"\n}\n";
    assert!(config(wide, &facts(&[])).unwrap_err().to_string().contains("too many combinations"));
}

#[test]
fn links_and_overrides() {
    let text = r#"
target "base" {
  dockerfile = "base.Dockerfile"
}
target "app" {
  contexts = { base = "target:base", src = "./src" }
  output = ["type=image,name=x"]
  cache-from = ["me/cache", { type = "local", src = "in" }]
  secret = ["id=a,src=f", { id = "b", env = "B" }]
  ssh = [{ id = "default" }]
  no-cache = true
  network = "host"
}
"#;
    let found =
        print(text, &["app"], &["app.push=true", "*.no-cache=false", "app.tags+=t"], &facts(&[]));
    assert_eq!(
        found,
        r#"{"group":{"default":{"targets":["app"]}},"target":{"app":{"context":".","contexts":{"base":"target:base","src":"./src"},"dockerfile":"Dockerfile","tags":["t"],"cache-from":[{"ref":"me/cache","type":"registry"},{"src":"in","type":"local"}],"secret":[{"id":"a","src":"f"},{"id":"b","env":"B"}],"ssh":[{"id":"default"}],"output":[{"name":"x","push":"true","type":"image"}],"no-cache":false,"network":"host","entitlements":["network.host"]},"base":{"context":".","dockerfile":"base.Dockerfile","output":[{"type":"cacheonly"}],"no-cache":false}}}"#
    );
    let selected =
        config(text, &facts(&[])).unwrap().select(&["app".to_owned()], &[], &facts(&[])).unwrap();
    let order: Vec<&str> = selected.order().iter().map(|target| target.name.as_str()).collect();
    assert_eq!(order, ["base", "app"]);
    assert!(selected.targets["base"].is_linked && !selected.targets["app"].is_linked);
    assert!(print(text, &["app"], &["app.colour=1"], &facts(&[])).contains("unknown key: colour"));
    assert!(
        print(text, &["app"], &["x.tags=1"], &facts(&[]))
            .contains("could not find any target matching 'x'")
    );
    let round = "target \"a\" {\n contexts = { b = \"target:b\" }\n}\ntarget \"b\" {\n contexts = { a = \"target:a\" }\n}\n";
    assert!(print(round, &["a"], &[], &facts(&[])).contains("infinite loop from b to a"));
}
