#!/bin/bash
# `DEBUG: true` in a Compose file is DEBUG=true by Docker's library and DEBUG=True by podman-compose.
#
# Expected: one text. The specification wants booleans quoted, Docker Compose takes them all the same, so files have them,
# and podman-compose is for the same files; it writes `config` with a small letter, too.
# Happens: podman-compose formats Python's value, for environment, labels, annotations, sysctls and build arguments. `yes`,
# a text for compose-go, is True as well. Programs that compare with "true" take another way.
# Versions: podman-compose 1.6.0 with PyYAML 6.0.3; compose-go v2.16.2. Seen 2026-11-30:
#   podman-compose: -e DEBUG=True -e ASK=True      compose-go: DEBUG=true ASK=yes
source "$(dirname "$(realpath "$0")")/common.sh"
printf 'name: p\nservices: {web: {image: app, environment: {DEBUG: true, ASK: yes}}}\n' > compose.yaml
podman_compose up -d --no-start
seen podman-compose '-e DEBUG=True -e ASK=True' "$(grep -o -e '-e DEBUG=[^ ]* -e ASK=[^ ]*' calls)"
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
	environment := project.Services["web"].Environment
	fmt.Printf("DEBUG=%s ASK=%s\n", *environment["DEBUG"], *environment["ASK"])
}
EOF
seen compose-go 'DEBUG=true ASK=yes' "$(./program)"
