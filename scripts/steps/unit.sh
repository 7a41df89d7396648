# The step of scripts/test with every test but those of the built binary. One of them runs an example.
# shellcheck shell=bash disable=SC2154

step_unit() {
    scripts/apt-ensure 'iproute2=shows the devices and routes that we made' \
        'nftables=shows the rules that we made' || { fail 'unit: what it needs'; return 0; }
    # Where these tools are; not on every user's path.
    PATH=$PATH:/usr/sbin:/sbin
    local log=$stage/unit.log
    registry_packages || { fail 'unit: what it needs'; return 0; }
    check examples cargo build --quiet --workspace --examples --locked
    if command -v cargo-nextest > /dev/null; then
        cargo nextest run --workspace --lib --bins --tests -E 'not binary(e2e)' --locked \
            --no-fail-fast --status-level fail --final-status-level fail 2>&1 | tee "$log"
    else
        unit_tests 2>&1 | tee "$log"
    fi
    count unit "$log" "${PIPESTATUS[0]}"
}

# All of them, whatever fails; the first status that is not 0.
unit_tests() {
    local status=0
    cargo test --workspace --exclude coracle-integration --tests --locked --no-fail-fast || status=$?
    # Its e2e tests are a step of their own.
    cargo test --package coracle-integration --lib --bins --test architecture --locked --no-fail-fast || status=$?
    return "$status"
}

registry_packages() {
    scripts/apt-ensure 'docker-registry=pull and push are tested against a real registry' \
        'apache2-utils=htpasswd for that registry' 'openssl=a certificate for that registry'
}
