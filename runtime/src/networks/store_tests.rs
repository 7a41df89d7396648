use super::*;

fn networks() -> (tempfile::TempDir, Networks) {
    let temp = tempfile::tempdir().unwrap();
    let networks = Networks::new(temp.path().join("networks"));
    (temp, networks)
}

fn request(name: &str) -> CreateNetwork {
    CreateNetwork { name: name.to_owned(), ipv4: true, ..CreateNetwork::default() }
}

fn with_subnet(name: &str, subnet: &str) -> CreateNetwork {
    let block = IpamConfig { subnet: subnet.to_owned(), ..IpamConfig::default() };
    CreateNetwork { ipam: vec![block], ..request(name) }
}

#[test]
fn the_three_are_always_there_with_the_same_ids() {
    let (_temp, networks) = networks();
    let first = networks.list().unwrap();
    let names: Vec<&str> = first.iter().map(|network| network.name.as_str()).collect();
    assert_eq!(names, ["bridge", "host", "none"]);
    assert_eq!(networks.list().unwrap(), first);
    assert!(!first[0].has_names() && first[0].has_endpoints() && !first[1].has_endpoints());
    assert_eq!(first[1].ipam.config, None);
}

#[test]
fn a_network_is_found_by_name_id_and_beginning() {
    let (_temp, networks) = networks();
    let made = networks.create(request("n1")).unwrap();
    assert!(made.has_names());
    for reference in ["n1", &made.id, &made.id[..9]] {
        assert_eq!(networks.find(reference).unwrap(), made, "{reference}");
    }
    for reference in ["nosuch", ""] {
        let error = networks.find(reference).unwrap_err().to_string();
        assert_eq!(error, format!("network {reference} not found"));
    }
}

#[test]
fn a_beginning_that_fits_two_is_no_name() {
    let (_temp, networks) = networks();
    for name in ["a", "b"] {
        let mut network = networks.create(request(name)).unwrap();
        network.id = format!("{}{}", "0".repeat(63), if name == "a" { 1 } else { 2 });
        networks.save(&network).unwrap();
    }
    assert_eq!(
        networks.find("0000").unwrap_err().to_string(),
        "network 0000 is ambiguous (2 matches found based on ID prefix)"
    );
}

#[test]
fn names_and_blocks_are_taken_once() {
    let (_temp, networks) = networks();
    networks.create(with_subnet("n2", "172.30.0.0/24")).unwrap();
    let complaint = |request| networks.create(request).unwrap_err().to_string();
    assert_eq!(complaint(request("n2")), "network with name n2 already exists");
    assert_eq!(
        complaint(with_subnet("n3", "172.30.0.0/16")),
        "invalid pool request: Pool overlaps with other one on this address space"
    );
    let chosen = networks.create(request("n3")).unwrap();
    let others: Vec<Prefix> = networks.find("n2").unwrap().subnets().collect();
    assert!(chosen.subnets().all(|block| !block.overlaps(&others[0])));
}

#[test]
fn each_family_gets_a_block() {
    let (_temp, networks) = networks();
    let both = networks.create(CreateNetwork { ipv6: true, ..request("both") }).unwrap();
    let families: Vec<bool> = both.subnets().map(|block| block.is_v4()).collect();
    assert_eq!(families, [true, false]);
    let six = CreateNetwork { ipv6: true, ..with_subnet("six", "fd00:1::/64") };
    let made = networks.create(six).unwrap();
    let blocks = made.ipam.config.as_deref().unwrap();
    assert_eq!((blocks[0].subnet.as_str(), blocks[0].gateway.as_str()), ("fd00:1::/64", ""));
    assert!(blocks[1].subnet.ends_with("/16"));
    let only = CreateNetwork { ipv4: false, ipv6: true, ..request("only") };
    assert!(networks.create(only).unwrap().subnets().all(|block| !block.is_v4()));
}

#[test]
fn no_address_with_a_length_asks_for_a_block_of_that_size() {
    let (_temp, networks) = networks();
    networks.create(request("n1")).unwrap();
    let made = networks.create(with_subnet("n2", "0.0.0.0/28")).unwrap();
    let blocks = made.ipam.config.as_deref().unwrap();
    let [block] = blocks else { panic!("{blocks:?}") };
    assert!(block.subnet.ends_with(".0.0/28") && !block.subnet.starts_with('0'), "{block:?}");
    assert!(block.gateway.ends_with(".0.1"), "{block:?}");
    let next = networks.create(with_subnet("n3", "0.0.0.0/28")).unwrap();
    assert!(next.subnets().all(|one| made.subnets().all(|other| !one.overlaps(&other))));
    let six = CreateNetwork { ipv6: true, ..with_subnet("n4", "::/60") };
    let six = networks.create(six).unwrap();
    let families: Vec<_> = six.subnets().map(|one| (one.is_v4(), one.length)).collect();
    assert_eq!(families, [(false, 60), (true, 16)]);
    for subnet in ["0.0.0.0/8", "0.0.0.0/0"] {
        let error = networks.create(with_subnet("n5", subnet)).unwrap_err().to_string();
        assert!(
            error.contains("all predefined address pools have been fully subnetted"),
            "{error}"
        );
    }
}

