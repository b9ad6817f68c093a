"""adopted: what a user has just brought into the folder by plain file operations, as if a call had made it: `undo` takes it back.

    `lsfs create PATH --from OUTSIDE` copies beside PATH and renames (`lsfs.cli.bring`); then `create --adopt PATH` says so

A note like that of a change (`lsfs.history.redo`): the path and all that is in it, and the sequence before it came.
"""

import os
import stat
from typing import TYPE_CHECKING

from lsfs.editing.names import WRITE, granted, said
from lsfs.history import paths, redo
from lsfs.history.entries import ROW, Entry
from lsfs.history.past import Past
from lsfs.history.rollback import who
from syscalls.errors import Denied, NotFound
from syscalls.values import Viewer

if TYPE_CHECKING:
    from lsfs.history.history import History


async def adopt(history: "History", what: str, path: bytes, fd: int, viewer: Viewer) -> None:
    """Note what is at a path, open (O_PATH) at `fd`. Raises Denied where it is not the viewer's and he may not write to it."""
    found = os.fstat(fd)
    if viewer.uid not in (0, found.st_uid) and not granted(fd, found, viewer, WRITE):
        raise Denied(f"{said(path)} is not yours, and you may not write to it; ask its owner.")
    await history.settled()
    if stat.S_ISDIR(found.st_mode):
        await history.follow.looked(path)
    else:
        history.follow.hinted(path, True)
    await history.settled()
    before, brought = await history.in_thread(_since, path)
    note = {"scope": path, "what": what, "who": who(viewer), "paths": brought, "before": before}
    await history.follow.commit(redo.remember, history.database, note, counting=False)


def _since(past: Past, path: bytes) -> tuple[int, list[bytes]]:
    """The last sequence without what is at a path now, and the paths of all of it. Raises NotFound."""
    row = past.entry(path, past.sequence())
    if row is None:
        raise NotFound(f"History does not know {said(path)} (any more); it may be a name that it leaves out.")
    rows = past.database.execute(
        f"select {ROW} from entry where parent = ? and name = ? and died is not null order by born desc",
        paths.split(path),
    )
    for older in map(Entry._make, rows):  # a mode that was set since is a row of its own
        if older.died != row.born or older.ino != row.ino:
            break
        row = older
    before = row.born - 1
    return before, [one for one, then, now in past.changed(before, past.sequence(), path) if now is not None]
