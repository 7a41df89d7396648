#!/bin/bash
# python-on-whales stops a container after Docker's ten seconds, whatever number of seconds it is given.
#
# Expected: stop(time=300) is `docker stop --time 300`. It is documented as "Seconds to wait for stop before killing a
# container", an int or a timedelta; restart of the same library has the same parameter and passes it on.
# Happens: an int becomes nothing, so a database that was promised five minutes is killed after ten seconds, and time=0
# waits for ten. A timedelta becomes `5.0s`, which Docker refuses, since the option is a number. run(stop_timeout=) takes
# the int and makes `0:00:05` of the timedelta, which is refused too.
# Versions: python-on-whales 0.81.0, a docker that only writes its arguments down. Seen 2026-11-30: the lines below.
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages python-on-whales==0.81.0
fake_docker
cat > call.py << 'EOF'
import os
from datetime import timedelta
import python_on_whales

docker = python_on_whales.DockerClient(client_call=[os.path.abspath('fake-docker')])
docker.stop('db', time=300)
docker.stop('db', time=0)
docker.stop('db', time=timedelta(seconds=5))
docker.restart('db', time=300)
docker.run('db', pull='never', stop_timeout=300)
docker.run('db', pull='never', stop_timeout=timedelta(seconds=5))
EOF
"$python" call.py
seen 'calls of docker' 'container stop db
container stop db
container stop --time 5.0s db
restart --time 300 db
container run --pull never --stop-timeout 300 db
container run --pull never --stop-timeout 0:00:05 db' "$(cat calls)"
