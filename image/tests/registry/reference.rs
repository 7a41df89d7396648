//! Pull and push against the reference registry.

use std::fs;

use crate::support::docker_registry::{Authority, DockerRegistry, Setup, available};
use crate::support::images::{
    OCI_LAYER, Pieces, Recorder, TestStore, gzip, name, settings, tar_with_file, zstd,
};
use crate::support::token_server::TokenServer;
use coracle_image::{
    Credential, CredentialStore, Digest, Platform, PullOptions, RegistrySettings, Silent, login,
    pull, pull_all_tags, push,
};

/// Pushes an image from one store and pulls it into another.
fn round_trip(settings: &RegistrySettings, reference: &str, pieces: &Pieces) {
    let (from, to) = (TestStore::new(), TestStore::new());
    let pushed_image = pieces.put(&from.store, reference);
    let pushed = push(&from.store, settings, &name(reference), None, &Silent).unwrap();
    let pulled =
        pull(&to.store, settings, &name(reference), &PullOptions::default(), &Silent).unwrap();
    assert_eq!(pulled.digest, pushed.digest);
    assert_eq!(pulled.image_id, pushed_image.id);
    assert!(!pulled.up_to_date);

    let image = to.store.find(reference).unwrap();
    assert_eq!(image.manifest_digest, pushed.digest);
    let again = push(&to.store, settings, &name(reference), None, &Silent).unwrap();
    assert_eq!(again, pushed);
}

#[test]
fn plain_http_keeps_every_digest() {
    if !available("plain_http_keeps_every_digest") {
        return;
    }
    let registry = DockerRegistry::start(&Setup::default());
    let (a, b, c) = (tar_with_file("a", 5000), tar_with_file("b", 6000), tar_with_file("c", 70));
    let pieces = Pieces::new(
        &Platform::host(),
        &[
            ("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&a), a),
            ("application/vnd.oci.image.layer.v1.tar+zstd", zstd(&b), b),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", gzip(&c), c),
        ],
    );
    round_trip(&settings(), &format!("{}/a/b:1", registry.host), &pieces);
    round_trip(&settings(), &format!("localhost:{}/x:1", &registry.host[10..]), &Pieces::small());
}

#[test]
fn tls_with_an_own_authority() {
    if !available("tls_with_an_own_authority") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::make(directory.path());
    let tls = Some((authority.certificate.clone(), authority.key.clone()));
    let registry = DockerRegistry::start(&Setup { tls, ..Setup::default() });
    // Loopback needs no verification; another address of this machine does.
    round_trip(&settings(), &format!("{}/x:1", registry.host), &Pieces::small());
    let mut strict = settings();
    let host = registry.host.replace("127.0.0.1", "0.0.0.0");
    let reference = name(&format!("{host}/x:1"));
    let store = TestStore::new();
    let error =
        pull(&store.store, &strict, &reference, &PullOptions::default(), &Silent).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "failed to resolve reference \"{host}/x:1\": failed to do request: Get \"https://{host}/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority"
        )
    );
    assert!(error.hint().unwrap().contains("certs.d"));

    let certs = directory.path().join("certs.d").join(&host);
    fs::create_dir_all(&certs).unwrap();
    fs::copy(&authority.ca, certs.join("ca.crt")).unwrap();
    strict.certs_dirs = vec![directory.path().join("certs.d")];
    round_trip(&strict, &reference.familiar(), &Pieces::small());

    strict.certs_dirs = Vec::new();
    strict.ca_file = Some(authority.ca);
    round_trip(&strict, &reference.familiar(), &Pieces::small());
}

