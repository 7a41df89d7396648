# The step of scripts/test that drives the built binary: as whom, on which host, with what.
# shellcheck shell=bash disable=SC2154

step_e2e() {
    if ! { registry_packages && e2e_packages; }; then
        fail 'e2e: what it needs'
        return 0
    fi
    local roots built
    # They wait for the network most of the time, the build for the processor.
    debian_roots &
    roots=$!
    stage_binaries
    built=$?
    wait "$roots"
    [ "$built" = 0 ] || { fail 'e2e: its programs'; return 0; }
    cp -r integration/apps "$stage/apps"
    if [ "$(id -u)" != 0 ]; then
        run_suite "$(id -un)" --skip one_id:: --skip as_root:: "${filters[@]}"
        skip e2e 'one_id and as_root: only root can make users'
        return 0
    fi
    ensure_user coracle-test
    far_hosts
    run_suite coracle-test --skip one_id:: --skip as_root:: "${filters[@]}"
    without_suite
    # Without a filter, or with one for these.
    if [[ ${#filters[@]} = 0 || ${filters[*]} = *one_id* ]]; then
        ensure_plain_user coracle-plain
        run_suite coracle-plain one_id::
    fi
    if [[ ${#filters[@]} = 0 || ${filters[*]} = *as_root* ]]; then run_suite root as_root::; fi
}

e2e_packages() {
    scripts/apt-ensure 'uidmap=maps subordinate ids' 'busybox-static=the fixture image is made of it' \
        'mmdebstrap=a Debian root for the package tests' 'strace=kills commands at each write of state' \
        'iproute2=a host beyond this one for the network tests' 'jq=reads what cargo built' 'zsh=completes words' 'fish=completes words'
}

# The program under test, the suite, and the program that makes traffic, in the stage.
stage_binaries() {
    local binary suite
    if [ "$profile" = quick ]; then binary=$(scripts/build --quick); else binary=$(scripts/build); fi || return
    suite=$(cargo test --locked --package coracle-integration --test e2e --no-run 2>&1 | tee >(cat >&2) |
        sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
    [ -x "$suite" ] || return
    install -m 755 "$binary" "$stage/coracle"
    install -m 755 "$suite" "$stage/e2e"
    scripts/release --of "$binary" "$stage/release" || return
    build_traffic "$stage" "$profile"
}

# The tests of networks a second time, on a host that has neither nf_tables nor a TUN device, and whose only
# resolver is on its loopback, as systemd-resolved is: of the filters those that name such tests.
without_suite() {
    local names=(network:: services::on_networks) filter network_path=packets stub=127.77.231.53 host=()
    if [ ${#filters[@]} -gt 0 ]; then
        names=()
        for filter in "${filters[@]}"; do
            case $filter in
                *network*) names+=("$filter") ;;
                *services*) names+=(services::on_networks) ;;
            esac
        done
        [ ${#names[@]} -gt 0 ] || return 0
    fi
    "$stage/far_host" stub "$stub" "$(sed -n 's/^nameserver //p' /etc/resolv.conf | head -1)" \
        < "$stage/far-end" {far_end}>&- &
    printf 'nameserver %s\noptions timeout:2\n' "$stub" > "$stage/resolv.conf"
    # shellcheck disable=SC2016 # for the shell in the namespace
    host=(unshare --mount --propagation slave bash -c 'mount --bind "$0" /etc/resolv.conf &&
        { [ ! -e /dev/net ] || mount -t tmpfs none /dev/net; } && exec "$@"' "$stage/resolv.conf")
    run_suite coracle-test --skip one_id:: --skip as_root:: "${names[@]}"
}

# run_suite USER ARGUMENT… : the end-to-end tests as that user, in a folder of theirs; on the host that the
# caller's array host makes.
run_suite() {
    local user=$1 dir=$stage/$1 log=$stage/e2e-$1.log as_user=("${host[@]}") before
    shift
    mkdir -p "$dir/worlds" "$dir/fixtures"
    if [ "$(id -un)" != "$user" ]; then
        chown -R "$user" "$dir"
        as_user+=(runuser -u "$user" --)
    fi
    before=$(whole_skips)
    (cd "$dir/worlds" && "${as_user[@]}" env -i PATH="$PATH" CORACLE_BIN="$stage/coracle" \
        CORACLE_TEST_WORLDS="$dir/worlds" CORACLE_TEST_FIXTURES="$dir/fixtures" \
        CORACLE_TEST_FAR="$far" CORACLE_TEST_NETWORK_PATH="${network_path-}" \
        CORACLE_TEST_STUB="${stub-}" CORACLE_TEST_SKIPS="$stage/skips" CORACLE_SHARED="$(shared)" RUST_BACKTRACE=0 \
        timeout --foreground 1200 "$stage/e2e" --test-threads "${CORACLE_TEST_THREADS:-4}" "$@") 2>&1 | tee "$log"
    count "e2e-$user" "$log" "${PIPESTATUS[0]}"
    # A skipped test returns early, which libtest calls a pass. (A recorded case that is known to differ is
    # skipped too, but its test goes on.)
    passed=$((passed - $(whole_skips) + before))
}

whole_skips() { grep -cv ' differs: ' "$stage/skips"; }
