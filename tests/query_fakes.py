"""Fakes of the ports that the tree and the calls stand on; tests/contract holds them to what the real ones promise."""

import os
import pathlib
from dataclasses import replace

from mounts.ports import Ports
from syscalls.control import Control
from syscalls.errors import Exists, NotFound, TryAgain
from syscalls.names import LongNames
from syscalls.permission import name_of
from syscalls.prompt import parse
from syscalls.retrieve import demands
from syscalls.values import Hit, Passage, Results


class SavedQuestions:
    """Saved questions in memory."""

    def __init__(self):
        self.prompts = {}
        self.called = {}

    def names(self, folder):
        return {name: prompt for (where, prompt), name in self.called.items() if where == folder}

    async def call(self, folder, prompt, name):
        if (folder, prompt) not in self.prompts:
            raise NotFound("No such question.")
        if self.names(folder).get(name, prompt) != prompt or (
            name != prompt and (folder, name) in self.prompts
        ):
            raise Exists("There is a question of this name.")
        self.called[folder, prompt] = name

    async def save(self, folder, prompt):
        self.prompts.setdefault((folder, prompt), None)

    async def forget(self, folder, prompt):
        self.prompts.pop((folder, prompt), None)
        self.called.pop((folder, prompt), None)

    def saved(self, folder):
        return tuple(prompt for where, prompt in self.prompts if where == folder)

    def all(self):
        return tuple(self.prompts)

    def kept(self, folder, prompt):
        return self.prompts.get((folder, prompt))

    async def keep(self, folder, prompt, answer):
        if (folder, prompt) in self.prompts:
            self.prompts[folder, prompt] = answer


class HeldLocks:
    """Locks in memory: of anything, and for anybody; none is ever refused."""

    def __init__(self):
        self.held = {}

    async def lock(self, path, lock, viewer):
        self.held[path] = lock

    async def unlock(self, path, viewer):
        self.held.pop(path, None)

    def of(self, path):
        return self.held.get(path)

    def locked(self, path):
        return (path, self.held[path]) if path in self.held else None

    def below(self, path):
        return None

    def linked(self, found):
        return None

    def known(self, path, lock, viewer):
        return True

    def all(self):
        return tuple(sorted(self.held.items()))


class NoLinks:
    """No link is valid, and none is made; tests/mounts/test_links.py has the real ones."""

    def all(self):
        return ()

    def named(self, name):
        return None

    def server(self):
        return None


class Machine:
    """A folder whose files are searched by plain words: any word of the prompt, in the content or the path."""

    def __init__(self, folder: pathlib.Path, owner=None):
        self.folder = os.fsencode(folder)
        self.generation = 1
        self.asked = []
        self.notes = []
        self.scanned = []
        self.meaning = "used"
        self.down = False
        self.closed = set()  # paths that only root may read
        self.questions = SavedQuestions()
        self.locks = HeldLocks()
        self.names = LongNames()
        self.owner = os.getuid() if owner is None else owner

    def ports(self, mountpoint="/mnt", read_only=False):
        return Ports(
            root_fd=os.open(self.folder, os.O_PATH | os.O_DIRECTORY),
            folder=os.fsdecode(self.folder),
            mountpoint=mountpoint,
            read_only=read_only,
            hidden={b".lsfs"},
            changes=self,
            ask=self.ask,
            questions=self.questions,
            report=self.report,
            names=self.names,
            control=Control(
                self,
                self.questions,
                self.report,
                self.names,
                self.owner,
                read_only=read_only,
                locks=self.locks,
                links=NoLinks(),
                ask=self.ask,
            ),
            generation=lambda: self.generation,
            note_error=self.notes.append,
            watched=lambda: False,
            readable=self.readable,
        )

    def touched(self, path, written=False):
        self.generation += 1

    def retimed(self, path, before, after):
        self.generation += 1

    def moved(self, old, new, exchange=False, found=None):
        self.generation += 1

    def readable(self, path, viewer):
        return (viewer.uid == 0 or path not in self.closed) and os.path.exists(self.folder + b"/" + path)

    async def scan(self, path):
        if not os.path.lexists(self.folder + b"/" + path):
            raise NotFound("There is no such path.")
        self.scanned.append(path)
        return 3

    async def rebuild(self):
        self.scanned.append("rebuild")

    def report(self, viewer):
        return {
            "version": "0",
            "pid": os.getpid(),
            "engine": {"state": "ready", "pid": 1},
            "files": 4,
            "pending": 1,
            "progress": None,
            "generation": self.generation,
            "searches": len(self.asked),
            "embeddings": 0,
            "reused": 0,
            "errors": [{"time": None, "path": "private.md", "error": "cannot be read"}],
        }

    async def ask(self, text, folder, viewer, sequence=None, *, among=None, every=False, limit=None):
        if self.down:
            raise TryAgain("The engine is starting again; ask in a moment.")
        self.asked.append((text, folder, viewer.uid))
        prompt = parse(text)
        if limit is not None:
            prompt = replace(prompt, limit=limit)
        most = None if every and demands(prompt) else prompt.limit
        hits = []
        for path in sorted(self._below(folder)):
            content = pathlib.Path(os.fsdecode(self.folder + b"/" + path)).read_text("utf-8", "replace")
            said = (content + " " + os.fsdecode(path)).lower()
            score = float(sum(word.lower() in said for word in prompt.words))
            if among is not None and path not in among:
                continue
            if score and self.readable(path, viewer) and self._within(path, folder, prompt):
                found = os.stat(self.folder + b"/" + path)
                passage = Passage(1, 1, content[:200], score)
                author = name_of(found.st_uid)
                hits.append(Hit(path, score, {"words": score}, (passage,), found.st_mtime_ns, author))
        hits.sort(key=lambda hit: -hit.score)
        return Results(prompt, folder, tuple(hits[:most]), self.generation, 0, self.meaning, 1.0)

    def _below(self, folder):
        top = os.path.join(self.folder, folder)
        for parent, folders, names in os.walk(top):
            folders[:] = [name for name in folders if name != b".lsfs"]
            for name in names:
                yield os.path.relpath(os.path.join(parent, name), self.folder)

    def _within(self, path, folder, prompt):
        places = [os.path.join(folder, os.fsencode(place)) for place in prompt.within]
        return not places or any(path == place or path.startswith(place + b"/") for place in places)
