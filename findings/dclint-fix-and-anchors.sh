#!/bin/bash
# `dclint --fix` cannot write a valid Compose file whose anchor is in a service that it sorts behind the alias.
#
# Expected: the file is sorted with the anchor moved along (to the first use), or left in this one respect; YAML wants an
# anchor before its aliases, and the linter's own rule moves the services.
# Happens: services are sorted by name, then the writer of the YAML library meets the alias first and the program ends
# with its stack; nothing of the file is mended, other rules included. Without --fix it is linted like any other.
# Versions: dclint 3.1.0, Node 20. Seen 2026-11-30:
#   Error: Unresolved alias (the anchor must be set before the alias): env
source "$(dirname "$(realpath "$0")")/common.sh"
npm_packages dclint@3.1.0
cat > compose.yaml << 'EOF'
services:
  web:
    image: app:1
    environment: &env
      A: "1"
  api:
    image: app:1
    environment: *env
EOF
cp compose.yaml before
node_modules/.bin/dclint --fix compose.yaml > said 2>&1 || true
seen 'what it says' 'Error: Unresolved alias (the anchor must be set before the alias): env' "$(grep -m1 '^Error' said)"
seen 'what it changed' '' "$(diff before compose.yaml || true)"
sed -i 's/ web:/ aaa:/' compose.yaml
seen 'with the anchor in a service that comes first' 0 "$(node_modules/.bin/dclint --fix compose.yaml 2>&1 | grep -c 'Unresolved alias' || true)"
