"""search_library: files as the daemon and the indexer would have written them down, for tests of questions about them."""

import hashlib

import numpy as np

from lsfs.engine.document import Cut
from lsfs.history import paths
from lsfs.history.store import open_history
from lsfs.index.backlog import content_of
from lsfs.index.lance import Table
from lsfs.index.search import Search
from lsfs.index.store import Store
from lsfs.index.vectors import Vectors

DIMENSION = 4


def direction(*numbers):
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def digest_of(text):
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


class Library:
    """Files as the daemon and the indexer would have written them down."""

    def __init__(self, state):
        self.history = open_history(state / "history.db")
        self.store = Store(state / "index", str(state / "history.db"), "m")
        self.vectors = Vectors(state / "vectors.db", "m")
        self.table = Table(state / "index" / "lance", DIMENSION)
        self.search = Search(self.store.path, state / "history.db", self.vectors)
        self.sequence = 0

    def close(self):
        self.search.close()
        self.vectors.close()
        self.store.close()
        self.history.close()

    def add(self, path, text="", *, vector=None, in_lance=True, type="text", uid=1000, mtime=0, state="text"):
        """A file whose passages are the paragraphs of `text`, all with one vector."""
        path = path.encode()
        digest = digest_of(text) if state == "text" else None
        cuts = [Cut(n, n, "", part) for n, part in enumerate(text.split("\n\n"), 1)] if text else []
        if digest is not None and self.store.known(digest) is None:
            with self.store.writing():
                self.store.add(digest, type, cuts, vector is not None, False)
            if vector is not None:
                waiting = self.store.backlog.waiting(1000)
                self.vectors.put((w.key, vector) for w in waiting)
                if in_lance:
                    ids = [w.passage for w in waiting]
                    self.table.add(
                        ids,
                        [content_of(p) for p in ids],
                        [w.key for w in waiting],
                        np.stack([vector] * len(waiting)),
                    )
                self.store.backlog.mark([w.passage for w in waiting])
        self._commit(path, digest, type, uid, mtime, state)

    def _commit(self, path, digest, type, uid, mtime, state):
        self.sequence += 1
        parent, name = paths.split(path)
        row = self.history.execute(
            "insert into file (parent, name, kind, size, mtime_ns, ctime_ns, ino, mode, uid, gid, digest, type, suffix, state, "
            "dirty, complete, born) "
            "values (?, ?, 'file', 1, ?, 0, 0, 33188, ?, 0, ?, ?, ?, ?, 0, 1, ?)",
            (parent, name, mtime, uid, digest, type, paths.suffix(name), state, self.sequence),
        ).lastrowid
        self.history.execute("insert into path_words (rowid, words) values (?, ?)", (row, paths.words(path)))
        self.history.execute("update meta set value = ? where key = 'sequence'", (self.sequence,))

    def remove(self, path):
        self.sequence += 1
        parent, name = paths.split(path.encode())
        found = self.history.execute(
            "select id from file where parent = ? and name = ? and died is null", (parent, name)
        ).fetchone()[0]
        self.history.execute("update file set died = ? where id = ?", (self.sequence, found))
        self.history.execute("delete from path_words where rowid = ?", (found,))
        self.history.execute("update meta set value = ? where key = 'sequence'", (self.sequence,))

    def ask(self, *words, vector=None, **query):
        query = {
            "words": list(words),
            "meaning": " ".join(words),
            "condition": None,
            "mode": "both",
            "limit": 20,
        } | query
        return self.search.run(query, vector, self.table if vector is not None else None)

    def found(self, *words, **query):
        return [hit["path"].decode() for hit in self.ask(*words, **query)["hits"]]


