"""Counts visits in redis. /crash ends the server, without an answer."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

import redis

client = redis.Redis(host="redis-server", port=6379)


class Visits(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(1)
        body = f"Number of visits is {client.incr('visits')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("", 8080), Visits).serve_forever()
