#!/bin/bash
# Testcontainers for Python: the tests of a small project.
set -euo pipefail
version=4.15.0
case $1 in
    install)
        /usr/bin/python3 -m venv venv
        venv/bin/pip install --quiet "testcontainers==$version" docker==7.2.0 redis==8.1.0 pytest==9.2.0
        echo "$version" > version ;;
    run)
        export TESTCONTAINERS_RYUK_DISABLED=true DOCKER_BUILDKIT=0
        cd "$FIXTURES/testcontainers-python"
        "$CLIENTS/testcontainers-python/venv/bin/python" -m pytest -q -p no:cacheprovider \
            --junitxml "$TMPDIR/python.xml" || true
        python3 "$FIXTURES/results.py" junit "$TMPDIR/python.xml" > "$RESULTS" ;;
esac
