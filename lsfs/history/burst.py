"""A burst of changes, and what it comes down to once it is over. Pure."""

from lsfs.history import paths


def outcome(changes: list[tuple]) -> tuple[list[tuple], dict[bytes, str]]:
    """What a burst of changes comes down to: its moves, in order, and what is to be looked at after them: path -> "touched" or
    "hinted". An untar touches a path several times, and the watch hints at each once more; what was touched and then renamed is
    looked at under its last name."""
    moves: list[tuple] = []
    looked: dict[bytes, str] = {}
    above: set[bytes] = set()  # of the paths in `looked`: only renaming one of these renames others

    def look(path: bytes, kind: str) -> None:
        if looked.get(path) != "touched":  # which says more
            looked[path] = kind
        parent = paths.split(path)[0]
        while parent and parent not in above:
            above.add(parent)
            parent = paths.split(parent)[0]

    for change in changes:
        kind, path = change[:2]
        if kind in ("touched", "hinted"):
            look(path, kind)
            continue
        moves.append(change)
        if kind == "moved":
            old = change[2]
            renamed = [old] if old in looked else []
            if old in above:
                renamed += [known for known in looked if known.startswith(old + b"/")]
            for known in renamed:
                look(path + known[len(old) :], looked.pop(known))
    return moves, looked
