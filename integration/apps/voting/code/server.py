"""Serves one function of the path as plain text on port 80."""

from http.server import BaseHTTPRequestHandler, HTTPServer


def serve(answer):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = answer(self.path).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

    HTTPServer(("", 80), Handler).serve_forever()
