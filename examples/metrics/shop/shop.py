"""The application of this example: a page, counted by statsd."""
import socket

statsd = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def application(environ, start_response):
    # Over UDP, to the host's own statsd: nothing here waits for Graphite.
    statsd.sendto(b"shop.pages:1|c", ("127.0.0.1", 8125))
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"This is the shop.\n"]
