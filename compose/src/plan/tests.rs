//! Plans of small worlds.

use std::collections::{BTreeMap, BTreeSet};

use coracle_runtime::model::Status;
use serde_json::json;

use super::*;
use crate::project::{Network, Project, Source, Volume, labels};

struct World {
    project: Project,
    observed: Observed,
    images: BTreeMap<String, String>,
    mounted: BTreeMap<String, String>,
    known: BTreeSet<String>,
}

impl World {
    fn new(services: &serde_json::Value) -> Self {
        let canonical = json!({"name": "app", "services": services,
            "networks": {"default": {"name": "app_default", "ipam": {}}},
            "volumes": {"data": {"name": "app_data"}}});
        let project = Project::from_canonical(&canonical, Source::default()).unwrap();
        let names = || project.services.keys().cloned();
        let images = names().map(|name| (name, "sha256:1111".to_owned())).collect();
        let known = names().collect();
        Self { project, observed: Observed::default(), images, mounted: BTreeMap::new(), known }
    }

    /// As after an `up`.
    fn up(mut self) -> Self {
        let id = |name: &str| Some(format!("id-{name}"));
        for (name, service) in &self.project.services {
            let volumes = service.volumes.iter().filter(|volume| volume.kind == "volume");
            let volumes = volumes.map(|volume| self.project.volume_name(&volume.source)).collect();
            self.observed.containers.push(Seen {
                id: format!("id-{name}"),
                name: format!("app-{name}-1"),
                service: name.clone(),
                number: 1,
                hash: service.hash(&id),
                volumes,
                image: "sha256:1111".to_owned(),
                status: Status::Running,
                origin: service.raw.clone(),
                networks: vec!["app_default".to_owned()],
                ..Seen::default()
            });
        }
        let network = &self.project.networks["default"];
        let labels = ours(labels::NETWORK, "default", &network.hash());
        let network = SeenNetwork { id: "n".to_owned(), labels };
        self.observed.networks.insert("app_default".to_owned(), network);
        let volume = SeenVolume {
            labels: ours(labels::VOLUME, "data", &self.project.volumes["data"].hash()),
        };
        self.observed.volumes.insert("app_data".to_owned(), volume);
        self
    }

    fn network(&mut self) -> &mut Network {
        self.project.networks.get_mut("default").unwrap()
    }

    fn volume(&mut self) -> &mut Volume {
        self.project.volumes.get_mut("data").unwrap()
    }

    /// The world as it is, another file.
    fn with(mut self, services: &serde_json::Value) -> Self {
        let other = Self::new(services);
        self.project = other.project;
        self.images = other.images;
        self.known = other.known;
        self
    }

    fn plan(&self, options: &Options) -> Result<Plan, PlanError> {
        let desired = Desired {
            project: &self.project,
            images: &self.images,
            mounted: &self.mounted,
            known: &self.known,
        };
        plan(&desired, &self.observed, options)
    }

    fn shown(&self, options: &Options) -> String {
        let plan = self.plan(options).unwrap();
        let lines = plan.steps.iter().map(|step| {
            let word = serde_json::to_value(step.action).unwrap();
            let reasons = step.reasons.join("; ");
            format!("{} {} ({reasons})", word.as_str().unwrap(), step.object)
        });
        lines.chain(plan.warnings.iter().cloned()).collect::<Vec<_>>().join("\n")
    }
}

/// The labels of what this project made.
fn ours(label: &str, key: &str, hash: &str) -> BTreeMap<String, String> {
    [(labels::PROJECT, "app"), (label, key), (labels::CONFIG_HASH, hash)]
        .map(|(label, value)| (label.to_owned(), value.to_owned()))
        .into()
}

fn up() -> Options {
    Options { start: true, ..Options::default() }
}

fn service(command: &str) -> serde_json::Value {
    json!({"image": "alpine", "command": [command], "networks": {"default": null}})
}

fn two() -> serde_json::Value {
    let mut web = service("serve");
    web["depends_on"] = json!({"db": {"condition": "service_started", "required": true}});
    json!({"web": web, "db": service("store")})
}

