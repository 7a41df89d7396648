#!/bin/bash
# quadlet-compose runs only the last word of `command: ["nginx", "-g", "daemon off;"]`, and reads 500ms as 500 minutes.
#
# Expected: one `Exec=` with three words, the last of them quoted, since Exec is a command line (podman-systemd.unit(5)),
# and a timeout of half a second.
# Happens: one `Exec=` line for each word, of which Podman takes the last: it starts "daemon" with the argument "off;".
# In a duration the `m` of ms is taken for minutes: 500ms becomes 30000s, and a check that hangs is noticed after eight
# hours. A label without a value gets the text None.
# Versions: quadlet-compose 0.3.0, Python 3.11. Seen 2026-11-30: the lines below.
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages quadlet-compose==0.3.0
cat > compose.yaml << 'EOF'
services:
  web:
    image: app
    command: ["nginx", "-g", "daemon off;"]
    labels: {plain: }
    healthcheck: {test: ["CMD", "true"], timeout: 500ms, interval: 1m30s}
EOF
env/bin/quadlet-compose convert > units
seen 'lines of the unit' 'HealthInterval=90s
HealthTimeout=30000s
Label=plain=None
Exec=nginx
Exec=-g
Exec=daemon off;' "$(grep -E '^(Exec=|Health(Interval|Timeout)|Label=plain)' units)"
