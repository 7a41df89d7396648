#!/bin/bash
# Testcontainers for Java: `mvn test` of a small project.
set -euo pipefail
version=1.21.3
# Surefire's provider of JUnit is fetched when there is a test to run.
maven() { mvn --quiet --batch-mode "-Dmaven.repo.local=$CLIENTS/testcontainers-java/repository" "-Dtestcontainers=$version" "$@"; }
case $1 in
    install)
        CLIENTS=$(dirname "$PWD")
        cp -r "$FIXTURES/testcontainers-java" project
        cd project
        maven test -Dtest=Nothing -Dsurefire.failIfNoSpecifiedTests=false
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
