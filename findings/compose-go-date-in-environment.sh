#!/bin/bash
# compose-go makes `SINCE: 2026-01-01` the variable SINCE="2026-01-01 00:00:00 +0000 UTC".
#
# Expected: the text of the file, or the error that the Compose schema asks for (a variable is a string, a number, a
# boolean or null). 12:30:45, a number in older YAML, does stay text.
# Happens: its YAML reader makes a date of it, as YAML's timestamp type has it, and the date is printed as Go prints a
# time. So for labels, annotations and build arguments; a time with an offset changes too.
# Versions: compose-go v2.16.2, Go 1.26. Seen 2026-11-30:
#   SINCE=2026-01-01 00:00:00 +0000 UTC, AT=2026-01-01 10:00:00 +0200 +0200, label 2026-01-01 00:00:00 +0000 UTC
source "$(dirname "$(realpath "$0")")/common.sh"
cat > compose.yaml << 'EOF'
name: p
services:
  web:
    image: app
    environment: {SINCE: 2026-01-01, AT: 2026-01-01T10:00:00+02:00, CLOCK: 12:30:45}
    labels: {released: 2026-01-01}
EOF
go_program github.com/compose-spec/compose-go/v2@v2.16.2 << 'EOF'
package main

import (
	"context"
	"fmt"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions([]string{"compose.yaml"})
	if err != nil {
		panic(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		panic(err)
	}
	web := project.Services["web"]
	for _, name := range []string{"SINCE", "AT", "CLOCK"} {
		fmt.Println(*web.Environment[name])
	}
	fmt.Println(web.Labels["released"])
}
EOF
export TZ=UTC
seen 'SINCE, AT, CLOCK and the label' '2026-01-01 00:00:00 +0000 UTC
2026-01-01 10:00:00 +0200 +0200
12:30:45
2026-01-01 00:00:00 +0000 UTC' "$(./program)"
