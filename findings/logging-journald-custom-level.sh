#!/bin/bash
# The Python package logging-journald loses every record whose level is not one of the five of Python.
#
# Expected: a record of level 25 is sent with the priority next to it, as logging.handlers.SysLogHandler does
# ("warning" for what it does not know). Own levels are a documented feature of logging (addLevelName), and
# NOTICE = 25 is the usual one, since syslog and the journal have that priority.
# Happens: the level is looked up in a fixed table; the record is not sent, and one line goes to standard error.
# Versions: logging-journald 0.6.12, Python 3.11. Seen 2026-11-30:
#   received: plain
#   Unable to write message 'own level' to journald
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages logging-journald==0.6.12
cat > receive.py << 'EOF'
import os, socket, subprocess, sys
path = '/run/systemd/journal/socket'
os.makedirs(os.path.dirname(path))
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(path)
server.setblocking(False)
said = subprocess.run([sys.argv[1], 'send.py'], check=True, stderr=subprocess.PIPE, text=True, timeout=60).stderr
open('said', 'w').write(said)
while True:
    try:
        message = [l for l in server.recv(65536).split(b'\n') if l.startswith(b'MESSAGE=')]
    except BlockingIOError:
        break
    print('received:', message[0].split(b'=')[1].decode())
EOF
cat > send.py << 'EOF'
import logging
from logging_journald import JournaldLogHandler
logging.addLevelName(25, 'NOTICE')
log = logging.getLogger('web')
log.setLevel(logging.DEBUG)
log.addHandler(JournaldLogHandler(identifier='web'))
log.info('plain')
log.log(25, 'own level')
EOF
# shellcheck disable=SC2016 # for the shell in the namespace
seen 'what arrives' 'received: plain' "$(unshare -rm sh -ec 'mount -t tmpfs none /run; exec python3 receive.py "$1"' - "$python")"
seen 'what is said' "Unable to write message 'own level' to journald" "$(grep -m1 'own level' said)"
