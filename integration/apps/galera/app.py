"""Tells the schema of the database that it gets."""

from http.server import BaseHTTPRequestHandler, HTTPServer

import redis


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        schema = redis.Redis(host="db").get("schema") or b"missing"
        body = b"schema " + schema + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("", 8000), Handler).serve_forever()
