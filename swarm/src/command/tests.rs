//! Refusals in the recorded words, and what an update remembers.

use coracle_words::{ErrorKind, Timestamp};

use super::{
    CommandError, Rollback, create_config, create_secret, create_service, leave_refusal,
    remove_node, remove_secret, remove_service, update_node, update_secret, update_service,
};
use crate::model::task::{Limits, Resources};
use crate::model::{
    EndpointMode, EndpointSpec, FileTarget, Mode, Node, NodeSpec, NodeState, Placement, PortConfig,
    PublishMode, Role, Sealed, SecretSpec, SecretUse, ServiceSpec, UpdateState,
};
use crate::state::{Change, State};

const NOW: Timestamp = Timestamp::ZERO;

fn spec(name: &str) -> ServiceSpec {
    let mut spec = ServiceSpec { name: name.to_owned(), ..ServiceSpec::default() };
    spec.task_template.container_spec.image = "alpine".to_owned();
    spec
}

fn ports(spec: &mut ServiceSpec, ports: &[(u16, PublishMode)]) {
    let port = |(published, mode): &(u16, PublishMode)| PortConfig {
        protocol: "tcp".to_owned(),
        target_port: 80,
        published_port: *published,
        publish_mode: Some(*mode),
        ..PortConfig::default()
    };
    spec.endpoint_spec = Some(EndpointSpec { mode: None, ports: ports.iter().map(port).collect() });
}

/// A swarm with the service `s1`, the manager n1 and the worker n2.
fn swarm() -> State {
    let mut state = State::default();
    let changes = create_service(&state, spec("s1"), "id1".to_owned(), NOW).unwrap();
    state.apply(changes, NOW);
    for (id, role) in [("n1", Role::Manager), ("n2", Role::Worker)] {
        let mut node = Node { id: id.to_owned(), ..Node::default() };
        node.spec.role = role;
        node.status.state = NodeState::Ready;
        state.apply(vec![Change::from(node)], NOW);
    }
    state
}

fn refused(result: Result<Vec<Change>, CommandError>) -> String {
    result.unwrap_err().words
}

#[test]
fn services_are_refused_in_the_recorded_words() {
    let state = swarm();
    let create = |change: &dyn Fn(&mut ServiceSpec)| {
        let mut spec = spec("new");
        change(&mut spec);
        refused(create_service(&state, spec, "id2".to_owned(), NOW))
    };
    let invalid = "rpc error: code = InvalidArgument desc = ";
    assert_eq!(
        create(&|spec| spec.name = "s1".to_owned()),
        "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service \
         s1 already exists"
    );
    for name in ["bad name", "UP_per.x", "-a", "a-"] {
        let words = create(&|spec| spec.name = name.to_owned());
        assert_eq!(words, format!("{invalid}name must be valid as a DNS name component"));
    }
    let words = create(&|spec| {
        let limits = Limits { memory_bytes: 1024, ..Limits::default() };
        spec.task_template.resources =
            Some(Resources { limits: Some(limits), ..Resources::default() });
    });
    assert_eq!(words, format!("{invalid}invalid memory value 1024: Must be at least 4MiB"));
    let words = create(&|spec| {
        spec.task_template.placement =
            Some(Placement { constraints: vec!["bogus".to_owned()], ..Placement::default() });
    });
    assert_eq!(
        words,
        "rpc error: code = Unknown desc = constraint expected one operator from ==, !="
    );
    let words =
        create(&|spec| "BAD::image".clone_into(&mut spec.task_template.container_spec.image));
    let about = "ContainerSpec: \"BAD::image\" is not a valid repository/tag";
    assert_eq!(words, format!("{invalid}{about}"));
    let words = create(&|spec| {
        spec.task_template.container_spec.hostname = "{{.Bogus}}".to_owned();
    });
    assert_eq!(
        words,
        format!(
            "{invalid}expanding hostname failed: template: expansion:1:2: executing \
             \"expansion\" at <.Bogus>: can't evaluate field Bogus in type *template.Context"
        )
    );
    let words = create(&|spec| {
        spec.task_template.container_spec.secrets = vec![SecretUse {
            file: Some(FileTarget { name: "x".to_owned(), ..FileTarget::default() }),
            secret_id: "gone".to_owned(),
            secret_name: "nosuch".to_owned(),
        }];
    });
    assert_eq!(words, format!("{invalid}secret not found: nosuch"));
}