class Past(Library):
    """A Library with its history: rows of `entry` beside those of `file`, as the daemon writes both."""

    def __init__(self, state):
        super().__init__(state)
        self.clock = 0
        self.texts = {}  # by (parent, name), of what is live

    def write(self, path, text="", *, captured=True, read=True, ignored=False, **known):
        """A new content at `path`; returns the sequence that sees it. read: the engine has; captured: history has its bytes."""
        parent, name = paths.split(path.encode())
        self.clock += 1
        mtime = known.pop("mtime", self.clock)
        old = self.history.execute(
            "select id, digest, type, state from file where parent = ? and name = ? and died is null",
            (parent, name),
        ).fetchone()
        if old:
            self.history.execute("update file set died = ? where id = ?", (self.sequence + 1, old[0]))
            self.history.execute("delete from path_words where rowid = ?", (old[0],))
        self._leave(parent, name)
        if ignored:
            self.sequence += 1
        elif read:
            self.add(path, text, mtime=mtime, **known)
        else:  # the old content stays until the new one was read
            digest, type, state = old[1:] if old else (None, None, "new")
            self._commit(path.encode(), digest, type, known.get("uid", 1000), mtime, state)
            self.history.execute("update file set dirty = 1 where born = ?", (self.sequence,))
        if known.get("state") == "other":
            text = f"bytes {self.clock}"
        cell = None
        if text:
            digest = digest_of(text) if captured else None
            cell = self.history.execute(
                "insert into content (size, digest) values (1, ?)", (digest,)
            ).lastrowid
        self._enter(parent, name, 0o100644, known.get("uid", 1000), mtime, cell, not ignored)
        self.texts[parent, name] = text
        return self._moment()

    def _enter(self, parent, name, mode, uid, mtime, cell, indexed):
        self.history.execute(
            "insert into entry (parent, name, mode, uid, gid, size, mtime_ns, ctime_ns, ino, content, indexed, born) "
            "values (?, ?, ?, ?, 0, 1, ?, 0, 0, ?, ?, ?)",
            (parent, name, mode, uid, mtime, cell, int(indexed), self.sequence),
        )

    def _moment(self):
        self.history.execute("update meta set value = ? where key = 'sequence'", (self.sequence,))
        return self.sequence

    def _leave(self, parent, name, barrier=True):
        """What is at a path ends with the next sequence; nothing is overwritten or removed that is not captured."""
        row = self.history.execute(
            "select id, content, indexed, mode, uid, mtime_ns from entry where parent = ? and name = ? and died is null",
            (parent, name),
        ).fetchone()
        if row is None:
            return None
        if barrier and row[1]:
            self.capture(paths.join(parent, name).decode())
        self.history.execute("update entry set died = ? where id = ?", (self.sequence + 1, row[0]))
        if row[2]:
            left = self.history.execute(
                "insert or ignore into dead_path (parent, name) values (?, ?)", (parent, name)
            )
            if left.rowcount:
                self.history.execute(
                    "insert into dead_path_words (rowid, words) values (?, ?)",
                    (left.lastrowid, paths.words(paths.join(parent, name))),
                )
        return row

    def capture(self, path):
        """History has the bytes of the live file at `path` now."""
        parent, name = paths.split(path.encode())
        self.history.execute(
            "update content set digest = ? where digest is null and id = "
            "(select content from entry where parent = ? and name = ? and died is null)",
            (digest_of(self.texts[parent, name]), parent, name),
        )

    def remove(self, path):
        parent, name = paths.split(path.encode())
        self._leave(parent, name)
        if self.history.execute(
            "select 1 from file where parent = ? and name = ? and died is null", (parent, name)
        ).fetchone():
            super().remove(path)
        else:
            self.sequence += 1
        return self._moment()

    def rename(self, old, new):
        """A rename over nothing, which captures nothing."""
        was, parent_name = paths.split(old.encode()), paths.split(new.encode())
        row = self._leave(*was, barrier=False)
        self.sequence += 1
        file = self.history.execute(
            "select id, digest, type, state, uid, mtime_ns, dirty from file where parent = ? and name = ? and died is null",
            was,
        ).fetchone()
        if file:
            self.history.execute("update file set died = ? where id = ?", (self.sequence, file[0]))
            self.history.execute("delete from path_words where rowid = ?", (file[0],))
            self.sequence -= 1
            self._commit(new.encode(), file[1], file[2], file[4], file[5], file[3])
            self.history.execute("update file set dirty = ? where born = ?", (file[6], self.sequence))
        self._enter(*parent_name, row[3], row[4], row[5], row[1], row[2])
        self.texts[parent_name] = self.texts.pop(was)
        return self._moment()

    def read(self, path):
        """The engine comes to a file that waited to be read."""
        parent, name = paths.split(path.encode())
        text, (file, mtime, uid) = self.texts[parent, name], self.history.execute(
            "select id, mtime_ns, uid from file where parent = ? and name = ? and died is null", (parent, name)
        ).fetchone()  # fmt: skip
        self.history.execute("update file set died = ? where id = ?", (self.sequence, file))
        self.history.execute("delete from path_words where rowid = ?", (file,))
        self.sequence -= 1
        self.add(path, text, mtime=mtime, uid=uid)
