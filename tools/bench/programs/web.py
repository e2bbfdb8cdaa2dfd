# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A threaded web service: a thread a connection, which parses, computes a little and answers."""

import hashlib
import http.server
import json

from asked import serve, start


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        rows = [{"id": number, "name": "row %d" % number} for number in range(50)]
        body = json.dumps({"rows": rows, "sum": sum(row["id"] for row in rows)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", hashlib.sha256(body).hexdigest())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *_):
        """The load generator leaves in the middle of answers when its time is over."""


server = Server(("127.0.0.1", 0), Handler)
start(server.serve_forever)
serve(dict, port=server.server_address[1])
