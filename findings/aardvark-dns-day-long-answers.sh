#!/bin/bash
# aardvark-dns, Podman's name server for containers, lets its answers be kept for a day.
#
# Expected: a time to live of seconds or a few minutes (Docker's has 600 seconds): a container has another address after
# each restart, and `podman network disconnect` changes it while others run.
# Happens: 86400. What keeps answers by their time to live (a Java program with a cache that honours it, a local
# caching resolver, a proxy that resolves again when it is due) goes on to the old address for a day.
# Versions: aardvark-dns 1.4.0-3 (Debian 12). Seen 2026-11-30:
#   web. 86400 IN A 10.9.0.2
source "$(dirname "$(realpath "$0")")/common.sh"
aardvark
seen 'address and time to live' 'NOERROR 10.9.0.2 86400' "$(python3 ask.py web)"
