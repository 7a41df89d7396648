#!/bin/bash
# go-systemd makes an option `--level` out of a command line of a unit that has a comment between its lines.
#
# Expected: what systemd.syntax(7) says: a comment behind a line that ends in a backslash is ignored, and the line goes on
# after it. Long command lines of units and quadlets are commented in this way. A backslash that is itself escaped
# (`\\` at the end) continues nothing in systemd.
# Happens: the comment becomes the end of the value, and the rest of the command an option of its own, if there is a `=` in
# it (else an error). `\\` at the end swallows the next line: here Restart is part of the environment. What
# Serialize writes from that, systemd reads as another unit.
# Versions: github.com/coreos/go-systemd/v22 v22.7.0. Seen 2026-11-30: the lines below.
source "$(dirname "$(realpath "$0")")/common.sh"
go_program github.com/coreos/go-systemd/v22@v22.7.0 << 'EOF'
package main

import (
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/unit"
)

func main() {
	options, err := unit.Deserialize(os.Stdin)
	for _, option := range options {
		fmt.Printf("%s: %q\n", option.Name, option.Value)
	}
	if err != nil {
		fmt.Println(err)
	}
}
EOF
cat > web.service << 'EOF'
[Service]
ExecStart=/usr/bin/app \
# as long as we look for it
  --level=debug
Environment=HOME=C:\\
Restart=always
EOF
seen 'options of the unit' 'ExecStart: "/usr/bin/app \\\n# as long as we look for it"
--level: "debug"
Environment: "HOME=C:\\\\\nRestart=always"' "$(./program < web.service)"
