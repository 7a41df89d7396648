#!/bin/bash
# `nft -j list ruleset | nft -j -f -` comes without an error and with less than there was.
#
# Expected: the same ruleset. nft(8) promises that what `list ruleset` prints can be given to `nft -f`, and the text
# form does keep all of this; libnftables-json(5) describes the same objects for output and input.
# Happens: gone without a word are `flags dynamic` and `auto-merge` of sets, comments of chains and sets, and the
# policy of a `ct timeout`, whose `l3proto ip` becomes inet too. A backup by JSON (what libraries of container
# networks use) so comes back with sets that packets cannot add to and timeouts without a value.
# Versions: nftables 1.0.6-2+deb12u2 (Debian 12), Linux 6.18. Seen 2026-11-30: the lines at the end of this file.
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 \
    libjansson4=2.14-2 libxtables12=1.8.9-2 libedit2=3.1-20221030-2
cat > rules << 'EOF'
table inet t {
	ct timeout web {
		protocol tcp
		l3proto ip
		policy = { established : 120, close : 4 };
	}
	set peers {
		type ipv4_addr
		size 65535
		flags dynamic
		comment "seen lately"
	}
	set ports {
		type inet_service
		flags interval
		auto-merge
		elements = { 1-5, 20-30 }
	}
	chain note {
		comment "kept for later"
	}
}
EOF
cat > round << 'EOF'
nft -f rules
nft list ruleset > text.before
nft -j list ruleset > json
nft flush ruleset
nft -j -f json
nft list ruleset > json.after
nft flush ruleset
nft -f text.before
nft list ruleset > text.after
EOF
unshare -rn bash -e round
seen 'by text nothing is lost' '' "$(diff text.before text.after || true)"
seen 'lost by JSON' '		l3proto ip
		policy = { established : 120, close : 4 }
		flags dynamic
		comment "seen lately"
		auto-merge
		comment "kept for later"' "$(diff text.before json.after | sed -n 's/^< //p')"
seen 'new by JSON' '		l3proto inet
		policy = {  }' "$(diff text.before json.after | sed -n 's/^> //p')"
