"""A guest book: who was here is kept in PostgreSQL."""

import html
import os
from urllib.parse import parse_qs

import psycopg2

LONGEST = 200  # of an entry, in characters


def application(environ, start_response):
    """Answer a request as PEP 3333 has it."""
    handler = {"/": entries, "/health": health}.get(environ["PATH_INFO"], missing)
    status, headers, body = handler(environ)
    start_response(status, [("Content-Type", "text/html; charset=utf-8"), *headers])
    return [body.encode()]


def entries(environ):
    if environ["REQUEST_METHOD"] == "POST":
        length = min(int(environ.get("CONTENT_LENGTH") or 0), 4 * LONGEST)
        said = parse_qs(environ["wsgi.input"].read(length).decode()).get("said", [""])[0].strip()
        if said:
            ask("insert into entries (said) values (%s)", said[:LONGEST])
        return "303 See Other", [("Location", "/")], ""
    items = "".join(f"<li>{html.escape(said)}</li>" for (said,) in ask("select said from entries order by id desc limit 50"))
    form = '<form method="post"><input name="said" maxlength="200"><button>I was here</button></form>'
    return "200 OK", [], f"<!doctype html><title>Guests</title><h1>Guests</h1>{form}<ul>{items}</ul>"


def health(environ):
    ask("select count(*) from entries")
    return "200 OK", [], "ok"


def missing(environ):
    return "404 Not Found", [], "There is no such page."


def ask(question, *values):
    connection = psycopg2.connect(os.environ["DATABASE"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(question, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
