"""A small shop as a bare ASGI application, with its orders in SQLite."""

import asyncio
import json
import os
import re
import socket
import sqlite3
import sys

import uvicorn

VERSION = os.environ.get("APP_VERSION", "").encode()


class Shop:
    def __init__(self, database):
        self.database = sqlite3.connect(database, timeout=20, isolation_level=None)
        self.database.execute("pragma journal_mode = wal")
        self.database.execute("pragma synchronous = normal")
        self.database.execute("create table if not exists orders (id text not null)")

    async def answer(self, method, path, receive):
        if method == "POST" and path == "/orders":
            return self.order(await body_of(receive))
        if method != "GET":
            return 405, {"error": "no such method"}
        if match := re.fullmatch(r"/items/(\d+)", path):
            return 200, {"id": int(match[1]), "name": f"Item {match[1]}"}
        if path == "/report":
            await asyncio.sleep(0.3)
            return 200, {"sold": 42}
        if path == "/healthz":
            return 200, {"ready": True}
        return 404, {"error": "no such page"}

    def order(self, body):
        try:
            order_id = json.loads(body)["id"]
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "an order needs an id"}
        self.database.execute("insert into orders (id) values (?)", (order_id,))
        return 201, {"id": order_id}

    async def __call__(self, scope, receive, send):
        status, body = await self.answer(scope["method"], scope["path"], receive)
        content = json.dumps(body).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"x-app-version", VERSION),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


async def body_of(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def inherited_sockets():
    """The socket that systemd hands to this very process, if it does."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    return [socket.socket(fileno=3)]


if __name__ == "__main__":
    address, database = sys.argv[1:]
    host, port = address.rsplit(":", 1)
    # uvicorn sets the length of the queue of an inherited socket, too: as long as the kernel allows.
    config = uvicorn.Config(Shop(database), host, int(port), backlog=4096, lifespan="off", access_log=False)
    uvicorn.Server(config).run(sockets=inherited_sockets())
