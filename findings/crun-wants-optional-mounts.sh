#!/bin/bash
# crun refuses a bundle without `mounts` or without `linux`, both OPTIONAL, and one that says ociVersion 1.2.0.
#
# Expected: it goes on. runtime-spec, config.md: `mounts` is OPTIONAL, and so is `linux`; `ociVersion` is a
# SemVer 2.0 version, of which a larger minor number within 1.x adds things and takes none away. runc 1.1.5 takes all.
# Happens: "no 'mounts' block specified" (an empty list is enough), and "unknown version specified" for the version
# that newer tools write, whatever the file holds.
# Versions: crun 1.8.1-1+deb12u1 (Debian 12). Seen 2026-11-30: the lines below.
# The check comes before anything is made, so neither root nor control groups are needed.
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages crun=1.8.1-1+deb12u1 libyajl2=2.1.0-3+deb12u2
mkdir -p bundle/rootfs state
said() { # PYTHON: changes `c`, the smallest configuration; prints the first line that crun says
    python3 - "$1" << 'EOF'
import json, sys
c = {'ociVersion': '1.0.2', 'process': {'user': {'uid': 0, 'gid': 0}, 'args': ['/x'], 'cwd': '/'},
     'root': {'path': 'rootfs'}, 'mounts': [], 'linux': {'namespaces': [{'type': 'mount'}]}}
exec(sys.argv[1])
json.dump(c, open('bundle/config.json', 'w'))
EOF
    crun --root state create --bundle bundle finding 2>&1 | head -1 || true
    crun --root state delete --force finding > /dev/null 2>&1 || true
}
seen 'with both it goes on to other things' 0 "$(said '' | grep -c -e 'invalid config' -e 'unknown version' || true)"
seen 'without mounts' "invalid config file, no 'mounts' block specified" "$(said 'del c["mounts"]')"
seen 'without linux' "invalid config file, no 'linux' block specified" "$(said 'del c["linux"]')"
seen 'ociVersion 1.2.0' 'unknown version specified' "$(said 'c["ociVersion"] = "1.2.0"')"
