#!/bin/bash
# The dev containers' CLI: a folder of an image, of a Dockerfile, and of a Compose file, each brought up and used.
# shellcheck disable=SC2016 # for the shells inside
set -euo pipefail
version=0.89.0
case $1 in
    install)
        npm init -y > /dev/null
        npm install --no-audit --no-fund --loglevel error "@devcontainers/cli@$version"
        echo "$version" > version
        exit ;;
esac
set +e
. "$FIXTURES/checks.sh"
export DOCKER_BUILDKIT=0 PATH=$CLIENTS/devcontainers/node_modules/.bin:$PATH
cp -r "$FIXTURES/devcontainers/." "$work"
for kind in image built composed; do
    folder=$work/$kind
    says "$kind-up" '"outcome":"success"' devcontainer up --workspace-folder "$folder"
    says "$kind-exec" '^made here$' devcontainer exec --workspace-folder "$folder" cat made
    says "$kind-environment" '^yes$' devcontainer exec --workspace-folder "$folder" sh -c 'echo $IN_CONTAINER'
    says "$kind-up-again" '"outcome":"success"' devcontainer up --workspace-folder "$folder"
done
says built-build '"outcome":"success"' devcontainer build --workspace-folder "$work/built"