#[test]
fn a_client_certificate_is_shown() {
    if !available("a_client_certificate_is_shown") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let data = Some(directory.path().join("data"));
    let authority = Authority::make(directory.path());
    let pieces = Pieces::small();
    let from = TestStore::new();
    {
        let open = DockerRegistry::start(&Setup { data: data.clone(), ..Setup::default() });
        let reference = format!("{}/x:1", open.host);
        pieces.put(&from.store, &reference);
        push(&from.store, &settings(), &name(&reference), None, &Silent).unwrap();
    }
    let registry = DockerRegistry::start(&Setup {
        data,
        tls: Some((authority.certificate.clone(), authority.key.clone())),
        client_ca: Some(authority.ca.clone()),
        ..Setup::default()
    });
    let host = registry.host.replace("127.0.0.1", "0.0.0.0");
    let reference = name(&format!("{host}/x:1"));
    let certs = directory.path().join("certs.d").join(&host);
    fs::create_dir_all(&certs).unwrap();
    fs::copy(&authority.ca, certs.join("ca.crt")).unwrap();
    let mut settings = settings();
    settings.certs_dirs = vec![directory.path().join("certs.d")];
    let options = PullOptions::default();
    let to = TestStore::new();
    assert!(pull(&to.store, &settings, &reference, &options, &Silent).is_err());

    fs::copy(&authority.certificate, certs.join("client.cert")).unwrap();
    fs::copy(&authority.key, certs.join("client.key")).unwrap();
    let outcome = pull(&to.store, &settings, &reference, &options, &Silent).unwrap();
    assert_eq!(outcome.image_id, Digest::of(&pieces.config));
    let error = push(&to.store, &settings, &reference, None, &Silent).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`{host}` is configured with a client certificate, which is supported for pulling only"
        )
    );
}

#[test]
fn password_from_config_json() {
    if !available("password_from_config_json") {
        return;
    }
    let registry = DockerRegistry::start(&Setup { htpasswd: true, ..Setup::default() });
    let reference = format!("{}/x:1", registry.host);
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.auth.config_dir = directory.path().to_owned();

    let from = TestStore::new();
    Pieces::small().put(&from.store, &reference);
    let error = push(&from.store, &settings, &name(&reference), None, &Silent).unwrap_err();
    assert!(error.to_string().ends_with("no basic auth credentials"), "{error}");
    let error = pull(&from.store, &settings, &name(&reference), &PullOptions::default(), &Silent)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "failed to resolve reference \"{}/x:1\": pull access denied, repository does not exist or may require \
             authorization: authorization failed: no basic auth credentials",
            registry.host
        )
    );

    let store = CredentialStore::new(settings.auth.clone());
    store.store(&registry.host, &Credential::basic("u", "bad")).unwrap();
    let error = push(&from.store, &settings, &name(&reference), None, &Silent).unwrap_err();
    assert_eq!(error.to_string(), "unauthorized: authentication required");
    store.store(&registry.host, &Credential::basic("u", "pw")).unwrap();
    round_trip(&settings, &reference, &Pieces::small());
}

#[test]
fn tokens_are_asked_for_with_the_right_scope() {
    if !available("tokens_are_asked_for_with_the_right_scope") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let tokens = TokenServer::start(directory.path());
    let registry = DockerRegistry::start(&Setup {
        token: Some(tokens.registry_config.clone()),
        ..Setup::default()
    });
    let reference = format!("{}/team/x:1", registry.host);
    let mut settings = settings();
    settings.auth.config_dir = directory.path().join("config");
    let store = TestStore::new();
    let error = pull(&store.store, &settings, &name(&reference), &PullOptions::default(), &Silent)
        .unwrap_err();
    assert_eq!(error.to_string(), "unauthorized: incorrect username or password");

    let credentials = CredentialStore::new(settings.auth.clone());
    credentials.store(&registry.host, &Credential::basic("u", "pw")).unwrap();
    tokens.queries.lock().unwrap().clear();
    round_trip(&settings, &reference, &Pieces::small());
    let queries = tokens.queries.lock().unwrap().clone();
    let push = "service=s&scope=repository%3Ateam%2Fx%3Apull%2Cpush&account=u";
    let pull = "service=s&scope=repository%3Ateam%2Fx%3Apull&account=u";
    assert_eq!(queries, [push, pull, push]);
}

