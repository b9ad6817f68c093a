"""encoding: bytes to text, whatever wrote them, and text without what no index wants to see.

Threading: pure functions.
"""

import codecs
import re

# what charset-normalizer sees of a file that is no UTF: enough to tell Latin-2 from Shift-JIS, bounded in time
SAMPLE = 64 << 10
_BOMS = (  # UTF-32's begins with UTF-16's, so it comes first
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_SPACES = re.compile(r"[\x0b\x0c\x1c-\x1f\x85]")  # control characters that separate words
_JUNK = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff\ufff9-\ufffb\ufffe\uffff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
# control characters of real text files: tab, newlines, form feed, backspace of man pages, escape of ANSI logs
_BINARY = bytes(set(range(32)) - {8, 9, 10, 12, 13, 27})
_FALLBACK = "cp1252"
# what Central European text looks like as cp1252: signs inside words, and letters that no western language has
_EASTERN = re.compile(r"[a-zA-Z][³¹¿¼¾¶±¦¯£¥ºª][a-z]|[\ufffdžŽ]|š[^ ]*[øìèù]|[øìèù][^ ]*š|[³¹][a-z]")
_LATIN = ["cp1250", "iso8859_2"]
_KNOWN = frozenset(_LATIN) | {
    "cp1251", "koi8_r", "koi8_u", "cp866", "iso8859_5", "mac_cyrillic", "cp1253", "iso8859_7", "cp1254", "cp1255", "iso8859_8",
    "cp1256", "iso8859_6", "cp1258", "cp874", "tis_620", "shift_jis", "cp932", "shift_jis_2004", "shift_jisx0213", "euc_jp",
    "euc_jis_2004", "euc_jisx0213", "iso2022_jp", "gb18030", "gbk", "gb2312", "big5", "big5hkscs", "cp950", "euc_kr", "cp949",
    "johab", "cp1252", "cp1257", "cp437", "cp850", "mac_roman", "mac_latin2", "latin_1", "iso8859_3", "iso8859_4", "iso8859_9",
    "iso8859_10", "iso8859_13", "iso8859_14", "iso8859_15", "iso8859_16",
}  # fmt: skip


def clean(text: str) -> str:
    """`text` with "\\n" for every line end, without control characters and lone surrogates.

    Only "\\n" ends a line (as for grep -n and editors), so line numbers stay those of the file.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        text = text.replace("\r", " " if "\n" in text else "\n")
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    return _SURROGATES.sub("\ufffd", _JUNK.sub("", _SPACES.sub(" ", text)))


def wide(head: bytes) -> str | None:
    """The UTF-16 or UTF-32 that `head` is in, by its mark or by where its NUL bytes stand; None where it is neither."""
    for mark, name in _BOMS[1:]:
        if head.startswith(mark):
            return name
    if b"\0" not in head or len(head) < 8:
        return None
    head = head[: len(head) // 4 * 4]
    units = len(head) // 4
    columns = [head[column::4].count(0) for column in range(4)]
    if columns[1] == columns[2] == columns[3] == units and columns[0] == 0:
        return "utf-32-le"
    if columns[0] == columns[1] == columns[2] == units and columns[3] == 0:
        return "utf-32-be"
    odd, even = columns[1] + columns[3], columns[0] + columns[2]
    # text mostly in Latin letters: nearly every other byte is zero, and none of the others is
    if even == 0 and odd >= units * 2 * 0.7:
        return "utf-16-le"
    if odd == 0 and even >= units * 2 * 0.7:
        return "utf-16-be"
    return None


def is_utf8(head: bytes) -> bool:
    """Whether `head` is UTF-8; a last character may be cut in two."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file can be text, in any encoding known here."""
    name = wide(head)
    if name is not None:
        try:
            text = codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeDecodeError:
            return False
        return not text or sum(map(_odd, text)) <= len(text) // 50
    if b"\0" in head:
        return False
    controls = len(head) - len(head.translate(None, _BINARY))
    if is_utf8(head):
        return controls <= len(head) // 20
    # a legacy encoding: control characters are rare there, and so is a text without any letter or blank of ASCII
    return controls <= len(head) // 200


def _odd(character: str) -> bool:
    return (character < " " and character not in "\t\n\r\f\b\x1b") or "\x7f" <= character < "\xa0"


def decode(data: bytes) -> str | None:
    """The clean text of a file, or None where it is in no encoding known here. Never raises."""
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    name = wide(data[:8192])
    if name is not None:
        return clean(data.decode(name, "replace"))
    nuls = data.count(0)
    if nuls * 100 > len(data):  # a few NUL bytes are a log after a crash, more are no text
        return None
    try:
        return clean(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    if nuls == 0 and _nearly_utf8(data):
        return clean(data.decode("utf-8", "replace"))
    return clean(data.decode(_legacy(data), "replace"))


def _nearly_utf8(data: bytes) -> bool:
    """UTF-8 with a few broken bytes (a log cut in mid-character) is still UTF-8."""
    sample = data[:SAMPLE].decode("utf-8", "replace")
    broken = sample.count("\ufffd")
    return broken * 20 <= sum(1 for character in sample if character > "\x7f")


def _legacy(data: bytes) -> str:
    # the part that has something to tell: from the first bytes that are not ASCII
    match = re.search(rb"[\x80-\xff]", data)
    start = max(0, (match.start() if match else 0) - 2048)
    start = data.rfind(b"\n", 0, start) + 1 if start else 0
    sample = data[start : start + SAMPLE]
    runs = re.findall(rb"[\x80-\xff]+", sample)
    # accents among ASCII letters: a Latin alphabet, and a western one unless letters of another show; the library
    # takes French for Czech there, and a single accent for Chinese
    latin = sum(map(len, runs)) <= 1.5 * len(runs)
    if latin and not _EASTERN.search(sample.decode(_FALLBACK, "replace")):
        return _FALLBACK
    from charset_normalizer import from_bytes  # 30 ms, and few files need it

    best = from_bytes(sample, steps=5, chunk_size=512, cp_isolation=_LATIN if latin else None).best()
    name = best.encoding if best is not None else _FALLBACK
    return name if name in _KNOWN else _FALLBACK