#[test]
fn nothing_there() {
    insta::assert_snapshot!(World::new(&two()).shown(&up()), @r"
    create-network app_default (it is not there)
    create app-db-1 (it is not there)
    start app-db-1 (it is new)
    create app-web-1 (it is not there)
    start app-web-1 (it is new)
    ");
}

#[test]
fn nothing_to_do() {
    let world = World::new(&two()).up();
    assert!(world.plan(&up()).unwrap().is_empty());
    insta::assert_snapshot!(world.shown(&up()), @r"
    keep app-db-1 ()
    keep app-web-1 ()
    ");
}

#[test]
fn only_what_changed_is_made_anew() {
    let mut changed = two();
    changed["db"]["environment"] = json!({"TAG": "two"});
    let world = World::new(&two()).up().with(&changed);
    insta::assert_snapshot!(world.shown(&up()), @r"
    recreate app-db-1 (environment.TAG: unset → two)
    start app-db-1 (it is made anew)
    keep app-web-1 ()
    ");
    let never = Options { recreate: Recreate::Never, ..up() };
    assert!(world.plan(&never).unwrap().is_empty());
}

#[test]
fn another_image_to_be_mounted() {
    let mut a = service("x");
    a["volumes"] = json!([{"type": "image", "source": "files", "target": "/m/"}]);
    let mut world = World::new(&json!({"a": a})).up();
    let mounted = [("/m".to_owned(), "sha256:1111".to_owned())];
    world.observed.containers[0].mounted = mounted.into();
    world.mounted.insert("files".to_owned(), "sha256:1111".to_owned());
    assert!(world.plan(&up()).unwrap().is_empty());
    world.mounted.insert("files".to_owned(), "sha256:2222".to_owned());
    insta::assert_snapshot!(world.shown(&up()), @r"
    recreate app-a-1 (image files at /m: 1111 → 2222)
    start app-a-1 (it is made anew)
    ");
}

#[test]
fn another_image_of_the_same_name() {
    let mut world = World::new(&json!({"a": service("x")})).up();
    world.images.insert("a".to_owned(), "sha256:2222".to_owned());
    insta::assert_snapshot!(world.shown(&up()), @r"
    recreate app-a-1 (image alpine: 1111 → 2222)
    start app-a-1 (it is made anew)
    ");
    world.images.clear();
    insta::assert_snapshot!(world.shown(&up()), @r"
    pull alpine (the image is not here)
    recreate app-a-1 (its image is fetched again)
    start app-a-1 (it is made anew)
    ");
}

#[test]
fn only_the_named_service_is_forced() {
    let world = World::new(&two()).up();
    let forced = Options { recreate: Recreate::Always, targets: vec!["web".to_owned()], ..up() };
    insta::assert_snapshot!(world.shown(&forced), @r"
    keep app-db-1 ()
    recreate app-web-1 (it was asked for)
    start app-web-1 (it is made anew)
    ");
}

#[test]
fn scaling_up_and_down() {
    let world = World::new(&two()).up();
    let scaled = |count| Options { scale: [("db".to_owned(), count)].into(), ..up() };
    insta::assert_snapshot!(world.shown(&scaled(3)), @r"
    keep app-db-1 ()
    create app-db-2 (it is not there)
    start app-db-2 (it is new)
    create app-db-3 (it is not there)
    start app-db-3 (it is new)
    keep app-web-1 ()
    ");
    insta::assert_snapshot!(world.shown(&scaled(0)), @r"
    remove app-db-1 (0 of this service are wanted)
    keep app-web-1 ()
    ");
    let mut named = two();
    named["db"]["container_name"] = json!("fixed");
    let world = World::new(&named);
    let error = world.plan(&scaled(2)).unwrap_err().to_string();
    assert!(error.starts_with("WARNING: The \"db\" service is using the custom container name"));
}

#[test]
fn what_no_service_uses_is_made_only_when_asked_for() {
    let world = World::new(&json!({}));
    insta::assert_snapshot!(world.shown(&up()), @"");
    let all = Options { all_resources: true, ..up() };
    insta::assert_snapshot!(world.shown(&all), @r"
    create-network app_default (it is not there)
    create-volume app_data (it is not there)
    ");
}

#[test]
fn orphans_are_told_of_or_removed() {
    let world = World::new(&two()).up().with(&json!({"db": service("store")}));
    insta::assert_snapshot!(world.shown(&up()), @r"
    keep app-db-1 ()
    Found orphan containers (app-web-1) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.
    ");
    let options = Options { remove_orphans: true, ..up() };
    insta::assert_snapshot!(world.shown(&options), @r#"
    remove app-web-1 (the file has no service "web")
    keep app-db-1 ()
    "#);
}

#[test]
fn who_shares_a_namespace_goes_with_it() {
    let mut services = json!({"db": service("store"), "clone": {"image": "alpine",
        "network_mode": "service:db",
        "depends_on": {"db": {"condition": "service_started", "restart": true}}}});
    let world = World::new(&services).up();
    assert!(world.plan(&up()).unwrap().is_empty());
    services["db"]["command"] = json!(["other"]);
    let world = world.with(&services);
    insta::assert_snapshot!(world.shown(&up()), @r#"
    recreate app-db-1 (command: ["store"] → ["other"])
    start app-db-1 (it is made anew)
    recreate app-clone-1 (it shares with service db, which is made anew)
    start app-clone-1 (it is made anew)
    "#);
}

#[test]
fn what_a_killed_command_left() {
    let mut world = World::new(&json!({"a": service("x")})).up();
    let mut half = world.observed.containers[0].clone();
    half.id = "id-new".to_owned();
    half.name = "new_app-a-1".to_owned();
    half.replaces = Some("app-a-1".to_owned());
    half.status = Status::Created;
    world.observed.containers.push(half);
    insta::assert_snapshot!(world.shown(&up()), @r"
    remove new_app-a-1 (a command that made it was killed)
    keep app-a-1 ()
    ");
    world.observed.containers.remove(0);
    insta::assert_snapshot!(world.shown(&up()), @r"
    rename app-a-1 (a command that put it here was killed)
    start app-a-1 (it is created)
    ");
}

#[test]
fn a_changed_network_keeps_its_containers() {
    let mut services = two();
    services["near"] = json!({"image": "alpine", "network_mode": "service:web",
        "depends_on": {"web": {"condition": "service_started"}}});
    let mut world = World::new(&services).up();
    world.network().raw["internal"] = json!(true);
    insta::assert_snapshot!(world.shown(&up()), @r"
    stop app-web-1 (network app_default is made anew)
    stop app-db-1 (network app_default is made anew)
    replace-network app_default (its configuration changed)
    start app-db-1 (network app_default is made anew)
    start app-web-1 (network app_default is made anew)
    stop app-near-1 (it shares with service web, which is started again)
    start app-near-1 (it shares with service web, which is started again)
    ");
    // `create` starts nothing, so they stay stopped.
    insta::assert_snapshot!(world.shown(&Options::default()), @r"
    stop app-web-1 (network app_default is made anew)
    stop app-db-1 (network app_default is made anew)
    replace-network app_default (its configuration changed)
    keep app-near-1 ()
    ");
    world.observed.networks.get_mut("app_default").unwrap().labels.remove(labels::CONFIG_HASH);
    assert!(world.plan(&up()).unwrap().is_empty(), "nobody knows what it was");
}

#[test]
fn a_network_of_another_name_takes_its_containers_along() {
    let mut world = World::new(&json!({"a": service("x")})).up();
    world.network().name = Some("net".to_owned());
    world.network().raw["name"] = json!("net");
    insta::assert_snapshot!(world.shown(&up()), @r"
    stop app-a-1 (network app_default is called net now)
    rename-network net (it was called app_default)
    start app-a-1 (network app_default is called net now)
    ");
    let step = &world.plan(&up()).unwrap().steps[1];
    assert_eq!((step.from.as_str(), step.id.as_str()), ("app_default", "default"));
    // It is there already, and the old one was left: somebody else is on it.
    let hash = world.network().hash();
    let network =
        SeenNetwork { id: "m".to_owned(), labels: ours(labels::NETWORK, "default", &hash) };
    world.observed.networks.insert("net".to_owned(), network);
    world.observed.containers[0].networks = vec!["net".to_owned()];
    insta::assert_snapshot!(world.shown(&up()), @r#"
    keep app-a-1 ()
    network "app_default" (id n) carries the compose label "default" but does not match the compose file (using "net"); it is left untouched — remove it manually if it is no longer needed
    "#);
}

#[test]
fn what_only_has_the_name_is_used_as_it_is() {
    let mut using = service("x");
    using["volumes"] = json!([{"type": "volume", "source": "data", "target": "/d"}]);
    let mut world = World::new(&json!({"a": using})).up();
    world.observed.networks.get_mut("app_default").unwrap().labels.clear();
    let labels = &mut world.observed.volumes.get_mut("app_data").unwrap().labels;
    labels.insert(labels::PROJECT.to_owned(), "else".to_owned());
    insta::assert_snapshot!(world.shown(&up()), @r#"
    keep app-a-1 ()
    a network with name app_default exists but was not created by compose.
    Set `external: true` to use an existing network
    volume "app_data" already exists but was created for project "else" (expected "app"). Use `external: true` to use an existing volume
    "#);
    // An old Compose gave no label for the key: it is ours all the same.
    let owned = [(labels::PROJECT, "app"), (labels::CONFIG_HASH, "old")];
    world.observed.networks.get_mut("app_default").unwrap().labels =
        owned.map(|(label, value)| (label.to_owned(), value.to_owned())).into();
    world.observed.volumes.clear();
    insta::assert_snapshot!(world.shown(&up()), @r"
    stop app-a-1 (network app_default is made anew)
    replace-network app_default (its configuration changed)
    create-volume app_data (it is not there)
    start app-a-1 (network app_default is made anew)
    ");
}

#[test]
fn a_volume_of_another_name_is_a_new_one() {
    let mut using = service("x");
    using["volumes"] = json!([{"type": "volume", "source": "data", "target": "/d"}]);
    let sharing = json!({"image": "alpine", "volumes_from": ["a"],
        "depends_on": {"a": {"condition": "service_started"}}});
    let mut world = World::new(&json!({"a": using, "b": sharing})).up();
    world.volume().name = Some("vol".to_owned());
    world.volume().raw["name"] = json!("vol");
    insta::assert_snapshot!(world.shown(&up()), @r#"
    create-volume vol (it was called app_data)
    recreate app-a-1 (volume vol is not mounted)
    start app-a-1 (it is made anew)
    recreate app-b-1 (it shares with service a, which is made anew)
    start app-b-1 (it is made anew)
    volume "app_data" carries the compose label "data" but does not match the compose file (using "vol"); it is left untouched — remove it manually if it is no longer needed
    "#);
    let never = Options { recreate: Recreate::Never, ..up() };
    let plan = world.plan(&never).unwrap();
    assert!(plan.steps.iter().all(|step| step.action != Action::Recreate));
}

#[test]
fn volumes_are_replaced_only_when_that_is_wanted() {
    let mut using = service("x");
    using["volumes"] = json!([{"type": "volume", "source": "data", "target": "/d"}]);
    let mut world = World::new(&json!({"a": using})).up();
    world.volume().raw["labels"] = json!({"a": "b"});
    let plan = world.plan(&up()).unwrap();
    assert!(plan.is_empty() && plan.stale_volumes == ["app_data"]);
    let others = Options { replace_volumes: ["else".to_owned()].into(), ..up() };
    assert!(world.plan(&others).unwrap().is_empty(), "each is asked for by itself");
    let these = Options { replace_volumes: ["app_data".to_owned()].into(), ..up() };
    insta::assert_snapshot!(world.shown(&these), @r"
    replace-volume app_data (its configuration changed)
    recreate app-a-1 (volume app_data is made anew)
    start app-a-1 (it is made anew)
    ");
    world.observed.volumes.get_mut("app_data").unwrap().labels.remove(labels::CONFIG_HASH);
    assert!(world.plan(&up()).unwrap().stale_volumes.is_empty(), "nobody knows what it was");
    world.volume().external = true;
    world.observed.volumes.clear();
    let error = world.plan(&up()).unwrap_err();
    assert_eq!(error.to_string(), "external volume \"app_data\" not found");
}

#[test]
fn those_that_are_out_of_date_go_first() {
    let world = World::new(&json!({"a": service("x")})).up();
    let mut old = world.observed.containers[0].clone();
    let more = Seen { id: "id-2".to_owned(), name: "app-a-2".to_owned(), number: 2, ..old.clone() };
    old.hash = "old".to_owned();
    let mut world = world;
    world.observed.containers = vec![old, more];
    insta::assert_snapshot!(world.shown(&up()), @r"
    remove app-a-1 (1 of this service are wanted)
    keep app-a-2 ()
    ");
}

#[test]
fn what_is_scaled_down_goes_before_what_needs_it_is_made() {
    let mut services = two();
    let mut world = World::new(&services).up();
    let db = world.observed.containers.iter().find(|seen| seen.service == "db").unwrap().clone();
    let more = Seen { id: "id-2".to_owned(), name: "app-db-2".to_owned(), number: 2, ..db };
    world.observed.containers.push(more);
    services["web"]["tty"] = json!(true);
    insta::assert_snapshot!(world.with(&services).shown(&up()), @r"
    remove app-db-2 (1 of this service are wanted)
    keep app-db-1 ()
    recreate app-web-1 (tty: unset → true)
    start app-web-1 (it is made anew)
    ");
}

#[test]
fn more_of_a_service_change_nothing_for_who_shares_with_the_first() {
    let clone = json!({"image": "alpine", "network_mode": "service:db",
        "depends_on": {"db": {"condition": "service_started", "restart": true}}});
    let mut world = World::new(&json!({"db": service("store"), "clone": clone})).up();
    let scaled = Options { scale: [("db".to_owned(), 2)].into(), ..up() };
    insta::assert_snapshot!(world.shown(&scaled), @r"
    keep app-db-1 ()
    create app-db-2 (it is not there)
    start app-db-2 (it is new)
    keep app-clone-1 ()
    ");
    // Somebody removed the one it shares with, and made another.
    let db = world.observed.containers.iter_mut().find(|seen| seen.service == "db").unwrap();
    db.id = "another".to_owned();
    insta::assert_snapshot!(world.shown(&up()), @r"
    keep app-db-1 ()
    recreate app-clone-1 (a container it shares with is another one)
    start app-clone-1 (it is made anew)
    ");
}

#[test]
fn a_plan_can_be_kept_and_compared() {
    let world = World::new(&two());
    let made = world.plan(&up()).unwrap();
    let text = serde_json::to_string(&made).unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert!(read.same_steps(&made));
    assert!(!world.up().plan(&up()).unwrap().same_steps(&read));
}

#[test]
fn containers_of_run_are_orphans_once_they_have_ended() {
    let world = |status| {
        let mut world = World::new(&json!({"db": {"image": "x"}})).up();
        let mut one = world.observed.containers[0].clone();
        (one.id, one.name, one.status) = ("id-run".into(), "app-db-run-1".into(), status);
        one.one_off = true;
        world.observed.containers.push(one);
        world.plan(&Options { remove_orphans: true, start: true, ..Options::default() }).unwrap()
    };
    let removed = |plan: Plan| {
        let gone = plan.steps.into_iter().filter(|step| step.action == Action::Remove);
        gone.map(|step| step.object).collect::<Vec<_>>()
    };
    assert_eq!(removed(world(Status::Exited)), ["app-db-run-1"]);
    assert!(removed(world(Status::Running)).is_empty());
}

#[test]
fn what_a_service_takes_part_in_must_be_there() {
    let error = |services: serde_json::Value| {
        let mut world = World::new(&services).up();
        // As `--no-deps` has it, after somebody removed the other container.
        world.project.services.retain(|name, _| name == "web");
        world.observed.containers.retain(|seen| seen.service == "web");
        world.plan(&Options { start: true, ..Options::default() }).unwrap_err().to_string()
    };
    let db = json!({"image": "x"});
    assert_eq!(
        error(json!({"db": db, "web": {"image": "x", "volumes_from": ["db:ro"]}})),
        "cannot share volume with service db: container missing"
    );
    assert_eq!(
        error(json!({"db": db, "web": {"image": "x", "network_mode": "service:db"}})),
        "cannot share network namespace with service db: container missing"
    );
}