#[test]
fn only_unused_ones_are_removed() {
    let (_temp, networks) = networks();
    let made = networks.create(request("n1")).unwrap();
    let user = User { name: "u1".to_owned(), endpoint: "88d496f427f1ea1c".to_owned() };
    assert_eq!(
        networks.remove("n1", false, |_| None, |_| vec![user]).unwrap_err().to_string(),
        "error while removing network: network n1 has active endpoints (name:\"u1\" \
         id:\"88d496f427f1\")"
    );
    assert_eq!(
        networks.remove("bridge", false, |_| None, |_| Vec::new()).unwrap_err().to_string(),
        "bridge is a pre-defined network and cannot be removed"
    );
    assert_eq!(networks.remove("n1", false, |_| None, |_| Vec::new()).unwrap(), made);
    assert!(networks.remove("n1", false, |_| None, |_| Vec::new()).is_err());
}

#[test]
fn a_newer_record_is_not_misread() {
    let (_temp, networks) = networks();
    let made = networks.create(request("n1")).unwrap();
    let newer = Record { version: RECORD_VERSION + 1, network: made.clone() };
    write_json(&networks.file(&made.id), &newer).unwrap();
    assert!(networks.list().unwrap().iter().all(|network| network.is_predefined()));
    let NetworkError::Damaged { source, .. } = networks.find(&made.id[..9]).unwrap_err() else {
        panic!("it cannot be read");
    };
    assert!(matches!(*source, NetworkError::Newer { .. }));
    // Nor is its name given away.
    assert!(matches!(networks.create(request("n1")), Err(NetworkError::Damaged { .. })));
    assert!(networks.remove("n1", false, |_| None, |_| Vec::new()).is_err());
    assert_eq!(networks.remove("n1", true, |_| None, |_| Vec::new()).unwrap().id, made.id);
}

#[test]
fn the_three_are_made_anew_and_a_newer_file_is_put_aside() {
    let (_temp, networks) = networks();
    let first = networks.find("bridge").unwrap();
    let file = networks.dir.join(PREDEFINED_FILE);
    std::fs::write(&file, "").unwrap();
    assert_ne!(networks.find("bridge").unwrap().id, first.id);
    std::fs::write(&file, r#"{"version":7}"#).unwrap();
    assert_eq!(networks.list().unwrap().len(), 3);
    let aside = networks.dir.join("predefined.json.format-7");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), r#"{"version":7}"#);
    assert_eq!(networks.damage.take_new().len(), 2);
}

#[test]
fn a_swarms_networks_have_its_ids_blocks_and_words() {
    let (_temp, networks) = networks();
    let id = "812f2kxwdnfjygsn9bkp0do62";
    let swarm = |name: &str, swarm: SwarmNetwork| CreateNetwork {
        driver: "overlay".to_owned(),
        swarm: Some(swarm),
        ..request(name)
    };
    assert!(!networks.have_swarm().unwrap());
    let ingress = SwarmNetwork { ingress: true, ..SwarmNetwork::default() };
    let first = networks.create(swarm("ingress", ingress.clone())).unwrap();
    assert_eq!(first.id.len(), 25);
    let again = networks.create(swarm("other", ingress)).unwrap_err().to_string();
    assert!(again.ends_with(&format!("ingress network ({}) is already present", first.id)));
    let chosen = SwarmNetwork { id: Some(id.to_owned()), ..SwarmNetwork::default() };
    let made = networks.create(swarm("ov1", chosen)).unwrap();
    assert!(networks.have_swarm().unwrap());
    assert_eq!(networks.find("812f2kxwdnfj").unwrap(), made);
    let shown = serde_json::to_value(made.inspect(BTreeMap::new())).unwrap();
    let network = "com.docker.network.driver.overlay.vxlanid_list";
    assert_eq!(shown["Options"], serde_json::json!({ network: "4097" }));
    let facts =
        ["Scope", "Driver", "Containers", "Labels", "IPAM", "Ingress"].map(|key| &shown[key]);
    let block = serde_json::json!({"Driver": "default", "Options": null, "Config":
        [{"Subnet": "10.0.1.0/24", "Gateway": "10.0.1.1"}]});
    let null = serde_json::Value::Null;
    assert_eq!(facts, [&"swarm".into(), &"overlay".into(), &null, &null, &block, &false.into()]);
    let shown = serde_json::to_value(first.inspect(BTreeMap::new())).unwrap();
    assert_eq!(shown["IPAM"]["Config"][0]["Subnet"], "10.0.0.0/24");
    assert_eq!((&shown["Labels"], &shown["Ingress"]), (&serde_json::json!({}), &true.into()));
    assert_eq!(
        made.admits(false).unwrap_err().to_string(),
        "Could not attach to network ov1: rpc error: code = PermissionDenied desc = network ov1 \
         not manually attachable"
    );
    made.admits(true).unwrap();
    let attachable = CreateNetwork { attachable: true, ..swarm("ov2", SwarmNetwork::default()) };
    networks.create(attachable).unwrap().admits(false).unwrap();
    let used = |_: &Network| Some("service 8wzbu4qbyh2m1s0h4z9dne6vz".to_owned());
    assert_eq!(
        networks.remove("ov1", false, used, |_| Vec::new()).unwrap_err().to_string(),
        format!(
            "rpc error: code = FailedPrecondition desc = network {id} is in use by service \
             8wzbu4qbyh2m1s0h4z9dne6vz"
        )
    );
    assert_eq!(networks.remove("ov1", false, |_| None, |_| Vec::new()).unwrap().id, id);
}
