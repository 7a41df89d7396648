//! Records that a power cut, a full disk or a newer version left behind: everything else goes on.

use std::fs;
use std::path::PathBuf;

use coracle_integration::TestEnv;

/// What a file may hold after a power cut, and what a newer version would write.
fn damages(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let half = good.get(..good.len().div_euclid(2)).expect("a half").to_vec();
    vec![
        ("empty", Vec::new()),
        ("zeroed", vec![0; good.len()]),
        ("cut off", half),
        ("of the wrong type", b"[1, 2]".to_vec()),
        ("newer", br#"{"version":99,"id":{"what":"else"}}"#.to_vec()),
    ]
}

fn record(env: &TestEnv, id: &str, file: &str) -> PathBuf {
    env.data().join("containers").join(id).join(file)
}

fn create(env: &TestEnv, name: &str) -> String {
    let args = ["create", "--network", "none", "--name", name, "alpine", "sleep", "1000"];
    env.run(args).success().line()
}

/// Each damage of one file of a container's: lists go on, commands say it, `rm -f` removes it.
fn each_damage_of(file: &str) {
    let env = TestEnv::new();
    let good = create(&env, "good");
    let bad = create(&env, "bad");
    let short = &bad[..12];
    let path = record(&env, &bad, file);
    let whole = fs::read(&path).expect("a record");
    for (kind, bytes) in damages(&whole) {
        fs::write(&path, &bytes).expect("our file");
        for list in
            [&["ps", "-aq", "--no-trunc"][..], &["ps", "-a", "--format", "{{.ID}}", "--no-trunc"]]
        {
            let listed = env.run(list).success();
            assert_eq!(listed.line(), good, "{kind}: {list:?}");
            let warnings = listed.stderr().matches("warning: container").count();
            assert_eq!(warnings, 1, "{kind}: {}", listed.stderr());
            listed.stderr_has(short).stderr_has(&format!("`coracle rm -f {short}` removes it"));
        }
        for list in [
            &["images"][..],
            &["info"],
            &["system", "df"],
            &["volume", "ls"],
            &["network", "ls"],
            &["compose", "ls", "-a"],
            &["container", "prune", "-f", "--filter", "label=none"],
            &["image", "prune", "-f"],
            &["events", "--since", "1", "--until", "2"],
        ] {
            env.run(list).success();
        }
        for command in ["inspect", "start", "logs", "rm"] {
            env.run([command, &bad]).code(1).stderr_has(short).stderr_has("hint: ");
        }
        env.run(["exec", &bad, "true"]).code(1).stderr_has(short);
        // Its name is not given away.
        env.run(["create", "--name", "bad", "alpine"]).code(125).stderr_has("already in use");
        assert_eq!(fs::read(&path).expect("still there"), bytes, "{kind}: left as it was");
    }
    env.run(["rm", "-f", short]).success().stdout_is(&format!("{short}\n"));
    assert!(!env.data().join("containers").join(&bad).exists());
    env.run(["ps", "-aq"]).success().stderr_is("");
    // The name is free again.
    create(&env, "bad");
    env.run(["rm", "-f", "good", "bad"]).success();
    env.assert_nothing_left();
}

#[test]
fn of_a_containers_record() {
    each_damage_of("container.json");
}

#[test]
fn of_a_containers_state() {
    each_damage_of("state.json");
}

#[test]
fn a_running_container_whose_files_are_damaged_is_ended_and_removed() {
    for file in ["container.json", "state.json"] {
        let env = TestEnv::new();
        let run = ["run", "-d", "--name", "c1", "-p", "127.0.0.1:0:80", "alpine", "sleep", "1000"];
        let id = env.run(run).success().line();
        let pid = env.run(["inspect", "--format", "{{.State.Pid}}", "c1"]).success().line();
        fs::write(record(&env, &id, file), "").expect("our file");
        env.run(["ps", "-q"]).success().stdout_is("").stderr_has(&id[..12]);
        env.run(["rm", "-f", &id[..20]]).success();
        assert!(
            !PathBuf::from(format!("/proc/{pid}/root")).exists(),
            "{file}: process {pid} still runs"
        );
        env.assert_nothing_left();
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_told_and_kept() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    if rustix::process::geteuid().is_root() {
        coracle_integration::skip!("root may read everything");
    }
    let id = create(&env, "closed");
    let folder = env.data().join("containers").join(&id);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).expect("our folder");
    env.run(["ps", "-a"]).success().stderr_has(&format!("warning: container {}: ", &id[..12]));
    // What sweeps debris leaves it alone.
    env.run(["run", "--rm", "--network", "none", "alpine", "true"]).success();
    env.run(["rm", "-f", "closed"]).success();
    assert!(!folder.exists());
    env.assert_nothing_left();
}

#[test]
fn a_lost_state_is_repaired_and_the_files_kept() {
    let env = TestEnv::new();
    let run = ["run", "--network", "none", "--name", "c1", "alpine", "sh", "-c", "echo kept > /f"];
    env.run(run).success();
    let id = env.containers().remove(0);
    env.run(["system", "check"]).success();
    fs::write(record(&env, &id, "state.json"), [0; 300]).expect("our file");
    env.run(["system", "check"]).code(1).stdout_has(&format!("container {}: ", &id[..12]));
    env.run(["system", "check", "--repair"]).success().stdout_has("repaired: ");
    env.run(["cp", "c1:/f", "-"]).success().stdout_has("kept");
    env.run(["system", "check"]).success().stdout_is("");
    env.run(["rm", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn a_damaged_name_still_leads_to_its_container() {
    let env = TestEnv::new();
    let id = create(&env, "c1");
    let name = env.data().join("containers/names/c1");
    for bytes in [&b""[..], &[0; 64], &id.as_bytes()[..30]] {
        fs::write(&name, bytes).expect("our file");
        assert_eq!(env.run(["inspect", "--format", "{{.Id}}", "c1"]).success().line(), id);
        env.run(["create", "--name", "c1", "alpine"]).code(125).stderr_has("already in use");
    }
    env.run(["system", "check"]).code(1).stdout_has("its name c1 does not lead to it");
    env.run(["system", "check", "--repair"]).success();
    assert_eq!(fs::read_to_string(&name).expect("a name"), id);
    env.run(["rm", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn of_networks() {
    let env = TestEnv::new();
    env.run(["network", "create", "n1"]).success();
    let id = env.run(["network", "create", "n2"]).success().line();
    let file = env.data().join(format!("networks/{id}.json"));
    let whole = fs::read(&file).expect("a record");
    for (kind, bytes) in damages(&whole) {
        fs::write(&file, &bytes).expect("our file");
        let listed = env.run(["network", "ls", "--format", "{{.Name}}"]).success();
        assert_eq!(listed.lines(), ["bridge", "host", "n1", "none"], "{kind}");
        listed.stderr_has(&format!("warning: network {}: ", &id[..12]));
        env.run(["network", "inspect", &id]).code(1).stderr_has("its record cannot be used");
        env.run(["run", "--rm", "--network", "n1", "alpine", "true"]).success();
        env.run(["network", "prune", "-f", "--filter", "label=none"]).success();
        assert_eq!(fs::read(&file).expect("still there"), bytes);
    }
    // The last damage was a newer version's.
    env.run(["network", "rm", &id]).code(1).stderr_has("newer");
    env.run(["network", "rm", "-f", &id]).success();
    assert!(!file.exists());
    let three = env.data().join("networks/predefined.json");
    let whole = fs::read(&three).expect("a record");
    for (kind, bytes) in damages(&whole) {
        fs::write(&three, &bytes).expect("our file");
        let listed = env.run(["network", "ls", "--format", "{{.Name}}"]).success();
        assert_eq!(listed.lines(), ["bridge", "host", "n1", "none"], "{kind}");
        env.run(["network", "ls"]).success().stderr_is("");
        env.run(["run", "--rm", "alpine", "true"]).success();
    }
    let aside = fs::read(env.data().join("networks/predefined.json.format-99"));
    assert!(aside.expect("the newer file, put aside").starts_with(b"{\"version\":99"));
    env.run(["network", "rm", "n1"]).success();
    env.assert_nothing_left();
}

#[test]
fn of_volumes() {
    let env = TestEnv::new();
    env.run(["volume", "create", "v1"]).success();
    let write = ["run", "--rm", "--network", "none", "-v", "v2:/v", "alpine", "sh", "-c"];
    env.run(write.iter().chain(&["echo kept > /v/f"])).success();
    let file = env.data().join("volumes/v2/volume.json");
    let whole = fs::read(&file).expect("a record");
    for (kind, bytes) in damages(&whole) {
        fs::write(&file, &bytes).expect("our file");
        let listed = env.run(["volume", "ls", "-q"]).success().stdout_is("v1\n");
        listed.stderr_has("warning: volume v2: ");
        env.run(["volume", "inspect", "v2"]).code(1).stderr_has("its record cannot be used");
        env.run(["volume", "rm", "v2"]).code(1).stderr_has("hint: ");
        env.run(["volume", "prune", "-af", "--filter", "label=none"]).success();
        assert_eq!(fs::read(&file).expect("still there"), bytes, "{kind}");
        if kind != "newer" {
            env.run(["system", "check", "--repair"]).success().stdout_has("volume v2: ");
            env.run(write.iter().chain(&["cat /v/f"])).success().stdout_is("kept\n");
        }
    }
    env.run(["system", "check", "--repair"]).code(1).stdout_has("newer");
    env.run(["volume", "rm", "-f", "v2"]).success();
    env.run(["volume", "rm", "v1"]).success();
    env.assert_nothing_left();
}

#[test]
fn volumes_and_layers_of_a_record_that_cannot_be_read_are_kept() {
    let env = TestEnv::new();
    let args = ["create", "--network", "none", "-v", "v1:/v", "-v", "/anonymous", "bb", "true"];
    let id = env.run(args).success().line();
    let path = record(&env, &id, "container.json");
    let newer = String::from_utf8(fs::read(&path).expect("a record")).expect("text");
    let newer = newer.replacen("\"version\":1", "\"version\":9", 1);
    fs::write(&path, &newer).expect("our file");
    env.run(["volume", "prune", "-af"]).success().stdout_is("Total reclaimed space: 0B\n");
    env.run(["volume", "rm", "v1"]).code(1).stderr_has("volume is in use");
    env.run(["image", "prune", "-af"]).success();
    env.run(["images", "-q", "bb"]).success().stderr_has("warning: container");
    assert_eq!(env.run(["images", "-q", "bb"]).lines().len(), 1, "its image is in use");
    // Nothing is known of this one.
    fs::write(&path, "").expect("our file");
    let pruned = env.run(["volume", "prune", "-af"]).success();
    pruned.stdout_is("Total reclaimed space: 0B\n").stderr_has("no volume is removed while");
    env.run(["rm", "-f", &id]).success();
    assert!(env.run(["volume", "prune", "-af"]).success().stdout().contains("v1"));
    env.assert_nothing_left();
}

#[test]
fn of_the_image_index() {
    let env = TestEnv::new();
    env.run(["tag", "alpine", "mine:1"]).success();
    let names = env.run(["images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"]).success();
    create(&env, "c1");
    let file = env.data().join("images.json");
    let whole = fs::read(&file).expect("the index");
    for (kind, bytes) in damages(&whole).into_iter().take(4).chain([("gone", Vec::new())]) {
        if kind == "gone" {
            fs::remove_file(&file).expect("our file");
        } else {
            fs::write(&file, &bytes).expect("our file");
        }
        for command in [
            &["images"][..],
            &["run", "--rm", "alpine", "true"],
            &["rmi", "mine:1"],
            &["tag", "alpine", "x"],
            &["image", "prune", "-af"],
        ] {
            let output = env.run(command);
            assert_ne!(output.status(), 0, "{kind}: {command:?}");
            output.stderr_has("`coracle system check --repair` makes it anew");
        }
        for command in [
            &["ps", "-a"][..],
            &["info"],
            &["system", "df"],
            &["start", "c1"],
            &["exec", "c1", "true"],
            &["stop", "-t", "0", "c1"],
            &["compose", "ls"],
        ] {
            env.run(command).success();
        }
        env.run(["system", "check"]).code(1).stdout_has("images.json: ");
        env.run(["system", "check", "--repair"]).success().stdout_has("made anew");
        env.run(["images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"])
            .success()
            .stdout_is(&names.stdout());
        env.run(["run", "--rm", "--network", "none", "mine:1", "true"]).success();
        env.run(["system", "check"]).success().stdout_is("");
    }
    // Without the copy as well: what containers call their images is left.
    fs::write(&file, "").expect("our file");
    fs::write(env.data().join("images.json.bak"), "").expect("our file");
    env.run(["system", "check", "--repair"]).success();
    env.run(["run", "--rm", "--network", "none", "alpine", "true"]).success();
    let mut ids = env.run(["images", "-aq", "--no-trunc"]).success().lines();
    ids.dedup();
    assert_eq!(ids.len(), 2, "alpine, and bb without its name");
    // One that a newer version wrote is left to it.
    let newer = br#"{"version":99,"images":{}}"#;
    fs::write(&file, newer).expect("our file");
    env.run(["system", "check", "--repair"]).code(1).stdout_has("newer");
    env.run(["images"]).code(1).stderr_has("newer");
    env.run(["ps"]).success();
    assert_eq!(fs::read(&file).expect("still there"), newer);
    fs::write(&file, whole).expect("our file");
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}

#[test]
fn of_blobs_and_layers() {
    let env = TestEnv::new();
    let layers = env.data().join("layers");
    let diff = fs::read_dir(&layers).expect("layers").next().expect("one").expect("it").path();
    let program = diff.join("diff/bin/busybox");
    let size = fs::metadata(&program).expect("the program").len();
    fs::write(&program, vec![0; usize::try_from(size).expect("small")]).expect("our file");
    env.run(["system", "check"]).code(1).stdout_has("`bin/busybox` has another content");
    env.run(["system", "check", "--repair"]).success().stdout_has("repaired: unpacked again");
    env.run(["run", "--rm", "--network", "none", "alpine", "true"]).success();
    fs::remove_dir_all(diff.join("diff")).expect("our folder");
    env.run(["system", "check", "--repair"]).success();
    env.run(["run", "--rm", "--network", "none", "alpine", "true"]).success();
    let blob = fs::read_dir(env.data().join("blobs/sha256")).expect("blobs");
    let largest = blob.flatten().max_by_key(|entry| entry.metadata().map_or(0, |it| it.len()));
    let largest = largest.expect("a blob").path();
    let whole = fs::read(&largest).expect("a blob");
    fs::write(&largest, &whole[..whole.len() - 1]).expect("our file");
    let hex = largest.file_name().expect("a name").to_string_lossy()[..12].to_owned();
    env.run(["system", "check"]).code(1).stdout_has(&format!("blob {hex}: its content has"));
    fs::write(&largest, &whole).expect("our file");
    fs::write(env.data().join("blobs/sha256").join("0".repeat(64)), "debris").expect("our file");
    let json = env.run(["system", "check", "--format", "json"]).code(1).json();
    assert!(json["Findings"].as_array().is_some_and(|all| !all.is_empty()), "{json}");
    // Its content is not what its name says: it is damaged first, then gone.
    env.run(["system", "check", "--repair"]).success();
    env.run(["system", "check"]).success().stdout_is("");
    env.assert_nothing_left();
}

#[test]
fn a_torn_line_costs_no_other_event() {
    let env = TestEnv::new();
    create(&env, "c1");
    let file = env.data().join("events.jsonl");
    let mut bytes = fs::read(&file).expect("events");
    let torn = bytes.len() - 40;
    bytes.truncate(torn);
    fs::write(&file, bytes).expect("our file");
    env.run(["rename", "c1", "c2"]).success();
    let events = ["events", "--since", "1", "--until", "0s", "--format", "{{.Action}}"];
    let seen = env.run(events).success();
    assert!(seen.lines().contains(&"rename".to_owned()), "{}", seen.stdout());
    env.run(["rm", "c2"]).success();
    env.assert_nothing_left();
}

const APP: &str = "name: app\nservices:\n  a: {image: alpine, command: sleep 1000}\n  b: {image: alpine, command: sleep 1000}\n";

#[track_caller]
fn warns_once(output: &coracle_integration::Output, of: &str) {
    let text = output.stderr();
    assert_eq!(text.matches(&format!("warning: {of} ")).count(), 1, "{output}");
}

#[test]
fn compose_goes_on_beside_a_container_that_cannot_be_read() {
    let env = TestEnv::new();
    env.write("compose.yaml", APP);
    env.run(["compose", "up", "-d"]).success();
    let id = env.run(["inspect", "--format", "{{.Id}}", "app-b-1"]).success().line();
    fs::write(record(&env, &id, "container.json"), b"").expect("our file");
    let listed = env.run(["compose", "ps", "--services"]).success().stdout_is("a\n");
    warns_once(&listed, "container");
    let up = env.run(["compose", "up", "-d"]).code(1).stderr_has("already in use by container");
    warns_once(&up, "container");
    let down =
        env.run(["compose", "down", "-t", "0"]).success().stderr_has("Container app-a-1 Removed");
    warns_once(&down, "container");
    down.stderr_has("Network app_default Resource is still in use");
    env.run(["rm", "-f", &id]).success();
    env.run(["compose", "down"]).success().stderr_has("Network app_default Removed");
    env.assert_nothing_left();
}

#[test]
fn compose_goes_on_beside_a_network_that_cannot_be_read() {
    let env = TestEnv::new();
    env.write("compose.yaml", APP);
    env.run(["compose", "up", "-d"]).success();
    let id = env.run(["network", "inspect", "--format", "{{.Id}}", "app_default"]).success().line();
    fs::write(env.data().join("networks").join(format!("{id}.json")), b"{").expect("our file");
    env.run(["compose", "ps", "--services"]).success().stdout_is("a\nb\n");
    let down =
        env.run(["compose", "down", "-t", "0"]).success().stderr_has("Container app-b-1 Removed");
    warns_once(&down, "network");
    env.run(["network", "rm", &id[..12]]).success();
    env.run(["compose", "up", "-d"]).success();
    env.run(["compose", "down", "-t", "0"]).success();
    env.assert_nothing_left();
}

#[test]
fn of_the_settings() {
    let env = TestEnv::new();
    env.run(["run", "-d", "--name", "c1", "--network", "none", "alpine", "sleep", "1000"])
        .success();
    let path = env.root().join("home/.config/coracle/config.json");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of ours");
    let hint = "hint: correct it there, or move it away: each setting has a default\n";
    for (text, why) in [
        (
            "{\n  \"log-driver\": \"local\"\n  \"dns\": []\n}",
            "expected `,` or `}` at line 3 column 3",
        ),
        ("{\"log-drivr\": 1}", "unknown field `log-drivr`"),
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{\"limits\": \"maybe\"}", "limits is \"maybe\": it is warn or require"),
        ("{\"data-root\": \"/elsewhere\", \"dns\": 1}", "invalid type: integer `1`"),
    ] {
        fs::write(&path, text).expect("our file");
        let told = format!("cannot use settings file {}: {why}", path.display());
        env.run(["run", "--rm", "alpine", "true"]).code(1).stderr_has(&told).stderr_has(hint);
        env.run(["create", "alpine"]).code(1).stderr_has(&told);
        for looks in [&["ps", "-a"][..], &["logs", "c1"], &["inspect", "c1"], &["images"]] {
            let output = env.run(looks).success().stderr_has(hint);
            output.stderr_has(&format!("WARNING: going on without settings: {told}"));
        }
    }
    // Without the variable the store is where the file says, or nowhere.
    let bare = |text: &str, args: &str| {
        fs::write(&path, text).expect("our file");
        env.sh(&format!("env -u CORACLE_DATA_ROOT docker {args}"))
    };
    let data = env.data();
    let data = data.display();
    bare(&format!("{{\"data-root\": \"{data}\", \"x\": 1}}"), "ps --format '{{.Names}}'")
        .success()
        .stdout_is("c1\n");
    bare("{\"data-root\": \"/cut", "ps").code(1).stderr_has("cannot use settings file");
    env.sh("docker stop -t 0 c1 && docker rm c1 && docker ps -aq").success().stdout_is("c1\nc1\n");
    fs::remove_file(&path).expect("our file");
    env.assert_nothing_left();
}
