"""config: the settings of one mount, from lsfs.conf and the command line.

Later wins: the defaults below, `$XDG_CONFIG_HOME/lsfs/lsfs.conf`, `<state>/lsfs.conf`, the flags of the command. FIELDS is all
that lsfs.conf may say; lsfs.conf(5) has a paragraph for each row, a test compares. Read once, before the daemon starts.
"""

import configparser
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lsfs.refusals import SettingInvalid

STATE = ".lsfs"
NONE = "none"
NO_MODEL = "none"  # questions are answered by words alone, and nothing is embedded
UNITS = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "KB": 10**3, "MB": 10**6, "GB": 10**9}
SPANS = {"": 1.0, "MS": 0.001, "S": 1.0, "MIN": 60.0, "H": 3600.0, "D": 86400.0, "DAYS": 86400.0}
LONGEST_WAIT = 45.0
WORDS = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}


def yes_or_no(text: str) -> bool:
    return WORDS[text.lower()]


def size(text: str) -> int:
    """Bytes of `64 MiB`, `1.5GB`, `4096`."""
    number, unit = _number(text)
    return _positive(int(number * UNITS[unit]))


def seconds(text: str) -> float:
    """Seconds of `30 s`, `500ms`, `2 min`, `5`."""
    number, unit = _number(text)
    return _positive(number * SPANS[unit])


def _number(text: str) -> tuple[float, str]:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?)\s*([A-Za-z]*)", text)
    if match is None:
        raise ValueError(text)
    return float(match[1]), match[2].upper()


def _positive(number: Any) -> Any:
    if not number > 0:
        raise ValueError(number)
    return number


