# The steps of scripts/test; sourced by it. Each adds to passed, failed and skipped, and always returns 0.
# shellcheck shell=bash disable=SC2154
passed=0 failed=0 skipped=0 far='' far_namespaces=()
cache=${CORACLE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/coracle-test}

# check NAME COMMAND… : one pass or one failure.
check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
    fi
}

step_fmt() { check fmt cargo fmt --all --check; }

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

step_build() {
    check build scripts/build > "$stage/path" && [ -s "$stage/path" ] || return 0
    check static is_static "$(tail -1 "$stage/path")"
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

step_e2e() {
    registry_packages && scripts/apt-ensure 'uidmap=maps subordinate ids' \
        'busybox-static=the fixture image is made of it' \
        'mmdebstrap=a Debian root for the package tests' \
        'strace=kills commands at each write of state' \
        'iproute2=a host beyond this one for the network tests' 'jq=reads what cargo built' || { failed=$((failed + 1)); return 0; }
    local binary suite roots
    # They wait for the network most of the time, the build for the processor.
    debian_roots &
    roots=$!
    binary=$(scripts/build) || { failed=$((failed + 1)); return 0; }
    suite=$(cargo test --locked --package coracle-integration --test e2e --no-run 2>&1 | tee >(cat >&2) |
        sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
    [ -x "$suite" ] || { failed=$((failed + 1)); return 0; }
    wait "$roots"
    install -m 755 "$binary" "$stage/coracle"
    install -m 755 "$suite" "$stage/e2e"
    build_traffic "$stage" || { failed=$((failed + 1)); return 0; }
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
    [ "${PIPESTATUS[0]}" = 0 ] || grep -qE '^test result: FAILED' "$log" || failed=$((failed + 1))
    count "$log"
    # A skipped test returns early, which libtest calls a pass. (A recorded case that is known to differ is
    # skipped too, but its test goes on.)
    passed=$((passed - $(whole_skips) + before))
}

whole_skips() { grep -cv ' differs: ' "$stage/skips"; }

# build_traffic FOLDER : the program that makes traffic, in that folder; static, so that containers can run it.
build_traffic() {
    local target
    target=$(uname -m)-unknown-linux-musl
    cargo build --quiet --release --locked --target "$target" --package coracle-integration --bin traffic || return
    install -m 755 "${CARGO_TARGET_DIR:-target}/$target/release/traffic" "$1/traffic"
}

# Two hosts beyond this one, for the network tests: network namespaces behind veths, with servers in them. Each
# network has a number that nobody uses yet. Sets far to the two; the product sees them as any other hosts.
far_hosts() {
    local server number mac namespace
    server=$(cargo build --quiet --locked --package coracle-integration --bin far_host --message-format json |
        jq -r 'select(.executable and .target.name == "far_host").executable')
    [ -x "$server" ] || { failed=$((failed + 1)); return; }
    install -m 755 "$server" "$stage/far_host"
    # They end when their input does: with this script.
    mkfifo "$stage/far-end"
    exec {far_end}<> "$stage/far-end"
    for number in {77..177}; do
        [[ $(ip -o address show to "10.231.$number.1") ]] && continue
        namespace=coracle-far-$$-$number
        ip netns add "$namespace" || return
        far_namespaces+=("$namespace")
        # A new namespace forwards where the host does. It would send word of the packets to .3, and a kernel
        # sends only some such words a second: those that tests wait for would be missing.
        ip netns exec "$namespace" sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'
        ip link add "cfar$number" type veth peer name far netns "$namespace"
        ip address add "10.231.$number.1/24" dev "cfar$number"
        ip address add "fd77:231:$number::1/64" dev "cfar$number" nodad
        ip link set "cfar$number" up
        ip -n "$namespace" address add "10.231.$number.2/24" dev far
        ip -n "$namespace" address add "fd77:231:$number::2/64" dev far nodad
        ip -n "$namespace" link set far up
        ip -n "$namespace" link set lo up
        # Packets to .3 arrive there and are nobody's: no answer ever comes.
        mac=$(ip -n "$namespace" -j link show far | jq -r '.[0].address')
        ip neighbour add "10.231.$number.3" lladdr "$mac" nud permanent dev "cfar$number"
        ip netns exec "$namespace" "$stage/far_host" "10.231.$number.2" "fd77:231:$number::2" \
            < "$stage/far-end" {far_end}>&- &
        far+=${far:+ }$number
        [[ $far = *' '* ]] && return
    done
}

# The reference images, when they are checked out beside us.
shared() {
    local dir=${CORACLE_SHARED:-$PWD/../shared}
    [ -d "$dir/images" ] && (cd "$dir" && pwd) || true
}

# debian_root NAME PACKAGE… : a Debian root with apt and these packages, made once, as $stage/NAME.tar.
# Their database cluster and PostgreSQL's compiler (a third of it) are left out.
debian_root() {
    local name=$1 packages tar
    shift
    packages=$(IFS=,; echo "$*")
    tar=$cache/$name-$(cksum <<< "$packages" | cut -d' ' -f1).tar
    if [ ! -s "$tar" ]; then
        mkdir -p "$cache"
        mmdebstrap --quiet --format=tar --variant=apt --dpkgopt='path-exclude=/usr/share/doc/*' \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            --dpkgopt='path-exclude=/usr/lib/*/libLLVM*' --dpkgopt='path-exclude=/usr/lib/*/libz3*' \
            --customize-hook='rm -rf "$1"/var/lib/postgresql/15/* "$1"/etc/postgresql/15/*' \
            ${packages:+--include="$packages"} bookworm "$tar.$$" && mv "$tar.$$" "$tar"
    fi
    [ -s "$tar" ] && install -m 644 "$tar" "$stage/$name.tar"
}

# The roots for the tests that install real services, and for whole applications on Compose.
debian_roots() {
    debian_root debian
    debian_root apps gunicorn nginx-light postgresql-15 python3-django python3-psycopg2 python3-redis redis-server
}

# A user as `adduser` makes it, subordinate ids included.
ensure_user() {
    id "$1" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"
    grep -q "^$1:" /etc/subuid || usermod --add-subuids 1000000-1065535 --add-subgids 1000000-1065535 "$1"
}

# A user without subordinate ids, as many directories (LDAP) give them.
ensure_plain_user() {
    id "$1" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"
    sed -i "/^$1:/d" /etc/subuid /etc/subgid
}

# count LOG: adds the totals that nextest or libtest printed.
count() {
    local numbers
    numbers=$(sed -E 's/\x1b\[[0-9;]*m//g' "$1" | awk '
        function n(word,   i) { for (i = 2; i <= NF; i++) if ($i ~ "^" word "[,;]?$") return $(i - 1); return 0 }
        /^test result:/ || /^ *Summary / { p += n("passed"); f += n("failed") + n("timed"); s += n("ignored") + n("skipped") }
        END { print p + 0, f + 0, s + 0 }')
    read -r p f s <<< "$numbers"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

skip() { echo "SKIP $1 $2" | tee -a "$stage/skips"; }

# Each line of the skips file is `SKIP <test> <what is missing>`.
report_skips() {
    sort -u -o "$stage/skips" "$stage/skips"
    skipped=$((skipped + $(wc -l < "$stage/skips")))
    cat "$stage/skips"
    [ -n "$expected" ] || return 0
    local line pattern found
    while IFS= read -r line; do
        found=
        while IFS= read -r pattern; do
            # shellcheck disable=SC2053 # the file holds patterns
            [[ $line == $pattern ]] && found=1
        done < <(grep -v '^#' "$expected")
        if [ -z "$found" ]; then
            echo "FAILED: this machine was expected to run it: $line"
            failed=$((failed + 1))
        fi
    done < "$stage/skips"
}

# Files in the stage may belong to subordinate ids of the test user, whom root may always remove.
clean_stage() {
    # The servers in them end with their input.
    [ -z "${far_end-}" ] || exec {far_end}>&-
    for namespace in "${far_namespaces[@]}"; do ip netns delete "$namespace"; done
    rm -rf --one-file-system "$stage" 2> /dev/null || unshare --map-root-user --map-auto rm -rf "$stage"
}
