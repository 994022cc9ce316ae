"""An application whose workers keep two megabytes of each request to /leak."""

import os

RELEASE = "one"
kept = []


def application(environ, start_response):
    if environ["PATH_INFO"] == "/leak":
        kept.append(b"x" * 2_000_000)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{RELEASE} {os.getpid()}\n".encode()]
