# What scripts/test and scripts/bench build, and the step that looks at the executable.
# shellcheck shell=bash disable=SC2154

step_build() {
    local binary
    binary=$(scripts/build) || { fail build; return 0; }
    passed=$((passed + 1))
    check static is_static "$binary"
}

is_static() {
    # ldd fails for a static executable at a fixed address, so its words count, not its status.
    local bytes words
    words=$(ldd "$1" 2>&1)
    [[ $words = *'statically linked'* || $words = *'not a dynamic executable'* ]] || return 1
    bytes=$(stat -c %s "$1")
    echo "$1: static, $bytes bytes"
    [ "$bytes" -le $((20 * 1024 * 1024)) ]
}

# build_traffic FOLDER [PROFILE] : the program that makes traffic, in that folder; static, so that containers can
# run it.
build_traffic() {
    local target profile=${2:-release}
    target=$(uname -m)-unknown-linux-musl
    cargo --config scripts/shipped.toml build --quiet --profile "$profile" --locked --target "$target" --package coracle-integration --bin traffic || return
    install -m 755 "${CARGO_TARGET_DIR:-target}/$target/$profile/traffic" "$1/traffic"
}
