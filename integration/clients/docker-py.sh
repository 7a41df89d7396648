#!/bin/bash
# The integration tests of docker-py, which are in its repository alone.
# Those of credentials are left out: one of them replaces the environment for all that follow, and DOCKER_HOST with it.
set -euo pipefail
version=7.2.0
case $1 in
    install)
        git clone --quiet --depth 1 --branch "$version" "${SOURCES:-https://github.com/docker/docker-py}" source
        /usr/bin/python3 -m venv venv
        venv/bin/pip install --quiet "docker==$version" pytest==9.2.0 pytest-timeout==2.4.0 paramiko==5.1.0 \
            websocket-client==1.9.0
        echo "$version" > version ;;
    run)
        cd "$CLIENTS/docker-py/source"
        "$CLIENTS/docker-py/venv/bin/python" -m pytest -q --timeout 60 -p no:cacheprovider --junitxml "$TMPDIR/docker-py.xml" \
            --ignore tests/integration/credentials tests/integration || true
        python3 "$FIXTURES/results.py" junit "$TMPDIR/docker-py.xml" | sed 's/tests\.integration\.//' > "$RESULTS" ;;
esac
