"""An SSH server of one's own for the time of a test: own keys, own settings, any free port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PROGRAM = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True)
class Server:
    """Where it listens, who may enter, with which key, and what it is asked to keep."""

    port: int
    user: str
    key: Path
    store: Path

    @property
    def url(self) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{self.store}"


def missing() -> str:
    """What stands in the way of a server and of DVC's use of it, or nothing."""
    if find_spec("dvc_ssh") is None:
        return "no dvc-ssh: `make team`, or .venv/team in PYTHONPATH as `make test` has it"
    return "" if PROGRAM or _installed() else "no sshd, and apt-get could not install openssh-server"


def _installed() -> bool:
    """Install it from the distribution, as root; no service is started."""
    global PROGRAM
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        return False
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "openssh-server"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (install, ["apt-get", "update"], install):
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
        PROGRAM = shutil.which("sshd", path="/usr/sbin")
        if PROGRAM:
            return True
    return False


@contextmanager
def ssh_server() -> Iterator[Server]:
    """A server on the loopback device that lets in one user, by key; root serves as another one.

    Every connection is handed to an `sshd -i`, as inetd does: no port is chosen before it is bound.
    """
    as_root = os.getuid() == 0
    user = pwd.getpwnam("daemon") if as_root else pwd.getpwuid(os.getuid())
    with (
        tempfile.TemporaryDirectory(prefix="zenn-sshd-") as name,
        socket.create_server(("127.0.0.1", 0)) as door,
    ):
        folder, port = Path(name), door.getsockname()[1]
        for key in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        settings = {
            "HostKey": folder / "host",
            "AuthorizedKeysFile": folder / "key.pub",
            "PidFile": "none",
            "UsePAM": "no",
            "StrictModes": "no",  # of a folder below /tmp
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "AllowUsers": user.pw_name,
            "MaxSessions": "100",
            "Subsystem": "sftp internal-sftp",
        }
        (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        (folder / "store").mkdir()
        (folder / "log").touch()
        if as_root:
            for path in (folder, *folder.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
        whom = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if as_root else {}
        serve = [str(PROGRAM), "-i", "-f", str(folder / "config"), "-E", str(folder / "log")]
        served: list[subprocess.Popen[bytes]] = []

        def listen() -> None:
            while True:
                try:
                    caller, _ = door.accept()
                except OSError:  # closed: the test is over
                    return
                with caller:
                    served.append(subprocess.Popen(serve, stdin=caller, stdout=caller, cwd="/", **whom))

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield Server(port, user.pw_name, folder / "key", folder / "store")
        finally:
            door.shutdown(socket.SHUT_RDWR)  # wakes the one that waits for a caller
            listener.join(timeout=60)
            for process in served:
                process.terminate()
                process.wait(timeout=60)
