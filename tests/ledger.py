"""A folder and its history, driven by hand: no mount, no daemon, and a clock that the test moves."""

import os
import pathlib
import random
import types

from lsfs.history import entries as entries_module
from lsfs.history.catalogue import Catalogue
from lsfs.history.collect import Collection
from lsfs.history.entries import Entries
from lsfs.history.held import Held
from lsfs.history.ignore import Ignore
from lsfs.history.keeping import Kept, Retention
from lsfs.history.objects import LARGE, Objects, prepare
from lsfs.history.packs import pack
from lsfs.history.past import Past
from lsfs.history.scan import scan
from lsfs.history.store import State

HOUR, DAY = 3600.0, 86400.0
START = 1_780_000_000.0


class Ledger:
    """`clock` is what history takes for the time of the day, in seconds since the epoch."""

    def __init__(self, root: pathlib.Path, monkeypatch=None, *, durable: bool = False) -> None:
        self.folder = root / "folder"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = root / "state"
        self.clock = START
        self._patched, self._module = monkeypatch, entries_module.time
        entries_module.time = types.SimpleNamespace(time=lambda: self.clock)
        self.open(durable)

    def open(self, durable: bool = False) -> None:
        """Take the lock and open everything."""
        self.state = State(self.path)
        self.database = self.state.database
        if not durable:
            self.database.execute("pragma synchronous = off")
        self.root_fd = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        self.objects = Objects(self.database, self.path)
        self.entries = Entries(self.database, self.objects, pace=1000)
        self.catalogue = Catalogue(self.database, self.root_fd, Ignore(self.root_fd), self.entries)
        self.held = Held(self.folder / ".lsfs/held")
        self.past = Past(self.path, self.root_fd, self.held)
        self.collection = Collection(self.database, self.objects, self.held)

    def close(self) -> None:
        """Let everything go; `open` takes it again."""
        self.past.close()
        self.held.close()
        self.state.close()
        os.close(self.root_fd)

    def end(self) -> None:
        """The last call."""
        entries_module.time = self._module
        self.close()

    # What happens in the folder -----------------------------------------------------------------------------------

    def write(self, path: str, data: bytes | str, *, capture: bool = True) -> int:
        """Write a file through what would be the mount; the sequence."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)
        return self.touched(path, capture=capture)

    def touched(self, path: str, *, capture: bool = True) -> int:
        """Take in what is at a path, and what is above it."""
        with self.catalogue.transaction():
            for above in reversed(pathlib.PurePath(path).parents):
                if above.name and self.entries.row(os.fsencode(above)) is None:
                    self.catalogue.touched(os.fsencode(above))
            self.catalogue.touched(os.fsencode(path), written=True)
            if capture:
                self.capture(dict(self.entries.uncaptured))
        return self.catalogue.sequence

    def capture(self, cells: dict[int, bytes]) -> None:
        """Inside a commit."""
        for cell, path in cells.items():
            place = self.folder / os.fsdecode(path)
            if place.stat().st_size > LARGE:
                with open(place, "rb") as stream:
                    packed = pack(
                        stream.fileno(),
                        place.stat().st_size,
                        self.path,
                        self.objects.known_chunks,
                        lambda: False,
                    )
                self.objects.put_packed(packed)
                self.entries.recorded(cell, packed.digest)
            else:
                content = prepare(place.read_bytes())
                self.objects.put(content)
                self.entries.recorded(cell, content.digest)

    def remove(self, path: str) -> int:
        (self.folder / path).unlink()
        return self.touched(path)

    def rename(self, old: str, new: str) -> int:
        (self.folder / new).parent.mkdir(parents=True, exist_ok=True)
        os.rename(self.folder / old, self.folder / new)
        with self.catalogue.transaction():
            self.catalogue.moved(os.fsencode(old), os.fsencode(new))
        return self.catalogue.sequence

    def scan(self) -> None:
        for _ in scan(
            self.catalogue,
            b"",
            watch=lambda path, fd: None,
            hidden=frozenset({b".lsfs"}),
            unreadable=lambda path, error: None,
        ):
            pass

    def snapshot(self, name: str, automatic: bool = False) -> int:
        sequence = self.catalogue.sequence
        self.database.execute(
            "insert into snapshot values (?, ?, ?, ?)", (name.encode(), sequence, self.clock, int(automatic))
        )
        return sequence

    # What there is to be seen ---------------------------------------------------------------------------------------

    def tree(self, sequence: int) -> dict[bytes, tuple]:
        """All that was there at a sequence, bytes included."""
        rows = self.past.at_or_below(b"", sequence)
        return {
            row.path: (row.mode, row.uid, row.gid, row.mtime_ns, row.target, self.past.whole(row))
            for row in rows
        }

    def sequences(self) -> list[int]:
        return [row[0] for row in self.database.execute("select sequence from moment order by sequence")]

    def count(self, table: str) -> int:
        return self.database.execute(f"select count(*) from {table}").fetchone()[0]

    def due(self, keep_all: float = 7 * DAY, keep_daily: float = 30 * DAY) -> Kept:
        return self.collection.due(Retention(keep_all, keep_daily), self.clock)

    def collect(self, kept: Kept | None = None, grace: float = 0.0) -> list[bytes]:
        """A whole round; the names that went."""
        steps = self.collection.steps(self.due() if kept is None else kept, grace=grace, now=self.clock)
        return [name for names in steps for name in names]


def random_history(ledger, seed, steps):
    """Files that are written, renamed, changed in their rights, removed; hours and days go by."""
    chance = random.Random(seed)
    there: set[str] = set()
    names = [f"{folder}{name}" for folder in ("", "a/", "b/c/") for name in "xyz"]
    for step in range(steps):
        ledger.clock += chance.choice((1.0, HOUR, 5 * HOUR, DAY, 3 * DAY))
        known = sorted(there)
        what = chance.random()
        if what < 0.5 or not known:
            path = chance.choice(names)
            ledger.write(
                path, f"{chance.randrange(12)}" * chance.randrange(0, 300), capture=chance.random() < 0.95
            )
            there.add(path)
        elif what < 0.65:
            old, new = chance.choice(known), chance.choice(names)
            if old != new:
                ledger.rename(old, new)
                there.discard(old)
                there.add(new)
        elif what < 0.75:
            path = chance.choice(known)
            os.chmod(ledger.folder / path, chance.choice((0o600, 0o644, 0o755)))
            ledger.touched(path)
        elif what < 0.9:
            path = chance.choice(known)
            ledger.remove(path)
            there.discard(path)
        else:
            ledger.snapshot(f"{seed} {step}", automatic=chance.random() < 0.5)
