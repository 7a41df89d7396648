#!/bin/bash
# go-systemd says that it ignores a journal field with an invalid name, and sends it all the same.
#
# Expected: "variable name container-id contains invalid character, ignoring" on standard error means that the field
# is left out; the journal's native protocol allows capital letters, digits and `_` only, and the function that
# checks that is called before the field is written.
# Happens: the result of the check is only printed. The field is in the datagram, and what takes it is the receiver:
# journald drops it, a log collector that listens there need not.
# Versions: github.com/coreos/go-systemd/v22 v22.7.0. Seen 2026-11-30:
#   PRIORITY=6
#   MESSAGE=hi
#   container-id=abc
# A namespace of mounts gives the script its own /run with a socket where journald's would be.
source "$(dirname "$(realpath "$0")")/common.sh"
go_program github.com/coreos/go-systemd/v22@v22.7.0 << 'EOF'
package main

import "github.com/coreos/go-systemd/v22/journal"

func main() {
	if err := journal.Send("hi", journal.PriInfo, map[string]string{"container-id": "abc"}); err != nil {
		panic(err)
	}
}
EOF
cat > receive.py << 'EOF'
import os, socket, subprocess
path = '/run/systemd/journal/socket'
os.makedirs(os.path.dirname(path))
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.settimeout(20)
server.bind(path)
said = subprocess.run(['./program'], check=True, stderr=subprocess.PIPE, text=True, timeout=20).stderr
open('said', 'w').write(said)
open('datagram', 'wb').write(server.recv(65536))
EOF
unshare -rm sh -ec 'mount -t tmpfs none /run; exec python3 receive.py'
seen 'what it says' 'variable name container-id contains invalid character, ignoring' "$(cat said)"
seen 'what it sends' 'PRIORITY=6
MESSAGE=hi
container-id=abc' "$(cat datagram)"
