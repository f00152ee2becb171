"""A small shop as a WSGI application, with its orders in PostgreSQL."""

import json
import os
import re
import time

import psycopg2

VERSION = os.environ.get("APP_VERSION", "")
DATABASE = os.environ["DATABASE"]


def connect():
    connection = psycopg2.connect(DATABASE)
    # Each statement is a transaction of its own.
    connection.autocommit = True
    return connection


def execute(statement, values=()):
    with database.cursor() as cursor:
        cursor.execute(statement, values)


# Each worker imports this file, and has a connection of its own; they take turns to make the table.
database = connect()
execute("select pg_advisory_lock(1)")
execute("create table if not exists orders (id text not null)")
execute("select pg_advisory_unlock(1)")


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
    execute("insert into orders (id) values (%s)", (order_id,))
    return "201 Created", {"id": order_id}


def live(_):
    return "200 OK", {"alive": True}


def ready(_):
    execute("select 1")
    return "200 OK", {"ready": True}


ROUTES = [
    ("GET", re.compile(r"/items/(\d+)"), item),
    ("GET", re.compile(r"/report"), report),
    ("POST", re.compile(r"/orders"), order),
    ("GET", re.compile(r"/livez"), live),
    ("GET", re.compile(r"/readyz"), ready),
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
