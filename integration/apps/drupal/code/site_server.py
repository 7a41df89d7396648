"""GET / counts its visits in PostgreSQL, and shows the key of the site.

As a good server does, it goes on for a moment after it is asked to end: connections are on their way.
"""

import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg2

SECRETS = Path("/run/secrets")
GRACE_SECONDS = 1


def answer():
    password = (SECRETS / "psql-pw").read_text()
    with psycopg2.connect(host="db", dbname="drupal", user="drupal", password=password) as connection:
        with connection.cursor() as cursor:
            cursor.execute("create table if not exists visits (moment timestamptz default now())")
            cursor.execute("insert into visits default values")
    return (SECRETS / "site-key").read_text()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            body, status = answer().encode(), 200
        except psycopg2.Error as error:
            body, status = str(error).encode(), 503
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = False


server = Server(("", 80), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Timer(GRACE_SECONDS, server.shutdown).start())
server.serve_forever()
server.server_close()
