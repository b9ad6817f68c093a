"""bytes: what can be said of contents that are no text, or too large to be taken apart."""

from syscalls.changes.text import counted, decode

_TYPES = (  # what a binary file begins with
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x7fELF", "an ELF program or library"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"ID3", "an MP3 file"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC file"),
    (b"RIFF", "a RIFF file (WAV, AVI, WebP)"),
)


def differ(old: bytes, new: bytes) -> str:
    """That two contents differ, their sizes and, where it shows, what they are."""
    types = [_type(data) for data in (old, new)]
    what = (
        f"{types[0]} became {types[1]}; "
        if types[0] != types[1]
        else f"{types[0]}; "
        if types[0] != "binary data"
        else ""
    )
    first = _difference(old, new)
    where = (
        "the new one begins with the whole old one"
        if first == len(old)
        else f"they differ from byte {first + 1:,} on"
    )
    if first == len(new):
        where = "the new one is the beginning of the old one"
    return f"the bytes differ ({what}{size(old)} → {size(new)}; {where})"


def large(old: bytes, new: bytes) -> str:
    """That two texts differ, with their sizes."""
    lines = old.count(b"\n"), new.count(b"\n")
    return (
        f"too large to be compared in words: {size(old)} → {size(new)}, {lines[0]:,} → {counted(lines[1], 'line')}; "
        f"they differ from byte {_difference(old, new) + 1:,} on"
    )


def _type(data: bytes) -> str:
    for magic, said in _TYPES:
        if data.startswith(magic):
            return said
    return "text" if decode(data) is not None else "binary data"


def _difference(old: bytes, new: bytes) -> int:
    """How many bytes both begin with."""
    low, high = 0, min(len(old), len(new))
    one, other = memoryview(old), memoryview(new)
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def described(data: bytes) -> str:
    """What a content is, by its size."""
    text = decode(data)
    if text is None:
        return f"{size(data)} ({_type(data)})"
    lines = (
        data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        if "UTF-16" not in text[1]
        else len(text[0].splitlines())
    )
    return f"{counted(lines, 'line')}, {size(data)}" if data else "empty (0 bytes)"


def size(data: bytes) -> str:
    return counted(len(data), "byte")
