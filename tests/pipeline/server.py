"""A web server on this machine that serves files as told: whole, cut, in ranges, or something else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """`files`: path -> bytes. `redirects`: path -> address. `headers`: sent with every file.

    `status`: of a whole answer. `chunked`: whether it hides the length. `lie`: bytes by which the stated
    length is too large. `ranges`: whether it goes on where asked; `if_range`: whether it knows that header;
    `shift`: bytes by which a partial answer is off. `cut_at`: bytes after which a connection ends, in the
    middle of an answer. `hold_at`: bytes after which it sends nothing until `go_on` is set, or with `drip` a
    byte now and then; `held`: set when it has come there. `asked`: path and range of every request, `said`:
    all its headers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.ranges = True
        self.if_range = True
        self.chunked = False
        self.cut_at: int | None = None
        self.hold_at: int | None = None
        self.drip = False
        self.held = threading.Event()
        self.go_on = threading.Event()
        self.status = 200
        self.lie = 0
        self.shift = 0
        self.asked: list[tuple[str, str | None]] = []
        self.said: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers["Range"]
        server.asked.append((self.path, wanted))
        server.said.append(dict(self.headers))
        if self.path in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path not in server.files:
            self.send_error(404)
            return
        body, begin = server.files[self.path], 0
        same = not server.if_range or self.headers["If-Range"] in (None, server.headers.get("ETag"))
        if wanted and server.ranges and same:
            begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(body):
                self.send_error(416)
                return
        self.send_response(206 if begin else server.status)
        if begin:
            begin += server.shift
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        body = body[begin:]
        for name, value in server.headers.items():
            self.send_header(name, value)
        if server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body) + server.lie))
        self.end_headers()
        self.close_connection = True
        if server.hold_at is not None:
            self._slowly(body, server.hold_at)
        elif server.chunked:
            self._in_chunks(body)
        else:
            self.wfile.write(body[: server.cut_at])

    def _in_chunks(self, body: bytes) -> None:
        for begin in range(0, len(body), 10_000):
            if self.server.cut_at is not None and begin >= self.server.cut_at:
                return
            piece = body[begin : begin + 10_000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _slowly(self, body: bytes, after: int) -> None:
        """Send `after` bytes, then wait, or drip, until told to go on."""
        self.wfile.write(body[:after])
        self.wfile.flush()
        self.server.held.set()
        while not self.server.go_on.wait(0.02 if self.server.drip else None):
            self.wfile.write(body[after : after + 1])
            self.wfile.flush()
            after += 1
        self.wfile.write(body[after:])

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with suppress(OSError):  # who asked has gone
            super().handle()


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs until the block ends."""
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