#[test]
fn ports_are_refused_in_the_recorded_words() {
    let mut state = swarm();
    let mut pz = spec("pz");
    ports(&mut pz, &[(8500, PublishMode::Ingress)]);
    state.apply(create_service(&state, pz, "id9".to_owned(), NOW).unwrap(), NOW);
    let create = |change: &dyn Fn(&mut ServiceSpec)| {
        let mut spec = spec("new");
        change(&mut spec);
        create_service(&state, spec, "id2".to_owned(), NOW)
    };
    let invalid = "rpc error: code = InvalidArgument desc = ";
    for mode in [PublishMode::Ingress, PublishMode::Host] {
        assert_eq!(
            refused(create(&|spec| ports(spec, &[(8500, mode)]))),
            format!(
                "{invalid}port '8500' is already in use by service 'pz' (id9) as an ingress port"
            )
        );
    }
    let both = [(8400, PublishMode::Ingress), (8400, PublishMode::Ingress)];
    assert_eq!(
        refused(create(&|spec| ports(spec, &both))),
        format!("{invalid}EndpointSpec: duplicate published ports provided")
    );
    let dnsrr = |mode: PublishMode| {
        create(&move |spec| {
            ports(spec, &[(80, mode)]);
            if let Some(endpoint) = &mut spec.endpoint_spec {
                endpoint.mode = Some(EndpointMode::Dnsrr);
            }
        })
    };
    assert_eq!(
        refused(dnsrr(PublishMode::Ingress)),
        format!(
            "{invalid}EndpointSpec: port published with ingress mode can't be used with dnsrr mode"
        )
    );
    assert!(dnsrr(PublishMode::Host).is_ok());
    state.apply(remove_service(&state, "id9").unwrap(), NOW);
    let mut again = spec("pz");
    ports(&mut again, &[(8500, PublishMode::Ingress)]);
    assert!(create_service(&state, again, "id2".to_owned(), NOW).is_ok(), "free at once");
}

#[test]
fn an_update_remembers_the_spec_before() {
    let mut state = swarm();
    let mut second = spec("s1");
    second.task_template.container_spec.env.push("A=1".to_owned());
    let version = state.services["id1"].meta.version.index;
    let stale = update_service(&state, "id1", 99, second.clone(), Rollback::No, NOW);
    assert_eq!(refused(stale), "rpc error: code = Unknown desc = update out of sequence");
    let no = update_service(&state, "id1", version, second.clone(), Rollback::Previous, NOW);
    assert_eq!(
        refused(no),
        "rpc error: code = FailedPrecondition desc = service id1 does not have a previous spec"
    );
    let mut renamed = second.clone();
    renamed.name = "other".to_owned();
    let renamed = update_service(&state, "id1", version, renamed, Rollback::No, NOW);
    assert_eq!(renamed.unwrap_err().kind, ErrorKind::Unsupported);
    let mut global = second.clone();
    global.mode = Mode::Global {};
    assert_eq!(
        refused(update_service(&state, "id1", version, global, Rollback::No, NOW)),
        "rpc error: code = Unimplemented desc = service mode change is not allowed"
    );
    let changes =
        update_service(&state, "id1", version, second.clone(), Rollback::No, NOW).unwrap();
    state.apply(changes, NOW);
    let service = &state.services["id1"];
    assert_eq!(service.own.spec_version, service.meta.version.index);
    let first = service.own.previous_spec_version;
    let version = service.meta.version.index;
    let back = update_service(&state, "id1", version, second, Rollback::Previous, NOW).unwrap();
    state.apply(back, NOW);
    let service = &state.services["id1"];
    assert_eq!(service.spec, spec("s1"));
    assert_eq!(service.own.spec_version, first);
    let status = service.update_status.as_ref().unwrap();
    assert_eq!(status.state, UpdateState::RollbackStarted);
    assert_eq!(status.message, "manually requested rollback");
}