#[test]
fn an_uncompressed_image_made_here_is_compressed_once_and_always_alike() {
    if !available("an_uncompressed_image_made_here_is_compressed_once_and_always_alike") {
        return;
    }
    let registry = DockerRegistry::start(&Setup::default());
    let plain = tar_with_file("f", 100_000);
    let pieces = Pieces::new(&Platform::host(), &[(OCI_LAYER, plain.clone(), plain.clone())]);
    let id = Digest::of(&plain).short();
    let mut digests = Vec::new();
    for repository in ["one", "two"] {
        let reference = format!("{}/{repository}:1", registry.host);
        let from = TestStore::new();
        pieces.put(&from.store, &reference);
        let recorder = Recorder::default();
        let pushed = push(&from.store, &settings(), &name(&reference), None, &recorder).unwrap();
        assert_eq!(
            recorder.lines(),
            [
                format!("The push refers to repository [{}/{repository}]", registry.host),
                format!("{id}: Pushed"),
            ]
        );
        let recorder = Recorder::default();
        assert_eq!(
            push(&from.store, &settings(), &name(&reference), None, &recorder).unwrap(),
            pushed
        );
        assert_eq!(recorder.lines()[1], format!("{id}: Layer already exists"));
        let to = TestStore::new();
        let pulled =
            pull(&to.store, &settings(), &name(&reference), &PullOptions::default(), &Silent);
        assert_eq!(pulled.unwrap().digest, pushed.digest);
        digests.push(pushed.digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_known_blob_is_mounted_from_its_repository() {
    if !available("a_known_blob_is_mounted_from_its_repository") {
        return;
    }
    let registry = DockerRegistry::start(&Setup::default());
    let (first, second) = (format!("{}/h:1", registry.host), format!("{}/al:3", registry.host));
    let from = TestStore::new();
    let image = Pieces::small().put(&from.store, &first);
    push(&from.store, &settings(), &name(&first), None, &Silent).unwrap();
    from.store.tag(&image.id, &name(&second)).unwrap();
    let recorder = Recorder::default();
    let pushed = push(&from.store, &settings(), &name(&second), None, &recorder).unwrap();
    let id = image.layers[0].diff_id.short();
    assert_eq!(recorder.lines()[1..], [format!("{id}: Mounted from h")]);
    assert_eq!(
        pushed.to_string(),
        format!("3: digest: {} size: {}", image.manifest_digest, Pieces::small().manifest.len())
    );
}

#[test]
fn a_pull_tells_what_it_does_and_the_second_one_does_nothing() {
    if !available("a_pull_tells_what_it_does_and_the_second_one_does_nothing") {
        return;
    }
    let registry = DockerRegistry::start(&Setup::default());
    let reference = format!("{}/h:1", registry.host);
    let (from, to) = (TestStore::new(), TestStore::new());
    let image = Pieces::small().put(&from.store, &reference);
    push(&from.store, &settings(), &name(&reference), None, &Silent).unwrap();
    let id = image.layers[0].blob_digest.short();
    let digest = image.manifest_digest;

    let recorder = Recorder::default();
    let options = PullOptions::default();
    let first = pull(&to.store, &settings(), &name(&reference), &options, &recorder).unwrap();
    assert_eq!(
        recorder.lines(),
        [
            "1: Pulling from h".to_owned(),
            format!("{id}: Pulling fs layer"),
            format!("{id}: Download complete"),
            format!("{id}: Pull complete"),
            format!("Digest: {digest}"),
        ]
    );
    assert_eq!(first.status(), format!("Status: Downloaded newer image for {reference}"));

    let recorder = Recorder::default();
    let second = pull(&to.store, &settings(), &name(&reference), &options, &recorder).unwrap();
    assert_eq!(recorder.lines(), ["1: Pulling from h".to_owned(), format!("Digest: {digest}")]);
    assert_eq!(second.status(), format!("Status: Image is up to date for {reference}"));

    // By digest, in a store that has the layer from elsewhere.
    let by_digest = format!("{}/h@{digest}", registry.host);
    let third = TestStore::new();
    let recorder = Recorder::default();
    let outcome = pull(&third.store, &settings(), &name(&by_digest), &options, &recorder).unwrap();
    assert_eq!(recorder.lines()[0], format!("{by_digest}: Pulling from h"));
    assert_eq!(outcome.image_id, image.id);
    let found = third.store.find(&by_digest).unwrap();
    assert!(found.names.is_empty());
    assert_eq!(found.repo_digests, [name(&by_digest)]);
}

#[test]
fn what_is_not_there() {
    if !available("what_is_not_there") {
        return;
    }
    let registry = DockerRegistry::start(&Setup::default());
    let host = &registry.host;
    let store = TestStore::new();
    let zeros = "0".repeat(64);
    for (asked, shown) in [
        (format!("{host}/nosuch:1"), format!("{host}/nosuch:1")),
        (format!("{host}/nosuch"), format!("{host}/nosuch:latest")),
        (format!("{host}/h@sha256:{zeros}"), format!("{host}/h@sha256:{zeros}")),
    ] {
        let error =
            pull(&store.store, &settings(), &name(&asked), &PullOptions::default(), &Silent)
                .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("failed to resolve reference \"{shown}\": {shown}: not found")
        );
    }
    let reference = format!("{host}/h:1");
    let error = push(&store.store, &settings(), &name(&reference), None, &Silent).unwrap_err();
    assert_eq!(error.to_string(), format!("tag does not exist: {host}/h:1"));
    Pieces::small().put(&store.store, &reference);
    let other = format!("{host}/h:nosuchtag");
    let error = push(&store.store, &settings(), &name(&other), None, &Silent).unwrap_err();
    assert_eq!(error.to_string(), format!("tag does not exist: {other}"));
}

#[test]
fn all_tags_come() {
    if !available("all_tags_come") {
        return;
    }
    let registry = DockerRegistry::start(&Setup::default());
    let from = TestStore::new();
    for tag in ["3", "4"] {
        let reference = format!("{}/al:{tag}", registry.host);
        Pieces::small().put(&from.store, &reference);
        push(&from.store, &settings(), &name(&reference), None, &Silent).unwrap();
    }
    let to = TestStore::new();
    let repository = name(&format!("{}/al", registry.host));
    let outcomes =
        pull_all_tags(&to.store, &settings(), &repository, &PullOptions::default(), &Silent)
            .unwrap();
    let mut tags: Vec<_> = outcomes.iter().map(|o| o.reference.tag().unwrap()).collect();
    tags.sort_unstable();
    assert_eq!(tags, ["3", "4"]);
    let image = to.store.find(&format!("{}/al:4", registry.host)).unwrap();
    assert_eq!(image.names.len(), 2);
}

#[test]
fn login_tries_the_password() {
    if !available("login_tries_the_password") {
        return;
    }
    let registry = DockerRegistry::start(&Setup { htpasswd: true, ..Setup::default() });
    login(&settings(), &registry.host, &Credential::basic("u", "pw")).unwrap();
    let error = login(&settings(), &registry.host, &Credential::basic("u", "bad")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "login attempt to http://{}/v2/ failed with status: 401 Unauthorized",
            registry.host
        )
    );
}

#[test]
fn login_at_a_token_server() {
    if !available("login_at_a_token_server") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let tokens = TokenServer::start(directory.path());
    let token = Some(tokens.registry_config.clone());
    let registry = DockerRegistry::start(&Setup { token, ..Setup::default() });
    login(&settings(), &registry.host, &Credential::basic("u", "pw")).unwrap();
    let error = login(&settings(), &registry.host, &Credential::basic("u", "bad")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Get \"http://{}/v2/\": unauthorized: incorrect username or password",
            registry.host
        )
    );
}
