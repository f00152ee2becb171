"""A small shop as a WSGI application, with its orders in SQLite."""

import json
import os
import re
import sqlite3
import time

VERSION = os.environ.get("APP_VERSION", "")
DATABASE = os.environ.get("DATABASE", "shop.db")


def connect():
    # Several workers write: each waits for the others, and each statement is a transaction of its own.
    connection = sqlite3.connect(DATABASE, timeout=20, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    connection.execute("create table if not exists orders (id text not null)")
    return connection


# Each worker imports this file, and has a connection of its own.
database = connect()


def item(_, number):
    return "200 OK", {"id": int(number), "name": f"Item {number}"}


def report(_):
    time.sleep(0.3)
    return "200 OK", {"sold": 42}


def order(environ):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        order_id = json.loads(body)["id"]
    except (ValueError, KeyError, TypeError):
        return "400 Bad Request", {"error": "an order needs an id"}
    database.execute("insert into orders (id) values (?)", (order_id,))
    return "201 Created", {"id": order_id}


def health(_):
    database.execute("select 1")
    return "200 OK", {"ready": True}


ROUTES = [
    ("GET", re.compile(r"/items/(\d+)"), item),
    ("GET", re.compile(r"/report"), report),
    ("POST", re.compile(r"/orders"), order),
    ("GET", re.compile(r"/healthz"), health),
]


def application(environ, start_response):
    for method, path, answer in ROUTES:
        match = path.fullmatch(environ["PATH_INFO"])
        if match and environ["REQUEST_METHOD"] == method:
            status, body = answer(environ, *match.groups())
            break
    else:
        status, body = "404 Not Found", {"error": "no such page"}
    content = json.dumps(body).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(content))),
        ("X-App-Version", VERSION),
    ]
    start_response(status, headers)
    return [content]
