//! What the engine's verbs tell of what they did, and when they tell nothing.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use coracle_image::archive::ImportOptions;
use coracle_image::store::RemoveOptions;
use coracle_image::{ImageError, Reference, Store, StoreOptions};
use coracle_sys::idmap::IdMap;

use super::{Engine, EngineConfig};
use crate::events::{Event, Filter, Span};
use crate::model::{
    Container, ContainerMount, HostConfig, MountPoint, MountType, RECORD_VERSION, Timestamp,
};
use crate::networks::CreateNetwork;
use crate::paths::Paths;
use crate::volumes::{self, CreateVolume};

fn engine(folder: &Path) -> Engine {
    let paths = Paths { data: folder.to_owned(), run: folder.join("run") };
    Engine::open(EngineConfig {
        layers: folder.join("layers"),
        exe: "/proc/self/exe".into(),
        id_map: IdMap::detect(0, 0, None, false),
        cgroup: crate::cgroup::Settings::default(),
        storage: crate::model::Storage::Copy,
        packets: false,
        low_ports: 0,
        limits_optional: false,
        inside: false,
        owner: None,
        docker_socket: crate::docker_socket::DockerSocket::default(),
        paths,
    })
    .unwrap()
}

fn events(engine: &Engine) -> Vec<Event> {
    let span = Span { since: Some(Timestamp::ZERO), until: Some(crate::clock::now()) };
    let mut all = Vec::new();
    engine
        .events
        .read(span, &Filter::default(), &mut |event| {
            all.push(event.clone());
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

/// Kind, action, and what it happened to.
fn told(engine: &Engine) -> Vec<String> {
    let line = |event: Event| {
        let Event { kind, action, actor, .. } = event;
        let name = actor.attributes.get("name").unwrap_or(&actor.id);
        format!("{} {action} {name}", kind.as_str())
    };
    events(engine).into_iter().map(line).collect()
}

fn volume(name: &str) -> CreateVolume {
    CreateVolume { name: Some(name.to_owned()), ..CreateVolume::default() }
}

/// A record of a container that has a volume.
fn container_with(engine: &Engine, volume: &str) -> Container {
    let id = "c".repeat(64);
    let point = MountPoint {
        kind: MountType::Volume,
        name: volume.to_owned(),
        destination: "/data".to_owned(),
        ..MountPoint::default()
    };
    let container = Container {
        version: RECORD_VERSION,
        name: "user".to_owned(),
        mounts: vec![ContainerMount { point, ..ContainerMount::default() }],
        host_config: HostConfig { auto_remove: true, ..HostConfig::default() },
        id,
        ..Container::default()
    };
    std::fs::create_dir_all(engine.paths.container(&container.id)).unwrap();
    engine.records.create(&engine.records.lock().unwrap(), &container).unwrap();
    container
}

#[test]
fn volumes_are_told_of_when_they_come_and_go() {
    let temp = tempfile::tempdir().unwrap();
    let engine = engine(temp.path());
    for name in ["used", "v1", "v1", "v2"] {
        assert_eq!(engine.create_volume(volume(name)).unwrap().name, name);
    }
    let user = container_with(&engine, "used");
    let refused = engine.remove_volume("used", true).unwrap_err().to_string();
    assert!(refused.contains(&user.id), "{refused}");
    engine.remove_volume("v1", false).unwrap();
    assert!(engine.remove_volume("v1", false).is_err());
    engine.remove_volume("v1", true).unwrap();
    let filter = volumes::Filter::for_prune([]).unwrap();
    let pruned = engine.prune_volumes(true, &filter, |_| false).unwrap().unwrap();
    assert_eq!(pruned.names, ["v2"]);
    let all = ["create used", "create v1", "create v2", "destroy v1", "destroy v2"];
    assert_eq!(told(&engine), all.map(|line| format!("volume {line}")));
    let attributes = BTreeMap::from([("driver".to_owned(), "local".to_owned())]);
    assert!(events(&engine).iter().all(|event| event.actor.attributes == attributes));
    // Nobody knows what such a container uses.
    let record = engine.paths.container(&user.id).join("container.json");
    std::fs::write(record, "{").unwrap();
    assert_eq!(engine.prune_volumes(true, &filter, |_| false).unwrap(), None);
}

#[test]
fn networks_are_told_of_when_they_come_and_go() {
    let temp = tempfile::tempdir().unwrap();
    let engine = engine(temp.path());
    let request = CreateNetwork { name: "n1".to_owned(), ipv4: true, ..CreateNetwork::default() };
    engine.create_network(request.clone()).unwrap();
    assert!(engine.create_network(request).is_err());
    engine.remove_network("n1", false).unwrap();
    assert!(engine.remove_network("n1", false).is_err());
    assert_eq!(told(&engine), ["network create n1", "network destroy n1"]);
}

#[test]
fn images_are_told_of_by_their_ids_and_labels() {
    let temp = tempfile::tempdir().unwrap();
    let engine = engine(temp.path());
    let store = Store::open(temp.path(), StoreOptions { one_id: true }).unwrap();
    let images = engine.images(&store);
    let empty = tar::Builder::new(Vec::new()).into_inner().unwrap();
    let options = ImportOptions { changes: vec!["LABEL k=v".to_owned()], ..Default::default() };
    let id = images.import(&mut empty.as_slice(), &options, &|_| {}).unwrap().id.to_string();
    images.tag(&id, &Reference::parse("img").unwrap()).unwrap();
    let asked = ["img:latest".to_owned()];
    let mut archive = Vec::new();
    images.save(&asked, &mut archive, |_| Ok::<_, ImageError>(())).unwrap();
    // An archive that is not put in its place was not saved.
    images
        .save(&asked, &mut archive, |_| Err(ImageError::NoSuchImage { name: "x".to_owned() }))
        .unwrap_err();
    images.remove("img", RemoveOptions::default(), &|| Ok(Vec::new())).unwrap();
    assert!(images.remove("img", RemoveOptions::default(), &|| Ok(Vec::new())).is_err());
    let all = [
        format!("import {id}"),
        "tag img:latest".to_owned(),
        format!("save {id}"),
        "untag img:latest".to_owned(),
        format!("delete {id}"),
    ];
    let told = told(&engine);
    // Nothing is told of its layer.
    assert_eq!(told, all.map(|line| format!("image {line}")));
    let labelled = |event: Event| event.actor.attributes.contains_key("k");
    let labelled: Vec<bool> = events(&engine).into_iter().map(labelled).collect();
    assert_eq!(labelled, [true, true, true, false, false]);
}
