#!/bin/bash
# Testcontainers for Java: `mvn test` of a small project.
set -euo pipefail
version=1.21.3
maven() { mvn --quiet --batch-mode "-Dmaven.repo.local=$CLIENTS/testcontainers-java/repository" "-Dtestcontainers=$version" "$@"; }
case $1 in
    install)
        CLIENTS=$(dirname "$PWD")
        cp -r "$FIXTURES/testcontainers-java" project
        cd project
        # What runs the tests is fetched when there are some to run, though they fail without an engine.
        DOCKER_HOST=unix:///nowhere maven test -Dmaven.test.failure.ignore=true > /dev/null
        cd ..
        rm -r project
        echo "$version" > version ;;
    run)
        export TESTCONTAINERS_RYUK_DISABLED=true
        cp -r "$FIXTURES/testcontainers-java" "$TMPDIR/java"
        cd "$TMPDIR/java"
        maven --offline test || true
        python3 "$FIXTURES/results.py" junit target/surefire-reports/*.xml > "$RESULTS" ;;
esac
