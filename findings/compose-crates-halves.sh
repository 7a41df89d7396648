#!/bin/bash
# Two Rust crates for Compose files each refuse documented lines that the other one reads.
#
# Expected: both read what the Compose specification has in its tables; both say that they model that specification.
# Happens: compose_spec refuses `restart: on-failure:3`, a source that begins with `~/`, an image with tag and digest,
# `mem_limit: 1.5gb` and fractions in durations; docker-compose-types refuses `cpus`, `memswap_limit` and
# `develop` as unknown attributes and an env_file with `path:`. Neither reads every file that the other one writes.
# Versions: compose_spec 0.3.0, docker-compose-types 0.24.0, serde_yaml 0.9. Seen 2026-11-30: the table below.
source "$(dirname "$(realpath "$0")")/common.sh"
rust_program 'compose_spec = "=0.3.0"' 'docker-compose-types = "=0.24.0"' 'serde_yaml = "0.9"' << 'EOF'
fn main() {
    for line in std::io::stdin().lines() {
        let line = line.expect("line");
        let file = format!("services: {{web: {{image: app, {line}}}}}");
        let spec = compose_spec::Compose::options().from_yaml_str(&file).is_ok();
        let types = serde_yaml::from_str::<docker_compose_types::Compose>(&file).is_ok();
        println!("{line}: compose_spec {spec}, docker-compose-types {types}");
    }
}
EOF
cat > lines << 'EOF'
restart: "on-failure:3"
volumes: ["~/data:/data"]
mem_limit: 1.5gb
stop_grace_period: 1.5s
cpus: "0.5"
memswap_limit: 1g
env_file: [{path: a.env, required: false}]
develop: {watch: [{path: ., action: sync, target: /x}]}
EOF
seen 'which lines are read' 'restart: "on-failure:3": compose_spec false, docker-compose-types true
volumes: ["~/data:/data"]: compose_spec false, docker-compose-types true
mem_limit: 1.5gb: compose_spec false, docker-compose-types true
stop_grace_period: 1.5s: compose_spec false, docker-compose-types true
cpus: "0.5": compose_spec true, docker-compose-types false
memswap_limit: 1g: compose_spec true, docker-compose-types false
env_file: [{path: a.env, required: false}]: compose_spec true, docker-compose-types false
develop: {watch: [{path: ., action: sync, target: /x}]}: compose_spec true, docker-compose-types false' "$(./program < lines)"
