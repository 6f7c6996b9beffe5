"""A web server on this machine that serves files as told: whole, cut, in ranges, or something else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """`files`: path -> bytes. `ranges`: whether it goes on where asked. `cut_at`: bytes after which a
    connection ends, in the middle of an answer. `lie`: bytes by which the stated length is too large.
    `asked`: path and range of every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.ranges = True
        self.cut_at: int | None = None
        self.lie = 0
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers["Range"]
        server.asked.append((self.path, wanted))
        if self.path not in server.files:
            self.send_error(404)
            return
        body, begin = server.files[self.path], 0
        if wanted and server.ranges:
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(body):
                self.send_error(416)
                return
        body = body[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body) + server.lie))
        self.end_headers()
        self.wfile.write(body[: server.cut_at])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs until the block ends."""
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