def name(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def unless_none(text: str) -> str:
    return "" if text == NONE else name(text)


def address(text: str) -> str:
    """`https://host/v1`; "" for none. What could hold a secret, or lead elsewhere, has no place in it."""
    if text == NONE:
        return ""
    parts = urlsplit(text)
    if re.fullmatch(r"https?://[\x21-\x7e]+", text) is None or not parts.hostname or parts.port == 0:
        raise ValueError(text)
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError(text)
    return text.rstrip("/")


def wait(text: str) -> float:
    """Seconds that somebody who wrote a line to /ctl may be kept waiting by a model; the whole line has a minute."""
    found = seconds(text)
    if found > LONGEST_WAIT:
        raise ValueError(text)
    return found


class Kind(NamedTuple):
    """How a value is read, and what a person is told that it should have been."""

    read: Callable[[str], Any]
    expected: str


YES_OR_NO = Kind(yes_or_no, "yes or no")
SIZE = Kind(size, "a size such as 64 MiB")
SECONDS = Kind(seconds, "a time such as 30 s")
NAME = Kind(name, "a name or a folder")


BACKEND = Kind(
    {"auto": "auto", "openvino": "openvino", "torch": "torch"}.__getitem__, "auto, openvino or torch"
)


CAPTURE = Kind({"small": "small", "all": "all", "lazy": "lazy"}.__getitem__, "small, all or lazy")
ADDRESS = Kind(address, "an address such as https://host/v1, or none")
MODEL = Kind(unless_none, "the name of a model, or none")
FILE = Kind(unless_none, "a file, or none")
WAIT = Kind(wait, f"a time up to {LONGEST_WAIT:.0f} s")
COUNT = Kind(lambda text: _positive(int(text)), "a number such as 30")


class Field(NamedTuple):
    """One setting: where it stands in lsfs.conf, the attribute of Settings that it sets, and what it is for.

    personal: it says where the text of files is sent, so that only the user's own lsfs.conf may say it; a folder, which may have come from
    anywhere, may only switch it off.
    """

    section: str
    key: str
    attribute: str
    kind: Kind
    default: str
    sentence: str
    personal: bool = False


# fmt: off
FIELDS: tuple[Field, ...] = (
    Field("mount", "read_only", "read_only", YES_OR_NO, "no", "refuse every change of the folder through the mount"),
    Field("mount", "shared", "shared", YES_OR_NO, "no", "others edit the folder all the time: believe for a second only"),
    Field("mount", "allow_other", "allow_other", YES_OR_NO, "no", "let other users in; each sees what the folder lets them"),
    Field("index", "enabled", "index_enabled", YES_OR_NO, "yes", "read and index the files; without it nothing can be asked"),
    Field("index", "max_file_size", "max_file_size", SIZE, "64 MiB", "larger files are found by their path alone"),
    Field("index", "extract_timeout", "extract_timeout", SECONDS, "30 s", "a document that takes longer to read is given up"),
    Field("index", "extract_memory", "extract_memory", SIZE, "2 GiB", "address space of the process that reads documents"),
    Field("index", "ocr", "ocr", YES_OR_NO, "no", "read the words in pictures; needs the extra lsfs[ocr]"),
    Field("engine", "model", "model", NAME, "all-MiniLM-L6-v2",
          "a sentence-transformers model, by name or by folder; none: words alone"),
    Field("engine", "backend", "backend", BACKEND, "auto", "what computes the model: openvino, torch, or what is faster here"),
    Field("engine", "memory", "engine_memory", SIZE, "1200 MiB", "an engine that grows past it is replaced by a new one"),
    Field("history", "enabled", "history_enabled", YES_OR_NO, "yes", "keep versions; without it there are no snapshots and no trash"),
    Field("history", "capture", "capture", CAPTURE, "small",
          "what was there before lsfs: small copies text up to 1 MiB, all everything, lazy only what is about to change"),
    Field("history", "max_file_size", "history_max_file_size", SIZE, "4 GiB", "no version is kept of larger files"),
    Field("history", "pace", "pace", COUNT, "30", "versions of one file that are kept within a minute; the last one always is"),
    Field("history", "quota", "quota", SIZE, "20 GiB", "what history may take; the oldest versions that no named snapshot shows go first"),
    Field("history", "keep_all", "keep_all", SECONDS, "7 d", "how long every version is kept"),
    Field("history", "keep_daily", "keep_daily", SECONDS, "30 d", "how long after that the last one of each day; then of each week"),
    Field("query", "deadline", "query_deadline", SECONDS, "5 s", "a question is answered within it, or fails with EAGAIN"),
    Field("query", "settle", "settle", SECONDS, "1 s", "how long a question waits for files closed just before it"),
    Field("llm", "endpoint", "llm_endpoint", ADDRESS, "none", "where a language model is asked, such as https://host/v1", True),
    Field("llm", "model", "llm_model", MODEL, "none", "the language model, as its endpoint calls it", True),
    Field("llm", "key_file", "llm_key_file", FILE, "none", "a file with the key of the endpoint", True),
    Field("llm", "timeout", "llm_timeout", WAIT, "30 s", "how long a language model is waited for"),
)
# fmt: on


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one mount runs with; all paths are absolute, sizes in bytes, times in seconds."""

    folder: Path
    mountpoint: Path
    state: Path
    foreground: bool = False  # attached to a terminal: log to stderr as well
    read_only: bool = False
    shared: bool = False
    allow_other: bool = False
    model: str = "all-MiniLM-L6-v2"
    backend: str = "auto"
    index_enabled: bool = True
    max_file_size: int = 64 << 20
    extract_timeout: float = 30.0
    extract_memory: int = 2 << 30
    ocr: bool = False
    engine_memory: int = 1200 << 20
    history_enabled: bool = True
    capture: str = "small"
    history_max_file_size: int = 4 << 30
    pace: int = 30
    quota: int = 20 << 30
    keep_all: float = 7 * 86400.0
    keep_daily: float = 30 * 86400.0
    query_deadline: float = 5.0
    settle: float = 1.0
    llm_endpoint: str = ""
    llm_model: str = ""
    llm_key_file: str = ""
    llm_timeout: float = 30.0


def load(
    folder: str | Path,
    mountpoint: str | Path,
    state: str | Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings of a mount of `folder` at `mountpoint`.

    flags: attributes of Settings given on the command line; None means not given.
    Raises SettingInvalid with a sentence that names file, key and what was expected.
    """
    folder, mountpoint = resolve(folder), resolve(mountpoint)
    state = resolve(state) if state is not None else folder / STATE
    values: dict[str, Any] = {}
    for file, own in ((user_file(environ), True), (state / "lsfs.conf", False)):
        values.update(read(file, own))
    values.update({key: value for key, value in (flags or {}).items() if value is not None})
    if "model" in values:
        values["model"] = model_folder(values["model"], Path.cwd())
    if values.get("llm_endpoint") and not values.get("llm_model"):
        raise SettingInvalid(f"[llm] endpoint needs a [llm] model; name it in {user_file(environ)}")
    unknown = set(values) - {field.name for field in fields(Settings)}
    if unknown:
        raise SettingInvalid(f"there is no setting {min(unknown)}")
    return Settings(folder=folder, mountpoint=mountpoint, state=state, **values)


def user_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the user's own lsfs.conf is looked for."""
    return Path(environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "lsfs" / "lsfs.conf"


def read(file: Path, own: bool = True) -> dict[str, Any]:
    """The attributes that `file` sets; none when it is missing. `own`: the user's, not the folder's. Raises SettingInvalid."""
    parser = configparser.ConfigParser(interpolation=None, default_section="", inline_comment_prefixes=("#",))
    try:
        with file.open(encoding="utf-8") as stream:
            owner = os.fstat(stream.fileno()).st_uid
            if owner not in (0, os.geteuid()):
                # the state folder travels with the folder: one that came from somebody else does not choose models
                raise SettingInvalid(
                    f"{file} belongs to user {owner}; lsfs reads only your own, chown it or remove it"
                )
            parser.read_file(stream)
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid(f"{file} cannot be read ({error}); mend it or remove it") from error
    except configparser.Error as error:
        raise SettingInvalid(
            f"{file} is not in the form of lsfs.conf(5): {' '.join(str(error).split())}"
        ) from error
    rows = {(field.section, field.key): field for field in FIELDS}
    values: dict[str, Any] = {}
    for section in parser.sections():
        for key, text in parser.items(section):
            field = rows.get((section, key))
            if field is None:
                known = ", ".join(f"[{row.section}] {row.key}" for row in FIELDS)
                raise SettingInvalid(f"{file}: [{section}] {key} is not a setting; there are {known}")
            values[field.attribute] = value(field, text, f"{file}: [{section}] {key}")
            if field.personal and not own and values[field.attribute]:
                raise SettingInvalid(
                    f"{file}: [{section}] {key} belongs into your own lsfs.conf, since a folder must not say where text is sent;"
                    " here it may be none"
                )
    if "model" in values:
        values["model"] = model_folder(values["model"], file.parent)
    if values.get("llm_key_file"):
        values["llm_key_file"] = str(file.parent / Path(values["llm_key_file"]).expanduser())
    return values


def value(field: Field, text: str, where: str) -> Any:
    """`text` as the field's kind of value. Raises SettingInvalid, which begins with `where`."""
    try:
        return field.kind.read(text.strip())
    except (ValueError, KeyError) as error:
        raise SettingInvalid(f"{where} is {text!r}; expected {field.kind.expected}") from error


def model_folder(model: str, base: Path) -> str:
    """A model given as a folder becomes an absolute path, since the daemon changes to /; a name stays a name."""
    path = base / Path(model).expanduser()
    return str(path.resolve()) if model.startswith(("/", ".", "~")) or path.is_dir() else model


def resolve(path: str | Path) -> Path:
    """`path` absolute, without symbolic links, `~` expanded; a dead mount is no error here."""
    return Path(os.path.realpath(os.path.expanduser(path)))
