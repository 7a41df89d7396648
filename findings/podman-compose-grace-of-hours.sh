#!/bin/bash
# podman-compose stops a service of `stop_grace_period: 1h` after podman's ten seconds, and one of 1.5s after one.
#
# Expected: `stop -t 3600`. The Compose specification's durations have the units us, ms, s, m and h; 1h5m30s20ms is the
# kind of value it shows.
# Happens: its pattern knows minutes and seconds. Anything else, hours and milliseconds, is no error: no -t is given, and
# a database that was promised an hour is killed after ten seconds. Fractions of a second are cut off.
# Versions: podman-compose 1.6.0, a podman that only writes its arguments down. Seen 2026-11-30: the lines below.
source "$(dirname "$(realpath "$0")")/common.sh"
stopped() {
    printf 'services: {web: {image: app, container_name: web, stop_grace_period: %s}}\n' "$1" > compose.yaml
    podman_compose stop
    grep '^stop' calls
}
seen 1m30s 'stop -t 90 web' "$(stopped 1m30s)"
seen 1.5s 'stop -t 1 web' "$(stopped 1.5s)"
seen 1h 'stop web' "$(stopped 1h)"
seen 1h5m30s20ms 'stop web' "$(stopped 1h5m30s20ms)"
seen 500ms 'stop web' "$(stopped 500ms)"
