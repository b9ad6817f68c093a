"""Saved questions: which prompts stay listed below which folder, under which name, and the last answer to each.

They are rows of history.db, so they outlive the mount. The set is small and read at every listing of /query: it is held in
memory, and written through in the catalogue's thread before a save or a forget is acknowledged.
"""

import contextlib
import errno
import sqlite3
from collections.abc import Awaitable, Callable, Mapping

from syscalls.errors import Exists, LsfsError, NotFound

Run = Callable[..., Awaitable[object]]


class Unwritable(LsfsError):
    """History has no room."""

    errno = errno.ENOSPC


class Questions:
    """The port `syscalls.ports.Questions`. `commit` calls a function in the catalogue's thread as a change of its own, `run`
    without one: an answer that is kept changes nothing that could be found."""

    def __init__(self, database: sqlite3.Connection, commit: Run, run: Run) -> None:
        self.database = database
        self._commit = commit
        self._run = run
        self._saved: dict[bytes, dict[str, bytes | None]] = {}
        self._names: dict[bytes, dict[str, str]] = {}
        _add_name(database)
        for folder, prompt, kept, name in database.execute(
            "select folder, prompt, kept, name from question where died is null"
        ):
            self._saved.setdefault(folder, {})[prompt] = kept
            if name is not None:
                self._names.setdefault(folder, {})[name] = prompt

    def saved(self, folder: bytes) -> tuple[str, ...]:
        """The prompts saved below a folder, in the order of their words."""
        return tuple(sorted(self._saved.get(folder, ())))

    def all(self) -> tuple[tuple[bytes, str], ...]:
        """Every saved question: (folder, prompt)."""
        return tuple((folder, prompt) for folder, prompts in self._saved.items() for prompt in prompts)

    def kept(self, folder: bytes, prompt: str) -> bytes | None:
        """The last answer that was kept for a saved question, if there is one."""
        return self._saved.get(folder, {}).get(prompt)

    def names(self, folder: bytes) -> Mapping[str, str]:
        """The prompts below a folder that have a name, by it."""
        return self._names.get(folder, {})

    async def call(self, folder: bytes, prompt: str, name: str) -> None:
        """Give a saved question a name, instead of the one that it has; its prompt is one, too. Raises NotFound when there is no such
        question, Exists when the name is taken."""
        if prompt not in self._saved.get(folder, ()):
            raise NotFound(f"No saved question “{prompt}”; ls the query folder to see those there are.")
        if self.names(folder).get(name, prompt) != prompt or (name != prompt and name in self._saved[folder]):
            raise Exists(f"There is a question of the name “{name}” already.")
        await self._change(self._name, folder, prompt, name)
        self._unname(folder, prompt)
        if prompt in self._saved.get(folder, ()):
            self._names.setdefault(folder, {})[name] = prompt

    async def save(self, folder: bytes, prompt: str) -> None:
        """Keep a question listed. Raises Exists when it is."""
        if prompt in self._saved.get(folder, ()):
            raise Exists(f"The question “{prompt}” is saved already.")
        await self._change(self._insert, folder, prompt)
        self._saved.setdefault(folder, {})[prompt] = None

    async def forget(self, folder: bytes, prompt: str) -> None:
        """Let a saved question go. Raises NotFound when there is none."""
        if prompt not in self._saved.get(folder, ()):
            raise NotFound(f"No saved question “{prompt}”; ls the query folder to see those there are.")
        await self._change(self._delete, folder, prompt)
        self._saved.get(folder, {}).pop(prompt, None)
        self._unname(folder, prompt)

    async def keep(self, folder: bytes, prompt: str, answer: bytes) -> None:
        """Keep the newest answer to a saved question; nothing happens when it was forgotten meanwhile."""
        if prompt in self._saved.get(folder, ()):
            self._saved[folder][prompt] = answer
            with contextlib.suppress(sqlite3.Error):  # it only saves a search after the next mount
                await self._run(self._store, folder, prompt, answer)

    def forget_kept(self) -> None:
        """No answer that was kept is served again; what is on the disk is the caller's to remove."""
        for prompts in self._saved.values():
            prompts.update(dict.fromkeys(prompts))

    def _unname(self, folder: bytes, prompt: str) -> None:
        names = self._names.get(folder, {})
        for name in [name for name, called in names.items() if called == prompt]:
            del names[name]

    async def _change(self, call: Callable[..., None], folder: bytes, prompt: str, *more: str) -> None:
        try:
            await self._commit(call, folder, prompt, *more)
        except sqlite3.IntegrityError as error:
            raise Exists(f"There is a question “{(*more, prompt)[0]}” already.") from error
        except sqlite3.Error as error:
            raise Unwritable(
                f"The list of saved questions cannot be written ({error}); free some space."
            ) from error

    # In the thread

    def _insert(self, folder: bytes, prompt: str) -> None:
        self.database.execute(
            "insert into question (folder, prompt, born) values (?, ?, (select value from meta where key = 'sequence'))",
            (folder, prompt),
        )

    def _name(self, folder: bytes, prompt: str, name: str) -> None:
        self.database.execute(
            "update question set name = ? where folder = ? and prompt = ? and died is null",
            (name, folder, prompt),
        )

    def _delete(self, folder: bytes, prompt: str) -> None:
        self.database.execute(
            "update question set died = (select value from meta where key = 'sequence')"
            " where folder = ? and prompt = ? and died is null",
            (folder, prompt),
        )

    def _store(self, folder: bytes, prompt: str, answer: bytes) -> None:
        self.database.execute(
            "update question set kept = ? where folder = ? and prompt = ? and died is null",
            (answer, folder, prompt),
        )


def _add_name(database: sqlite3.Connection) -> None:
    """The column came after the table. An older lsfs, which names its columns, takes no notice of it, so the layout has no new version."""
    columns = {row[1] for row in database.execute("pragma table_info(question)")}
    if "name" not in columns:
        database.execute("alter table question add column name text")
    database.execute(
        "create unique index if not exists question_named on question (folder, name) where died is null and name is not null"
    )
