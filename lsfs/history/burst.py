"""A burst of changes, and what it comes down to once it is over. Pure."""

from lsfs.history import paths

TELLING = {"hinted": 0, "echoed": 1, "modified": 2, "touched": 3, "written": 4}
"""What is looked at, and how much it says."""


def outcome(changes: list[tuple]) -> tuple[list[tuple], dict[bytes, str]]:
    """What a burst of changes comes down to: its moves (and what was secured between them), in order, and what is to be looked at after
    them: path -> "written", "touched", "modified" (behind the mount), "echoed" (so it seems, but it was changed through the mount
    just before) or "hinted". An untar touches a path several times, and the watch
    hints at each once more; what was touched and then renamed is looked at under its last name."""
    moves: list[tuple] = []
    looked: dict[bytes, str] = {}
    above: set[bytes] = set()  # of the paths in `looked`: only renaming one of these renames others

    def look(path: bytes, kind: str) -> None:
        if TELLING[kind] >= TELLING[looked.get(path, "hinted")]:
            looked[path] = kind
        parent = paths.split(path)[0]
        while parent and parent not in above:
            above.add(parent)
            parent = paths.split(parent)[0]

    for change in changes:
        kind, path = change[:2]
        if kind in TELLING:
            look(path, kind)
            continue
        moves.append(change)
        if kind == "moved":
            old = change[2]
            renamed = [old] if old in looked else []
            if old in above:
                renamed += [known for known in looked if known.startswith(old + b"/")]
            closed = change[3:4] not in (
                (),
                (None,),
            )  # the change itself says what the file was, all writes included
            said = {known: looked.pop(known) for known in renamed}
            if looked.get(path) == "written":  # what was written there is no more
                looked[path] = "touched"
            for known, kind in said.items():
                look(path + known[len(old) :], "touched" if closed and known == old else kind)
    return moves, looked
