#!/bin/bash
# python-on-whales cuts `PASSWORD=a#b` of an env file to `a` when it deploys a stack.
#
# Expected: stack.deploy(env_files=) is documented as "Similar to `.env` files in docker-compose". There a # opens a
# comment only after a blank and outside of quotes, and quotes are taken off.
# Happens: everything from the first # on is gone, also inside quotes, and quotes stay as part of the value, so the
# other half of a pair stays too. The stack is deployed with these values without a word.
# Versions: python-on-whales 0.81.0, a docker that only writes its environment down; python-dotenv 1.2.1 to compare.
# Seen 2026-11-30:
#   V_PLAIN=a   V_QUOTED="x y"   V_URL="http://web/
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages python-on-whales==0.81.0 python-dotenv==1.2.1
cat > stack.env << 'EOF'
V_PLAIN=a#b
V_URL="http://web/#top"
V_QUOTED="x y"
EOF
cat > fake-docker << EOF
#!/bin/sh
env | grep ^V_ | sort > $work/environment
EOF
chmod +x fake-docker
cat > deploy.py << 'EOF'
import os
import dotenv, python_on_whales

docker = python_on_whales.DockerClient(client_call=[os.path.abspath('fake-docker')])
docker.stack.deploy('s', ['stack.yaml'], env_files=['stack.env'])
print(*sorted(f'{k}={v}' for k, v in dotenv.dotenv_values('stack.env').items()), sep='\n')
EOF
"$python" deploy.py > dotenv
seen 'what stack deploy gets' 'V_PLAIN=a
V_QUOTED="x y"
V_URL="http://web/' "$(cat environment)"
seen 'what python-dotenv reads' 'V_PLAIN=a#b
V_QUOTED=x y
V_URL=http://web/#top' "$(cat dotenv)"
