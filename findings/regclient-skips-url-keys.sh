#!/bin/bash
# regclient finds the credential under `https://HOST/` of a Docker configuration, and none under `https://HOST/v1/`.
#
# Expected: both. Keys with /v1/ are the older form that Docker itself still reduces to the host when it looks a
# registry up, and its own Hub has such a key to this day; go-containerregistry, Jib and docker-py take it.
# Happens: only https://index.docker.io/v1/ is known; for another host the entry is left out of the list without an
# error, and the first pull says "unauthorized".
# Versions: github.com/regclient/regclient v0.9.2, github.com/google/go-containerregistry v0.20.6. Seen 2026-11-30:
#   regclient: plain.example url.example      go-containerregistry: plain.example url.example v1.example
source "$(dirname "$(realpath "$0")")/common.sh"
mkdir config
cat > config/config.json << 'EOF'
{"auths": {"plain.example": {"auth": "YTpi"}, "https://url.example/": {"auth": "YTpi"},
           "https://v1.example/v1/": {"auth": "YTpi"}}}
EOF
go_program github.com/regclient/regclient@v0.9.2 github.com/google/go-containerregistry@v0.20.6 << 'EOF'
package main

import (
	"fmt"
	"sort"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/regclient/regclient/config"
)

func main() {
	hosts, err := config.DockerLoad()
	if err != nil {
		panic(err)
	}
	var known []string
	for _, host := range hosts {
		if host.User == "a" && host.Pass == "b" {
			known = append(known, host.Name)
		}
	}
	sort.Strings(known)
	fmt.Println("regclient:", strings.Join(known, " "))
	known = nil
	for _, host := range []string{"plain.example", "url.example", "v1.example"} {
		registry, err := name.NewRegistry(host)
		if err != nil {
			panic(err)
		}
		found, err := authn.DefaultKeychain.Resolve(registry)
		if err != nil {
			panic(err)
		}
		if pair, err := found.Authorization(); err == nil && pair.Username == "a" && pair.Password == "b" {
			known = append(known, host)
		}
	}
	fmt.Println("go-containerregistry:", strings.Join(known, " "))
}
EOF
seen 'hosts with a credential' 'regclient: plain.example url.example
go-containerregistry: plain.example url.example v1.example' "$(DOCKER_CONFIG=$work/config ./program)"
