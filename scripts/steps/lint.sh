# The steps of scripts/test that read the tree and run nothing of it.
# shellcheck shell=bash disable=SC2154

step_fmt() { check fmt cargo fmt --all --check; }

step_shellcheck() {
    scripts/apt-ensure 'shellcheck=reads our shell scripts' || { fail 'shellcheck: what it needs'; return 0; }
    local scripts=()
    mapfile -t scripts < <(find scripts .ci findings integration/clients integration/laptop -type f -print0 | xargs -0 grep -lE \
        '^#!/bin/(ba)?sh|^# shellcheck shell=' | sort)
    check shellcheck shellcheck --external-sources --source-path=SCRIPTDIR "${scripts[@]}"
}

step_clippy() { check clippy cargo clippy --workspace --all-targets --locked --quiet -- -D warnings; }

# Advisories need a database that is fetched from GitHub; a run without network must still mean something,
# so only the checks that need nothing but the lock file are part of it.
step_deny() {
    PATH=$PATH:$cache/tools/bin
    if ! command -v cargo-deny > /dev/null; then
        echo 'installing cargo-deny (some minutes, once)'
        # Unoptimised: it runs for a second, and builds three times as fast.
        CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --debug --locked --root "$cache/tools" cargo-deny@0.20.2
    fi
    if command -v cargo-deny > /dev/null; then
        check deny cargo deny check licenses bans sources
    else
        skip deny 'cargo-deny cannot be installed'
    fi
}
