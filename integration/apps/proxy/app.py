"""Tells who answers, and the token it was given."""

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

TOKEN = Path("/run/secrets/site_token").read_text()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{socket.gethostname()} {TOKEN}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("", 8000), Handler).serve_forever()
