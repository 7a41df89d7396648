#!/bin/bash
# Docker's client as Debian has it, through its commands.
# shellcheck disable=SC2016 # for the shells inside
set -euo pipefail
case $1 in
    install)
        apt-get download -qq docker.io
        dpkg -x docker.io_*.deb root
        # The client alone: there is no daemon here.
        find root -type f ! -path root/usr/bin/docker -delete
        root/usr/bin/docker --version | sed 's/^Docker version \([0-9.]*\).*/\1/' > version
        exit ;;
esac
set +e
. "$FIXTURES/checks.sh"
image=alpine:latest p=cli

says version '^[0-9]' docker version --format '{{.Server.Version}}'
says version-api '^1\.' docker version --format '{{.Server.APIVersion}}'
says info linux docker info --format '{{.OSType}}'
says images alpine docker images
says run-rm '^hello$' docker run --rm $image echo hello
ends run-exit 7 docker run --rm $image sh -c 'exit 7'
ends run-no-command 127 docker run --rm $image /nosuch
refuses run-no-image 'nable to find|No such image|denied|not found|lookup|resolve' docker run --rm nosuchimage:1 true
refuses run-pull-never 'No such image' docker run --rm --pull never nosuchimage:1 true
works run-stderr "docker run --rm $image sh -c 'echo e >&2' 2>&1 > /dev/null | grep -qx e"
works run-stdin "echo data | docker run --rm -i $image cat | grep -qx data"
works run-stdin-large "head -c 3000000 /dev/zero | docker run --rm -i $image wc -c | grep -qx 3000000"
works run-stdout-large "docker run --rm $image head -c 3000000 /dev/zero | wc -c | grep -qx 3000000"
works run-tty "script -qec 'docker run --rm -t $image tty' /dev/null | grep -q /dev/pts/"
works run-detached docker run -d --name $p-1 -l of=$p -e A=1 --hostname hh $image sleep 300
refuses name-conflict "Conflict. The container name \"/$p-1\" is already in use" docker create --name $p-1 $image true
says ps "$p-1" docker ps --filter label=of=$p --format '{{.Names}}'
says ps-status '^Up ' docker ps --filter name=$p-1 --format '{{.Status}}'
says inspect '^running hh A=1$' docker inspect -f '{{.State.Status}} {{.Config.Hostname}} {{index .Config.Env 0}}' $p-1
refuses inspect-missing 'No such object' docker inspect $p-none
says exec '^hi$' docker exec $p-1 echo hi
ends exec-exit 5 docker exec $p-1 sh -c 'exit 5'
ends exec-no-command 127 docker exec $p-1 /nosuch
works exec-stdin "echo x | docker exec -i $p-1 cat | grep -qx x"
works exec-tty "script -qec 'docker exec -it $p-1 tty' /dev/null | grep -q /dev/pts/"
works exec-detached docker exec -d $p-1 touch /tmp/det
says exec-env '^B=2$' docker exec -e B=2 $p-1 sh -c 'env | grep ^B='
says exec-folder-user '^/tmp nobody$' docker exec -w /tmp -u nobody $p-1 sh -c 'echo $PWD $(id -un)'
says top 'sleep 300' docker top $p-1
says stats "$p-1" docker stats --no-stream --format '{{.Name}}' $p-1
echo file > "$work/f"
works cp-in docker cp "$work/f" $p-1:/tmp/f
says cp-in-read '^file$' docker exec $p-1 cat /tmp/f
works cp-out docker cp $p-1:/tmp/f "$work/g"
works cp-out-read cmp "$work/f" "$work/g"
works cp-archive "docker cp $p-1:/etc/hostname - | tar t | grep -qx hostname"
refuses cp-missing 'Could not find the file /nosuch|No such container:path' docker cp $p-1:/nosuch "$work/x"
says diff 'A /tmp/f' docker diff $p-1
works pause docker pause $p-1
says paused '^paused$' docker inspect -f '{{.State.Status}}' $p-1
refuses pause-twice 'already paused' docker pause $p-1
works unpause docker unpause $p-1
works rename docker rename $p-1 $p-2
works rename-back docker rename $p-2 $p-1
works update-restart docker update --restart on-failure:2 $p-1
refuses rm-running 'container is running|cannot remove' docker rm $p-1
refuses kill-bad-signal 'nvalid signal' docker kill -s NOPE $p-1
works restart docker restart -t 0 $p-1
works stop docker stop -t 0 $p-1
works start docker start $p-1
works kill docker kill $p-1
says wait '^137$' docker wait $p-1
works rm docker rm $p-1
refuses rm-missing 'No such container' docker rm $p-1
works logs-start docker run -d --name $p-l $image sh -c 'echo one; echo two >&2; sleep 2; echo three'
says logs-follow three docker logs -f $p-l
works logs-split "docker logs $p-l 2> /dev/null | tr '\n' ' ' | grep -qx 'one three '"
says logs-tail '^three$' docker logs --tail 1 $p-l
says logs-time '^20[0-9-]+T[0-9:.]+Z one' docker logs -t $p-l
works attach-start docker run -d --name $p-a $image sh -c 'sleep 2; echo att; exit 4'
ends attach-exit 4 docker attach --no-stdin $p-a
works create docker create --name $p-c $image sh -c 'echo s; exit 3'
ends start-attach 3 docker start -a $p-c
works port-run docker run -d --name $p-p -p 127.0.0.1::80 $image httpd -f -p 80
says port '127.0.0.1:[0-9]+' docker port $p-p 80
works commit docker commit -m m -c 'ENV Z=1' $p-l $p-img:1
says commit-env 'Z=1' docker run --rm $p-img:1 env
says history . docker history $p-img:1
works tag docker tag $p-img:1 $p-img:2
says images-filter "$p-img" docker images --filter reference=$p-img --format '{{.Repository}}:{{.Tag}}'
works save docker save -o "$work/s.tar" $p-img:1
works save-manifest "tar tf '$work/s.tar' | grep -qx manifest.json"
says rmi "Untagged: $p-img:2" docker rmi $p-img:2
works rmi-last docker rmi $p-img:1
says load "Loaded image: $p-img:1" docker load -i "$work/s.tar"
works use docker create --name $p-u $p-img:1 true
refuses rmi-in-use 'conflict|in use|being used' docker rmi $p-img:1
works export "docker export $p-l | tar t | grep -q '^etc/'"
works import "docker export $p-l | docker import - $p-imp:1"
works events "(timeout 5 docker events --filter container=$p-e --format '{{.Action}}' > '$work/ev' &)
    sleep 1; docker run --rm --name $p-e $image true; sleep 1
    tr '\n' ' ' < '$work/ev' | grep -q 'create attach start die destroy'"
