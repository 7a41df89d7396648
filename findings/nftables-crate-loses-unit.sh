#!/bin/bash
# The Rust crate nftables turns a limit of 10 megabytes per second into one of 10 packets per second.
#
# Expected: what is read is written back. The crate is for reading and applying `nft -j` output (netavark, Podman's
# network tool, is built on it), and libnftables-json(5) has `rate_unit` and `burst_unit` in the limit object.
# Happens: its Limit type has no such fields and unknown ones are dropped, so the object comes back without its
# unit; nft reads the rest as packets. No error on either side. (The limit *statement* of rules keeps its unit.)
# Versions: nftables 0.6.3 (crate), nft 1.0.6-2+deb12u2. Seen 2026-11-30:
#   limit rate 10 mbytes/second  ->  rate 10/second
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 \
    libjansson4=2.14-2 libxtables12=1.8.9-2 libedit2=3.1-20221030-2
rust_program 'nftables = "=0.6.3"' 'serde_json = "1"' << 'EOF'
fn main() {
    let read: nftables::schema::Nftables = serde_json::from_reader(std::io::stdin()).expect("read");
    println!("{}", serde_json::to_string(&read).expect("write"));
}
EOF
printf 'table inet t {\n\tlimit l {\n\t\trate 10 mbytes/second\n\t}\n}\n' > rules
# shellcheck disable=SC2016 # for the shell in the namespace
unshare -rn bash -ec '
    nft -f rules
    nft list limits > before
    nft -j list ruleset | ./program > json
    nft flush ruleset
    nft -j -f json
    nft list limits > after'
seen 'before the crate' 'rate 10 mbytes/second' "$(sed -n 's/^\t*\(rate.*\)/\1/p' before)"
seen 'after it' 'rate 10/second' "$(sed -n 's/^\t*\(rate.*\)/\1/p' after)"
