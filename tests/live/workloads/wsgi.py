# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An application for WSGI servers: a millisecond of pure Python a request. It answers with its PID."""

import os
import time


def application(environ, start_response):
    end = time.monotonic() + 0.001
    while time.monotonic() < end:
        pass
    answer = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