works events-past "docker events --since 5m --until 0s | grep -q 'container die'"
works network-create docker network create --label of=$p $p-n
refuses network-twice 'already exists' docker network create $p-n
works network-run docker run -d --name $p-n1 --network $p-n --network-alias al $image sleep 100
says network-dns '1 packets transmitted, 1' docker run --rm --network $p-n $image ping -c1 al
works network-connect docker network connect $p-n $p-p
refuses network-in-use 'active endpoints' docker network rm $p-n
says network-inspect "$p-n1" docker network inspect $p-n
works network-disconnect docker network disconnect $p-n $p-p
works network-rm "docker rm -f $p-n1 && docker network rm $p-n"
refuses network-missing 'not found|No such network' docker network inspect $p-n
works volume-create docker volume create --label of=$p $p-v
works volume-again docker volume create $p-v
works volume-use docker run --rm -v $p-v:/d $image sh -c 'echo v > /d/f'
says volume-read '^v$' docker run --rm -v $p-v:/d:ro $image cat /d/f
works volume-hold docker create --name $p-vc -v $p-v:/d $image true
refuses volume-in-use 'volume is in use' docker volume rm $p-v
works volume-rm "docker rm $p-vc && docker volume rm $p-v"
refuses volume-missing 'o such volume' docker volume inspect $p-v
says df Images docker system df
works prune docker container prune -f --filter label=of=$p
printf 'FROM %s\nARG V=1\nRUN echo $V > /v\nCOPY f /f\nCMD ["cat","/v","/f"]\n' "$image" > "$work/Dockerfile"
printf 'FROM %s\nRUN exit 3\n' "$image" > "$work/Dockerfile.fail"
export DOCKER_BUILDKIT=0
works build docker build -q -t $p-b:1 --build-arg V=2 "$work"
says build-run '^2' docker run --rm $p-b:1
refuses build-fails 'non-zero code: 3' docker build -f "$work/Dockerfile.fail" "$work"
works build-prune docker builder prune -f
refuses swarm-off 'not a swarm manager' docker node ls
works swarm-init docker swarm init --advertise-addr 127.0.0.1
says node-ls Leader docker node ls
works secret "echo s | docker secret create $p-s -"
refuses secret-twice AlreadyExists bash -c "echo s | docker secret create $p-s -"
works config "echo c | docker config create $p-c -"
works service docker service create -q --name $p-svc --replicas 2 --secret $p-s --config source=$p-c,target=/c \
    --no-resolve-image $image sleep 300
says service-ls '2/2' docker service ls
says service-ps Running docker service ps $p-svc
works service-update docker service update -q --env-add A=1 $p-svc
works service-scale docker service scale $p-svc=1
refuses secret-in-use 'in use' docker secret rm $p-s
works service-rm docker service rm $p-svc
refuses service-missing 'no such service|not found' docker service inspect $p-svc
refuses leave-manager 'force' docker swarm leave
works leave docker swarm leave -f
docker rm -f -v $p-1 $p-l $p-a $p-c $p-p $p-u > /dev/null 2>&1
docker rmi -f $p-img:1 $p-imp:1 $p-b:1 > /dev/null 2>&1
