#!/bin/bash
# The Rust crate nftables reads a verdict map and writes one that nft refuses.
#
# Expected: libnftables-json(5): verdicts are objects, `{"accept": null}`; the crate reads these from a vmap
# expression, and does write a verdict that stands alone in a rule as an object.
# Happens: inside a vmap it writes the verdict as a bare string, "accept", which nft takes for a symbol.
# `ct state vmap { established : accept, invalid : drop }`, the first rule of most firewalls, does not survive.
# Versions: nftables 0.6.3 (crate), nft 1.0.6-2+deb12u2. Seen 2026-11-30:
#   [["invalid","drop"],["established","accept"]]
#   Error: Can't parse symbolic netfilter verdict expressions
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 \
    libjansson4=2.14-2 libxtables12=1.8.9-2 libedit2=3.1-20221030-2
rust_program 'nftables = "=0.6.3"' 'serde_json = "1"' << 'EOF'
fn main() {
    let read: nftables::schema::Nftables = serde_json::from_reader(std::io::stdin()).expect("read");
    println!("{}", serde_json::to_string(&read).expect("write"));
}
EOF
printf 'table inet t {\n\tchain c {\n\t\tct state vmap { established : accept, invalid : drop }\n\t}\n}\n' > rules
# shellcheck disable=SC2016 # for the shell in the namespace
unshare -rn bash -ec '
    nft -f rules
    nft -j list ruleset > plain
    ./program < plain > crate.json
    nft flush ruleset
    nft -j -f plain && echo read > said.plain
    nft flush ruleset
    nft -j -f crate.json > said.crate 2>&1 || true'
seen 'nft of its own JSON' read "$(cat said.plain)"
seen 'what the crate writes' '[["invalid","drop"],["established","accept"]]' "$(grep -o '\[\[.*\]\]' crate.json)"
seen 'nft of the JSON of the crate' "internal:0:0-0: Error: Can't parse symbolic netfilter verdict expressions" "$(head -1 said.crate)"
