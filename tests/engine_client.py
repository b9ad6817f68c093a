"""engine_client: what the daemon is for its engine, for tests: a catalogue, a socket, outcomes written down."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from lsfs.engine import protocol
from lsfs.history import paths
from lsfs.history.store import open_history

ROOT = Path(__file__).resolve().parents[1]
TEXTS = {
    "refund.md": "# Refunds\n\nRefunds over 500 need two signatures.\n",
    "login.md": "To log in, type your password.\n",
    "src/parse.py": "def parseHeader(line):\n    return line.split(':')\n",
    "weather.txt": "It rains in the mountains.\n",
}


class Daemon:
    """What the daemon does for its engine: a catalogue, a socket, and outcomes written down."""

    def __init__(self, tmp_path):
        self.folder, self.state = tmp_path / "folder", tmp_path / "state"
        self.folder.mkdir()
        self.state.mkdir()
        self.history = open_history(self.state / "history.db")
        self.root_fd = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        self.process = self.sock = None
        self.number = 0
        self.events, self.outcomes = [], []

    def start(self, **settings):
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(60)
        settings = {
            "root_fd": self.root_fd,
            "socket_fd": theirs.fileno(),
            "state": str(self.state),
            "catalogue": str(self.state / "history.db"),
        } | settings
        environment = os.environ | {
            "LSFS_ENGINE": json.dumps(settings),
            "PYTHONPATH": str(ROOT),
            "OMP_WAIT_POLICY": "PASSIVE",
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
        }
        with (self.state / "engine.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lsfs.engine"],
                env=environment,
                pass_fds=(self.root_fd, theirs.fileno()),
                stderr=log,
            )
        theirs.close()
        self.hello = self.call("hello")

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.sock.close()

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.sock.close()
        self.history.close()
        os.close(self.root_fd)

    def call(self, name, **arguments):
        self.number += 1
        protocol.send(self.sock, {"id": self.number, "call": name, "args": arguments})
        while True:
            message = protocol.receive(self.sock)
            assert message is not None, (self.state / "engine.log").read_text()
            if message.get("id") == self.number:
                if "error" in message:
                    raise OSError(*message["error"])
                return message["ok"]
            self._heard(message)

    def _heard(self, message):
        self.events.append(message)
        for outcome in message.get("outcomes", ()):
            self.outcomes.append(outcome)
            parent, name = paths.split(outcome["path"])
            self.history.execute(
                "update file set digest = ?, type = ?, state = ?, complete = ? where parent = ? and name = ? and died is null",
                (outcome["digest"], outcome["type"], outcome["state"], outcome["complete"], parent, name),
            )
        for digest in message.get("digests", ()):
            self.history.execute("update file set complete = 1 where digest = ? and died is null", (digest,))

    def write(self, texts):
        for name, text in texts.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            self.know(name)

    def know(self, name):
        parent, last = paths.split(name.encode())
        found = os.lstat(self.folder / name)
        row = self.history.execute(
            "insert into file (parent, name, kind, size, mtime_ns, ctime_ns, ino, mode, uid, gid, suffix, state, dirty, complete, born) "
            "values (?, ?, 'file', ?, ?, ?, ?, ?, ?, ?, ?, 'new', 0, 0, 1)",
            (
                parent,
                last,
                found.st_size,
                found.st_mtime_ns,
                found.st_ctime_ns,
                found.st_ino,
                found.st_mode,
                found.st_uid,
                found.st_gid,
                paths.suffix(last),
            ),
        ).lastrowid
        self.history.execute(
            "insert into path_words (rowid, words) values (?, ?)", (row, paths.words(name.encode()))
        )

    def forget(self, name):
        (self.folder / name).unlink()
        self.history.execute(
            "delete from path_words where rowid = (select id from file where name = ?)", (name.encode(),)
        )
        self.history.execute("delete from file where name = ?", (name.encode(),))

    def index(self, *names, fresh=False):
        self.call("index", paths=[name.encode() for name in names], fresh=fresh)

    def settle(self, meaning=True):
        """Hear events until every file is indexed, and complete where `meaning`."""
        until = time.monotonic() + 60
        wanted = "state = 'new'" + (" or complete = 0" if meaning else "")
        while self.history.execute(f"select 1 from file where died is null and ({wanted})").fetchone():
            assert time.monotonic() < until, (self.state / "engine.log").read_text()
            self._heard(protocol.receive(self.sock))

    def search(self, text, **query):
        return self.call(
            "search",
            **{"words": text.split(), "meaning": text, "mode": "both", "limit": 5, "deadline": 30.0} | query,
        )

    def found(self, text, **query):
        return [hit["path"].decode() for hit in self.search(text, **query)["hits"]]

    def by_meaning(self, text):
        """Ask until the answer used the model, which may still be loading."""
        until = time.monotonic() + 60
        while (answer := self.search(text))["meaning"] != "used":
            assert time.monotonic() < until, answer
        return [hit["path"].decode() for hit in answer["hits"]]

    def embeddings(self):
        return self.call("stats")["embeddings"]
