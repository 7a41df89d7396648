#!/bin/bash
# Testcontainers for Go: `go test` of a small project.
set -euo pipefail
case $1 in
    install)
        cp "$FIXTURES"/testcontainers-go/* .
        go test -c -o tests .
        go build -o test2json cmd/test2json
        sed -n 's/^.*testcontainers-go v\([0-9.]*\)$/\1/p' go.mod > version ;;
    run)
        export TESTCONTAINERS_RYUK_DISABLED=true
        cd "$CLIENTS/testcontainers-go"
        ./test2json -t ./tests -test.v=test2json > "$TMPDIR/go.json" || true
        python3 "$FIXTURES/results.py" go "$TMPDIR/go.json" > "$RESULTS" ;;
esac
