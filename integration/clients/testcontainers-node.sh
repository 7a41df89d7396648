#!/bin/bash
# Testcontainers for Node: the tests of a small project.
set -euo pipefail
version=11.14.0
case $1 in
    install)
        npm init -y > /dev/null
        npm install --no-audit --no-fund --loglevel error "testcontainers@$version" "@testcontainers/redis@$version"
        echo "$version" > version ;;
    run)
        export TESTCONTAINERS_RYUK_DISABLED=true DOCKER_BUILDKIT=0
        cp "$FIXTURES"/testcontainers-node/*.mjs "$CLIENTS/testcontainers-node/"
        cd "$CLIENTS/testcontainers-node"
        node --test --test-reporter=junit --test-reporter-destination="$TMPDIR/node.xml" containers.test.mjs || true
        python3 "$FIXTURES/results.py" junit "$TMPDIR/node.xml" | sed 's/\ttest\./\t/' > "$RESULTS" ;;
esac
