//! A site on PostgreSQL, as Drupal is: passwords come as secrets, and one is rotated while the site is asked.

use coracle_integration::{TestEnv, port::free_port};

use super::ask::{Load, answers};
use super::{leave, runs, shows, type_in};

#[track_caller]
pub(super) fn a_secret_is_rotated_under_load(env: &TestEnv) {
    let port = free_port();
    type_in(env, "docker swarm init");
    type_in(env, "printf myDBpassWORD | docker secret create psql-pw -");
    type_in(
        env,
        &format!("cd drupal && DRUPAL_PORT={port} docker stack deploy -c stack.yaml drupal"),
    )
    .stdout_has("Creating secret drupal_site-key\n");
    runs(env, "drupal_db", 1);
    runs(env, "drupal_web", 2);
    let site = format!("127.0.0.1:{port}");
    answers(&site, "/", "first key\n");
    let db = type_in(env, "docker ps -q -f name=^drupal_db.1").line();
    type_in(env, &format!("docker exec {db} cat /run/secrets/psql-pw")).stdout_is("myDBpassWORD");
    env.sh(&format!("docker exec {db} ls /run/secrets/drupal_site-key")).code(2);
    env.sh("docker secret rm psql-pw")
        .code(1)
        .stderr_has("secret 'psql-pw' is in use by the following services: drupal_db, drupal_web");

    let load = Load::start(std::slice::from_ref(&site));
    load.goes_on(2);
    type_in(env, "echo second key | docker secret rotate -q drupal_site-key -")
        .stdout_is("drupal_site-key.v2\n");
    load.goes_on(2);
    assert_eq!(load.end().last().map(String::as_str), Some("second key\n"));
    shows(env, "docker secret ls --format '{{.Name}}' | sort", "drupal_site-key.v2\npsql-pw\n");
    type_in(env, "docker stack rm drupal");
    type_in(env, "docker secret rm psql-pw && docker volume rm drupal_drupal-data");
    leave(env);
}
