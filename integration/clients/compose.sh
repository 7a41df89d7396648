#!/bin/bash
# Docker Compose, of its Go module, through its commands.
# shellcheck disable=SC2016 # for the shells inside
set -euo pipefail
version=5.5.0
case $1 in
    install)
        folder=$(go mod download -json "github.com/docker/compose/v5@v$version" | sed -n 's/^.*"Dir": "\(.*\)".*/\1/p')
        out=$PWD/docker-compose
        (cd "$folder" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X github.com/docker/compose/v5/internal.Version=v$version" \
            -o "$out" ./cmd)
        echo "$version" > version
        exit ;;
esac
set +e
. "$FIXTURES/checks.sh"
image=alpine:latest
cd "$work" || exit
# Without it, Compose wants buildx.
export DOCKER_BUILDKIT=0
compose() { docker-compose -p cmp "$@"; }
export -f compose
cat > compose.yaml << END
services:
  web:
    image: $image
    command: httpd -f -p 80
    ports: ["127.0.0.1::80"]
    environment: {A: "1"}
    healthcheck: {test: ["CMD", "true"], interval: 1s}
    volumes: ["data:/data"]
    configs: [cfg]
    depends_on: {db: {condition: service_started}}
  db: {image: $image, command: "sh -c 'while true; do echo tick; sleep 1; done'", stop_grace_period: 1s}
  once: {image: $image, command: sh -c "exit 0"}
  late: {image: $image, command: sleep 300, depends_on: {once: {condition: service_completed_successfully}, web: {condition: service_healthy}}}
volumes: {data: {}}
configs: {cfg: {content: "hello"}}
END
works up 'compose up -d'
works up-again 'compose up -d'
says ps web "compose ps --format '{{.Service}} {{.State}}'"
says ps-json '"Service":"db"' 'compose ps --format json'
says ls cmp 'docker-compose ls'
says exec '^hello$' 'compose exec -T web cat /cfg'
works exec-stdin 'echo in | compose exec -T web cat | grep -qx in'
ends exec-exit 6 "compose exec -T web sh -c 'exit 6'"
says logs tick 'compose logs --tail 2 db'
says port '127.0.0.1:[0-9]+' 'compose port web 80'
says run '^run$' 'compose run --rm -T --no-deps db echo run'
says top 'httpd' 'compose top'
says images alpine 'compose images'
works dns 'compose exec -T web ping -c1 db'
before=$(compose ps -q web)
sed -i 's/A: "1"/A: "2"/' compose.yaml
works recreate 'compose up -d web'
works recreated "[ '$before' != \"\$(compose ps -q web)\" ]"
works scale 'compose up -d --scale db=2'
says scaled '^2$' 'compose ps -q db | wc -l'
works pause 'compose pause db'
works unpause 'compose unpause db'
works restart 'compose restart -t 0 db'
works stop 'compose stop -t 0'
works start 'compose start'
works wait 'compose up -d --wait web db'
echo f > f
works cp 'compose cp f web:/tmp/f'
works kill 'compose kill db'
works rm 'compose rm -f db'
printf 'services: {x: {image: "%s", command: sh -c "echo one; exit 3"}}' "$image" > ab.yaml
says attach one 'docker-compose -f ab.yaml -p cmpab up --abort-on-container-exit; docker-compose -f ab.yaml -p cmpab down -t 0'
ends exit-code-from 3 'docker-compose -f ab.yaml -p cmpab up --exit-code-from x'
docker-compose -f ab.yaml -p cmpab down -t 0 > /dev/null 2>&1
printf 'FROM %s\nARG V\nRUN echo $V > /v\nCMD ["cat","/v"]\n' "$image" > Dockerfile
printf 'services: {b: {build: {context: ., args: {V: "9"}}}}\n' > b.yaml
works build 'docker-compose -f b.yaml -p cmpb build'
says build-run '^9' 'docker-compose -f b.yaml -p cmpb run --rm -T b'
works build-down 'docker-compose -f b.yaml -p cmpb down --rmi local -t 0'
works down 'compose down -v -t 0'
says down-clean '^0$' 'docker ps -aq --filter label=com.docker.compose.project=cmp | wc -l'