#[test]
fn secrets_have_names_sizes_and_users() {
    let mut state = swarm();
    let secret = |name: &str| SecretSpec { name: name.to_owned(), ..SecretSpec::default() };
    let id = || "x1".to_owned();
    let invalid = "rpc error: code = InvalidArgument desc = ";
    for name in ["bad name", ".a", &"a".repeat(65)] {
        let words = refused(create_secret(&state, secret(name), id(), 1, Sealed::default()));
        assert_eq!(
            words,
            format!(
                "{invalid}invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start \
                 and end character must be [a-zA-Z0-9]"
            )
        );
    }
    for size in [0, 512_000] {
        assert_eq!(
            refused(create_secret(&state, secret("s"), id(), size, Sealed::default())),
            format!("{invalid}secret data must be larger than 0 and less than 512000 bytes")
        );
    }
    assert_eq!(
        refused(create_config(&state, secret("c"), id(), 1_024_000, Sealed::default())),
        format!("{invalid}config data must be larger than 0 and less than 1024000 bytes")
    );
    state
        .apply(create_secret(&state, secret("s1"), id(), 511_999, Sealed::default()).unwrap(), NOW);
    assert_eq!(
        refused(create_secret(&state, secret("s1"), "x2".to_owned(), 1, Sealed::default())),
        "rpc error: code = AlreadyExists desc = secret s1 already exists"
    );
    let version = state.secrets["x1"].meta.version.index;
    assert_eq!(
        refused(update_secret(&state, "x1", version, secret("other"))),
        format!("{invalid}only updates to Labels are allowed")
    );
    let mut user = spec("sc");
    user.task_template.container_spec.secrets = vec![SecretUse {
        file: Some(FileTarget { name: "s1".to_owned(), ..FileTarget::default() }),
        secret_id: "x1".to_owned(),
        secret_name: "s1".to_owned(),
    }];
    state.apply(create_service(&state, user, "id3".to_owned(), NOW).unwrap(), NOW);
    assert_eq!(
        refused(remove_secret(&state, "x1")),
        format!("{invalid}secret 's1' is in use by the following service: sc")
    );
    state.apply(remove_service(&state, "id3").unwrap(), NOW);
    assert!(remove_secret(&state, "x1").is_ok());
    assert_eq!(refused(remove_secret(&state, "nosuch")), "secret nosuch not found");
}

#[test]
fn the_last_manager_stays() {
    let mut state = swarm();
    let failed = "rpc error: code = FailedPrecondition desc = ";
    let version = |state: &State, id: &str| state.nodes[id].meta.version.index;
    assert_eq!(
        refused(update_node(&state, "n1", version(&state, "n1"), NodeSpec::default())),
        format!("{failed}attempting to demote the last manager of the swarm")
    );
    assert_eq!(
        refused(remove_node(&state, "n1", true)),
        format!(
            "{failed}node n1 is a cluster manager and is a member of the raft cluster. It must be \
             demoted to worker before removal"
        )
    );
    assert_eq!(
        refused(remove_node(&state, "n2", false)),
        format!("{failed}node n2 is not down and can't be removed")
    );
    assert!(remove_node(&state, "n2", true).is_ok());
    assert_eq!(
        leave_refusal(&state).words,
        "You are attempting to leave the swarm on a node that is participating as a manager. \
         Removing the last manager erases all current state of the swarm. Use `--force` to ignore \
         this message."
    );
    let manager = NodeSpec { role: Role::Manager, ..NodeSpec::default() };
    state.apply(update_node(&state, "n2", version(&state, "n2"), manager).unwrap(), NOW);
    assert_eq!(
        leave_refusal(&state).words,
        "You are attempting to leave the swarm on a node that is participating as a manager. \
         Removing this node leaves 1 managers out of 2. Without a Raft quorum your swarm will be \
         inaccessible. The only way to restore a swarm that has lost consensus is to reinitialize \
         it with `--force-new-cluster`. Use `--force` to suppress this message."
    );
    assert!(update_node(&state, "n1", version(&state, "n1"), NodeSpec::default()).is_ok());
}
