# Hosts beyond this one, for the network tests of scripts/test.
# shellcheck shell=bash disable=SC2154
far='' far_namespaces=()

# Two hosts beyond this one, for the network tests: network namespaces behind veths, with servers in them. Each
# network has a number that nobody uses yet. Sets far to the two; the product sees them as any other hosts.
far_hosts() {
    local server number mac namespace
    server=$(cargo build --quiet --locked --package coracle-integration --bin far_host --message-format json |
        jq -r 'select(.executable and .target.name == "far_host").executable')
    [ -x "$server" ] || { fail 'e2e: the servers of the test hosts'; return; }
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

# Takes them away; the servers in them end with their input.
end_far_hosts() {
    local namespace
    [ -z "${far_end-}" ] || exec {far_end}>&-
    for namespace in "${far_namespaces[@]}"; do ip netns delete "$namespace"; done
}
