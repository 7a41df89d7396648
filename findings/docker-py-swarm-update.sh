#!/bin/bash
# docker-py's swarm.update(rotate_worker_token=True) also sets the certificates' lifetime to 90 days and unlocks managers.
#
# Expected: what is not given stays. Service.update of the same library reads the current specification and changes
# that, and so does `docker swarm update`; all parameters of swarm.update are documented as optional.
# Happens: the new specification is made of the given parameters alone, plus 90 days for the certificates. To the Engine
# a field that is missing is one with its default: after any update autolock is off, labels, the history of tasks, a
# log driver and a lifetime of one day are gone. A nightly rotation of a token does that without a word.
# Versions: docker 7.2.0 (PyPI), Python 3.11. Seen 2026-11-30, with a swarm of one day, autolock and a label:
#   {"CAConfig": {"NodeCertExpiry": 7776000000000000}}
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages docker==7.2.0
cat > update.py << 'EOF'
import http.server, json, threading
import docker

spec = {'Name': 'default', 'Labels': {'a': 'b'}, 'Orchestration': {'TaskHistoryRetentionLimit': 2},
        'CAConfig': {'NodeCertExpiry': 86400 * 10 ** 9}, 'TaskDefaults': {'LogDriver': {'Name': 'journald'}},
        'EncryptionConfig': {'AutoLockManagers': True}}

class Engine(http.server.BaseHTTPRequestHandler):
    def answer(self, content):
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def do_GET(self):
        self.answer(json.dumps({'ID': 's', 'Version': {'Index': 11}, 'Spec': spec}).encode())
    def do_POST(self):
        print(json.dumps(json.loads(self.rfile.read(int(self.headers['Content-Length'])))))
        self.answer(b'{}')
    def log_message(self, *_): pass

server = http.server.HTTPServer(('127.0.0.1', 0), Engine)
threading.Thread(target=server.serve_forever, daemon=True).start()
swarm = docker.DockerClient(base_url=f'tcp://127.0.0.1:{server.server_port}', version='1.51').swarm
assert swarm.attrs['Spec'] == spec
swarm.update(rotate_worker_token=True)
swarm.update(task_history_retention_limit=3)
server.shutdown()
EOF
seen 'specifications sent' '{"CAConfig": {"NodeCertExpiry": 7776000000000000}}
{"Orchestration": {"TaskHistoryRetentionLimit": 3}, "CAConfig": {"NodeCertExpiry": 7776000000000000}}' "$("$python" update.py)"
