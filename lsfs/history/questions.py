"""Saved questions: which prompts stay listed below which folder, and the last answer to each.

They are rows of history.db, so they outlive the mount. The set is small and read at every listing of /query: it is held in
memory, and written through in the catalogue's thread before a save or a forget is acknowledged.
"""

import contextlib
import errno
import sqlite3
from collections.abc import Awaitable, Callable

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
        for folder, prompt, kept in database.execute(
            "select folder, prompt, kept from question where died is null"
        ):
            self._saved.setdefault(folder, {})[prompt] = kept

    def saved(self, folder: bytes) -> tuple[str, ...]:
        """The prompts saved below a folder, in the order of their words."""
        return tuple(sorted(self._saved.get(folder, ())))

    def all(self) -> tuple[tuple[bytes, str], ...]:
        """Every saved question: (folder, prompt)."""
        return tuple((folder, prompt) for folder, prompts in self._saved.items() for prompt in prompts)

    def kept(self, folder: bytes, prompt: str) -> bytes | None:
        """The last answer that was kept for a saved question, if there is one."""
        return self._saved.get(folder, {}).get(prompt)

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

    async def _change(self, call: Callable[[bytes, str], None], folder: bytes, prompt: str) -> None:
        try:
            await self._commit(call, folder, prompt)
        except sqlite3.IntegrityError as error:
            raise Exists(f"The question “{prompt}” is saved already.") from error
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
