#!/bin/bash
# nft refuses the JSON that it has just written for a map to address and port, and for two kinds of objects.
#
# Expected: it is read back; nft(8) promises that what `list ruleset` prints can be given to `nft -f`, and its text can.
# A map `inet_service : ipv4_addr . inet_service` is how container networks publish ports with one rule.
# Happens: the map's value type is written as one string, "ipv4_addr . inet_service", which the reader does not know;
# a list written by hand in its place is read. A `ct expectation` gets "missing options", a `synproxy` object
# "Unknown object passed to add command". One such object makes the whole ruleset unreadable.
# Versions: nftables 1.0.6-2+deb12u2 (Debian 12), Linux 6.18. Seen 2026-11-30:
#   map: internal:0:0-0: Error: Invalid map type 'ipv4_addr . inet_service'.
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 \
    libjansson4=2.14-2 libxtables12=1.8.9-2 libedit2=3.1-20221030-2
round() { # OBJECT: prints how the JSON of a table with it, then its text, are read back
    printf 'table inet t {\n%s\n}\n' "$1" > rules
    # shellcheck disable=SC2016 # for the shell in the namespace
    unshare -rn bash -ec '
        nft -f rules
        nft list ruleset > text
        nft -j list ruleset > json
        nft flush ruleset
        nft -j -f json > said 2>&1 && echo "json: read" || echo "json: $(head -1 said)"
        nft flush ruleset
        nft -f text && echo "text: read"'
}
seen map "json: internal:0:0-0: Error: Invalid map type 'ipv4_addr . inet_service'.
text: read" "$(round 'map published { type inet_service : ipv4_addr . inet_service; elements = { 80 : 10.0.0.2 . 8080 }; }')"
seen 'ct expectation' 'json: internal:0:0-0: Error: missing options
text: read' "$(round 'ct expectation later { protocol udp; dport 9876; timeout 2m; size 12; l3proto ip; }')"
seen synproxy 'json: internal:0:0-0: Error: Unknown object passed to add command.
text: read' "$(round 'synproxy guard { mss 1460; wscale 7; timestamp sack-perm; }')"
