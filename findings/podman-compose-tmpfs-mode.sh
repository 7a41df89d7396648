#!/bin/bash
# podman-compose mounts a tmpfs of `mode: 01777` with mode 1023: nobody may list it, and its owner has no right at all.
#
# Expected: mode=1777. The Compose specification has `tmpfs.mode` as permission bits written as an octal number, and the
# option of the mount that it becomes is octal too (tmpfs(5)).
# Happens: YAML's octal 01777 is the number 1023, which is printed in decimal into the mount option and read as octal
# there: d----w--wt, so no right for the owner. compose-go prints 1023 in `config` too, but as a number.
# Versions: podman-compose 1.6.0, PyYAML 6.0.3, a podman that only writes its arguments down. Seen 2026-11-30:
#   --tmpfs /t:mode=1023
source "$(dirname "$(realpath "$0")")/common.sh"
cat > compose.yaml << 'EOF'
services:
  web: {image: app, volumes: [{type: tmpfs, target: /t, tmpfs: {mode: 01777}}]}
EOF
podman_compose up -d --no-start
seen 'mode: 01777' '--tmpfs /t:mode=1023' "$(grep -o -e '--tmpfs [^ ]*' calls)"
