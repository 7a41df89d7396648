# The step of scripts/test with every test but those of the built binary.
# shellcheck shell=bash disable=SC2154

# Every test but those of the built binary. One of them runs an example.
step_unit() {
    scripts/apt-ensure 'iproute2=shows the devices and routes that we made' \
        'nftables=shows the rules that we made' || { failed=$((failed + 1)); return 0; }
    # Where these tools are; not on every user's path.
    PATH=$PATH:/usr/sbin:/sbin
    local log=$stage/unit.log
    registry_packages || { failed=$((failed + 1)); return 0; }
    check examples cargo build --quiet --workspace --examples --locked
    if command -v cargo-nextest > /dev/null; then
        cargo nextest run --workspace --lib --bins --tests -E 'not binary(e2e)' --locked \
            --no-fail-fast --status-level fail --final-status-level fail 2>&1 | tee "$log"
    else
        {
            cargo test --workspace --exclude coracle-integration --tests --locked --no-fail-fast &&
                cargo test --package coracle-integration --lib --bins --locked --no-fail-fast
        } 2>&1 | tee "$log"
    fi
    [ "${PIPESTATUS[0]}" = 0 ] || grep -qE '[1-9][0-9]* (failed|timed out)' "$log" || failed=$((failed + 1))
    count "$log"
}

registry_packages() {
    scripts/apt-ensure 'docker-registry=pull and push are tested against a real registry' \
        'apache2-utils=htpasswd for that registry' 'openssl=a certificate for that registry'
}
