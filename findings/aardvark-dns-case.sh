#!/bin/bash
# aardvark-dns, Podman's name server for containers, does not know `WEB` when the container is `web`.
#
# Expected: the same answer for both. DNS names are compared without regard to case (RFC 4343); resolvers that mix
# the case of a question to make forgery harder count on it.
# Happens: NXDOMAIN unless the letters are those of the configuration, so a name that is written with a capital letter
# in a configuration, and every question of a case-mixing resolver, fails.
# Versions: aardvark-dns 1.4.0-3 (Debian 12). Seen 2026-11-30:
#   web NOERROR, Web NXDOMAIN
source "$(dirname "$(realpath "$0")")/common.sh"
aardvark
seen web 'NOERROR 10.9.0.2' "$(python3 ask.py web | cut -d' ' -f1-2)"
seen Web NXDOMAIN "$(python3 ask.py Web)"
seen web.dns.podman 'NOERROR 10.9.0.2' "$(python3 ask.py web.dns.podman | cut -d' ' -f1-2)"
seen web.DNS.podman NXDOMAIN "$(python3 ask.py web.DNS.podman)"
