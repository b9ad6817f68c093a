"""Saved questions: which prompts stay listed below which folder, and the last answer to each.

They are rows of history.db, so they outlive the mount. The set is small and read at every listing of /query: it is held in
memory, and written through in the catalogue's thread before a save or a forget is acknowledged.
"""

import sqlite3
from collections.abc import Awaitable, Callable

from syscalls.errors import Exists, NotFound

Run = Callable[..., Awaitable[object]]


class Questions:
    """The port `syscalls.ports.Questions`. `run` calls a function in the catalogue's thread."""

    def __init__(self, database: sqlite3.Connection, run: Run) -> None:
        self.database = database
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
        self._saved.setdefault(folder, {})[prompt] = None
        await self._run(self._insert, folder, prompt)

    async def forget(self, folder: bytes, prompt: str) -> None:
        """Let a saved question go. Raises NotFound when there is none."""
        if prompt not in self._saved.get(folder, ()):
            raise NotFound(f"No saved question “{prompt}”; ls the query folder to see those there are.")
        del self._saved[folder][prompt]
        await self._run(self._delete, folder, prompt)

    async def keep(self, folder: bytes, prompt: str, answer: bytes) -> None:
        """Keep the newest answer to a saved question; nothing happens when it was forgotten meanwhile."""
        if prompt in self._saved.get(folder, ()):
            self._saved[folder][prompt] = answer
            await self._run(self._store, folder, prompt, answer)

    # In the thread; each one commit

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
