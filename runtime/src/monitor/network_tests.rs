use super::*;
use crate::networks::scripted;
use coracle_netns::protocol::Protocol;

fn got(ip: &str, interface: &str) -> Connected {
    Connected {
        endpoint: "88d496f427f1".to_owned(),
        interface: interface.to_owned(),
        ip: ip.parse().ok(),
        mac: [2, 0, 0, 0, 0, 7],
        ..Connected::default()
    }
}

fn published(host_port: u16) -> Published {
    let host_ip = "0.0.0.0".parse().unwrap();
    Published { protocol: Protocol::Tcp, inner: 80, host_ip, host_port }
}

fn store(temp: &tempfile::TempDir, names: &[&str]) -> (Paths, Networks) {
    let paths = Paths { data: temp.path().to_owned(), run: temp.path().join("run") };
    let store = Networks::new(paths.networks());
    for name in names {
        let name = (*name).to_owned();
        let request = networks::CreateNetwork { name, ipv4: true, ..Default::default() };
        store.create(request).unwrap();
    }
    (paths, store)
}

fn container(mode: &str, names: &[&str]) -> Container {
    let mut container = Container { name: "c".to_owned(), ..Container::default() };
    container.host_config.network_mode = mode.to_owned();
    for name in names {
        let wish = EndpointSettings::default();
        container.network_settings.networks.insert((*name).to_owned(), wish);
    }
    container
}

fn handed() -> Handed {
    let null = || std::fs::File::open("/dev/null").unwrap().into();
    Handed { namespace: null(), route: null() }
}

#[test]
fn the_network_of_the_mode_is_connected_first() {
    let temp = tempfile::tempdir().unwrap();
    let (_paths, store) = store(&temp, &["a", "z"]);
    let replies = ["172.18.0.2", "172.19.0.2"].map(|ip| Reply::Connected(got(ip, "eth0")));
    let (helper, script) = scripted(replies.to_vec());
    let mut state = NetworkState::default();
    connect_all(&helper, &store, &container("z", &["a", "z"]), &mut state).unwrap();
    let asked: Vec<String> = script
        .join()
        .unwrap()
        .into_iter()
        .map(|ask| match ask {
            Ask::Connect(connect) => connect.network.name,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(asked, ["z", "a"]);
    assert_eq!(state.endpoints["z"].got.ip, "172.18.0.2".parse().ok());
}

#[test]
fn the_helpers_words_are_the_error() {
    let temp = tempfile::tempdir().unwrap();
    let (_paths, store) = store(&temp, &["n1"]);
    let message = "Address already in use".to_owned();
    let (helper, _script) = scripted(vec![Reply::Failed { message }]);
    let mut state = NetworkState::default();
    let error = connect_all(&helper, &store, &container("n1", &["n1"]), &mut state).unwrap_err();
    let failure = refused(error);
    assert_eq!(failure.message, "failed to set up container networking: Address already in use");
    assert_eq!(failure.code, 128);
}

#[test]
fn ports_are_published_where_there_is_a_way_in() {
    let temp = tempfile::tempdir().unwrap();
    let (_paths, store) = store(&temp, &["n1"]);
    let inner = networks::CreateNetwork {
        name: "ni".to_owned(),
        ipv4: true,
        internal: true,
        ..Default::default()
    };
    store.create(inner).unwrap();
    let mut container = container("n1", &["n1"]);
    container.host_config.publish_all_ports = true;
    container.config.exposed_ports.insert("80/tcp".into(), crate::model::Empty {});
    let wiring = |helper| Wiring {
        helper: Some(helper),
        handed: handed(),
        links: Vec::new(),
        attempts: 0,
        retry_at: None,
    };

    // In an internal network there is nobody to publish to, which is no error.
    let mut state = NetworkState::default();
    state.add("ni", "1", got("172.18.0.2", "eth0"));
    let (helper, script) = scripted(Vec::new());
    wiring(helper).publish(&store, &container, 0, &mut state).unwrap();
    assert!(script.join().unwrap().is_empty());
    assert_eq!(state.ports, [("80/tcp".into(), None)].into());

    let mut state = NetworkState::default();
    state.add("n1", "2", got("172.19.0.2", "eth0"));
    let (helper, script) = scripted(vec![Reply::Published { ports: vec![published(32768)] }]);
    let wired = wiring(helper);
    wired.publish(&store, &container, 0, &mut state).unwrap();
    assert_eq!(script.join().unwrap().len(), 1);
    assert_eq!(state.ports["80/tcp"].as_deref().unwrap()[0].host_port, "32768");
    // What is published stays; nobody is asked again.
    wired.publish(&store, &container, 0, &mut state).unwrap();

    let message = "Bind for 0.0.0.0:8080 failed: port is already allocated".to_owned();
    let (helper, _script) = scripted(vec![Reply::Failed { message }]);
    state.published.clear();
    let error = wiring(helper).publish(&store, &container, 0, &mut state).unwrap_err();
    assert_eq!(
        error,
        "driver failed programming external connectivity on endpoint c (88d496f427f1): Bind for \
         0.0.0.0:8080 failed: port is already allocated"
    );
}

#[test]
fn another_helper_is_told_what_was_there() {
    let temp = tempfile::tempdir().unwrap();
    let (paths, store) = store(&temp, &["n1"]);
    let id = store.find("n1").unwrap().id;
    let mut state = NetworkState { broken: "lost".to_owned(), ..NetworkState::default() };
    state.add("n1", &id, got("172.18.0.5", "eth3"));
    state.published = vec![published(8080)];
    let (helper, script) = scripted(vec![
        Reply::Done,
        Reply::Connected(got("172.18.0.5", "eth3")),
        Reply::Published { ports: vec![published(8080)] },
    ]);
    let container = container("n1", &["n1"]);
    rejoin_at(&helper, &paths, &container, &mut state, &handed()).unwrap();
    assert_eq!(state.broken, "");
    let asked = script.join().unwrap();
    assert!(matches!(&asked[0], Ask::Join(_)));
    let Ask::Connect(connect) = &asked[1] else { panic!("{asked:?}") };
    assert!(connect.again);
    assert_eq!(connect.last_ip, "172.18.0.5".parse().ok());
    assert_eq!(connect.interface.as_deref(), Some("eth3"));
    assert_eq!(connect.mac, Some([2, 0, 0, 0, 0, 7]));
    let Ask::Publish { ports } = &asked[2] else { panic!("{asked:?}") };
    assert_eq!(ports[0].host_ip, "0.0.0.0".parse().ok());
    assert_eq!(ports[0].host_ports, (8080, 8080), "the same, or an error");
}

#[test]
fn what_cannot_be_had_back_leaves_the_state_as_it_was() {
    let temp = tempfile::tempdir().unwrap();
    let (paths, store) = store(&temp, &["n1"]);
    let id = store.find("n1").unwrap().id;
    let mut state = NetworkState::default();
    state.add("n1", &id, got("172.18.0.5", "eth0"));
    let before = state.clone();
    let message = "Address already in use".to_owned();
    let (helper, _script) = scripted(vec![Reply::Done, Reply::Failed { message }]);
    let container = container("n1", &["n1"]);
    let error = rejoin_at(&helper, &paths, &container, &mut state, &handed()).unwrap_err();
    assert_eq!((error.as_str(), state), ("Address already in use", before));
}
