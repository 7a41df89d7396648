//! The same as a user without subordinate ids.

use super::{fibonacci, flask, forty, golang, node, php};

#[test]
fn flask_from_an_index_with_a_certificate_of_its_own() {
    flask::builds_and_runs();
}

#[test]
fn node_with_a_cache_of_packages() {
    node::builds_and_runs();
}

#[test]
fn go_with_one_file_in_the_image() {
    golang::builds_and_runs();
}

#[test]
fn php_behind_apache() {
    php::builds_and_runs();
}

#[test]
fn forty_steps() {
    forty::builds_and_runs(false);
}

#[test]
fn six_services_with_node_modules_over_a_bind() {
    fibonacci::builds_and_runs();
}
