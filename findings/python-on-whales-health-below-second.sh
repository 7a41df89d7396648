#!/bin/bash
# python-on-whales gives Docker `--health-interval 0s` for half a second: the check then runs every 30 seconds.
#
# Expected: 500ms or 0.5s. The parameters are documented as `int | timedelta`, and a timedelta is there for what an int
# cannot say; Docker's health checks go down to a millisecond.
# Happens: the seconds are cut to an int, and 0s is Docker's word for "not given": the interval of the image or 30
# seconds, sixty times slower, and for a timeout of 0.9 seconds also 30. 1.9 seconds become one.
# Versions: python-on-whales 0.81.0, a docker that only writes its arguments down. Seen 2026-11-30:
#   --health-interval 0s --health-start-period 1s --health-timeout 0s
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages python-on-whales==0.81.0
fake_docker
cat > call.py << 'EOF'
import os
from datetime import timedelta
import python_on_whales

docker = python_on_whales.DockerClient(client_call=[os.path.abspath('fake-docker')])
docker.run('app', pull='never', health_interval=timedelta(milliseconds=500),
           health_timeout=timedelta(milliseconds=900), health_start_period=timedelta(seconds=1.9))
EOF
"$python" call.py
seen 'call of docker' 'container run --health-interval 0s --health-start-period 1s --health-timeout 0s --pull never app' "$(cat calls)"
