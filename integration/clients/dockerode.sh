#!/bin/bash
# The tests of dockerode, which are in its repository alone.
set -euo pipefail
version=5.0.1
case $1 in
    install)
        git clone --quiet --depth 1 --branch "v$version" "${SOURCES:-https://github.com/apocas/dockerode}" source
        cd source
        npm install --no-audit --no-fund --loglevel error
        echo "$version" > ../version ;;
    run)
        cd "$CLIENTS/dockerode/source"
        ./node_modules/.bin/mocha --reporter json --exit > "$TMPDIR/dockerode.json" || true
        python3 "$FIXTURES/results.py" mocha "$TMPDIR/dockerode.json" > "$RESULTS" ;;
esac
