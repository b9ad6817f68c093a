"""lance_rows: what a LanceDB table holds, read by fsck. It writes nothing, and asks no model how long its vectors are."""

from pathlib import Path

import lancedb

from lsfs.index.lance import NAME


def rows(folder: Path) -> list[tuple[int, bytes]]:
    """(passage, the first 8 bytes of its key) of each row. Raises whatever LanceDB raises where the table does not open."""
    table = lancedb.connect(str(folder)).open_table(NAME)
    found = table.search().select(["passage", "mark"]).limit(max(1, table.count_rows())).to_arrow()
    marks = (int(mark).to_bytes(8, "little", signed=True) for mark in found["mark"].to_pylist())
    return list(zip(found["passage"].to_pylist(), marks, strict=True))
