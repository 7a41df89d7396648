#!/bin/bash
# `coracle with-api -- COMMAND` around the test runs of projects, and what is left when it is killed in the middle.
set -euo pipefail
case $1 in
    install)
        for client in testcontainers-python testcontainers-java; do
            if [ ! -e "../$client/version" ]; then
                echo "run scripts/clients $client first" >&2
                exit 1
            fi
        done
        echo - > version
        exit ;;
esac
set +e
. "$FIXTURES/checks.sh"
unset DOCKER_HOST
export DOCKER_BUILDKIT=0
cp -r "$FIXTURES/testcontainers-python" "$work/python"
cp -r "$FIXTURES/testcontainers-java" "$work/java"
python=$CLIENTS/testcontainers-python/venv/bin/python
maven=(mvn --batch-mode --offline "-Dmaven.repo.local=$CLIENTS/testcontainers-java/repository")
all() { coracle ps -aq && coracle network ls -q && coracle volume ls -q; }
own=$(all)

# What there is beyond what there was before.
left() { all | grep -vxF "$own"; }
nothing_left() {
    local tries
    for tries in $(seq 50); do
        [ -n "$(left)" ] || return 0
        sleep 0.1
    done
    output="$tries tries later there is: $(left | tr '\n' ' ')"
    return 1
}
nothing() {
    nothing_left
    told "$1" $?
}

# Whether a container runs that was not there before.
runs() {
    coracle ps -q | grep -qvxF "$own"
}

# killed NAME COMMAND… : with-api is killed as soon as a container of the command runs.
killed() {
    local name=$1 killed
    shift
    coracle with-api -- "$@" > "$work/killed.log" 2>&1 &
    killed=$!
    for _ in $(seq 600); do
        ! runs || break
        sleep 0.1
    done
    output=$(tail -1 "$work/killed.log") status=-
    runs
    told "$name-had-begun" $?
    kill -9 "$killed"
    wait "$killed" 2> /dev/null
    nothing "$name-leaves-nothing"
}

cd "$work/python" || exit
says pytest '[0-9]+ passed' coracle with-api -- "$python" -m pytest -q -p no:cacheprovider
nothing pytest-leaves-nothing
killed pytest-killed "$python" -m pytest -q -p no:cacheprovider
cd "$work/java" || exit
says maven 'BUILD SUCCESS' coracle with-api -- "${maven[@]}" test
nothing maven-leaves-nothing
killed maven-killed "${maven[@]}" test
ends exit-code 7 coracle with-api -- sh -c 'docker run alpine:latest true; exit 7'
nothing exit-code-leaves-nothing
