#!/bin/bash
# podman-py sends a list of labels, which its documentation offers, as the text of a Python list.
#
# Expected: containers.list documents `label (Union[str, list[str]]): … or a list of such`, networks.list a list of
# names; the API wants {"label": ["a=b", "c"]}.
# Happens: str() of the list is the one value, {"label": ["['a=b', 'c']"]}, which matches nothing: the answer is an
# empty list or, for prune, nothing pruned, without an error. images.prune sends its documented dict in the same way.
# Versions: podman 5.8.0 (PyPI), Python 3.11. Seen 2026-11-30: the queries below, as a server gets them.
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages podman==5.8.0
cat > ask.py << 'EOF'
import http.server, threading, urllib.parse
import podman

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        print(self.path.split('/libpod/')[1].split('?')[0], query['filters'][0])
        self.send_response(200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'[]' if self.command == 'GET' else b'{}')
    do_POST = do_GET
    def log_message(self, *_): pass

server = http.server.HTTPServer(('127.0.0.1', 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = podman.PodmanClient(base_url=f'http://127.0.0.1:{server.server_port}')
client.containers.list(filters={'label': 'a=b'})
client.containers.list(filters={'label': ['a=b', 'c']})
client.networks.list(names=['web'])
client.images.prune(filters={'label': {'key': 'value'}})
server.shutdown()
EOF
seen 'queries' "containers/json {\"label\": [\"a=b\"]}
containers/json {\"label\": [\"['a=b', 'c']\"]}
networks/json {\"name\": [\"['web']\"]}
images/prune {\"label\": [\"{'key': 'value'}\"]}" "$("$python" ask.py)"
