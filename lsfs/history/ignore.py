"""ignore: which paths are never indexed: secrets, noise, and what .lsfsignore says.

Secrets are fixed here and cannot be re-included. Noise (caches, build outputs) can, by a `!` line. `.lsfsignore` stands at any
level, is relative to its folder, and has gitignore's syntax; a deeper one has the last word. As in git, nothing below an
ignored folder can be re-included.

Threading: the caches are filled with values that depend on the folder alone and are replaced whole by `reload`, so calls from several
threads are safe; two may do the same work. A call reads at most one small file for each folder that it meets first.
"""

import logging
import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from lsfs.beneath import open_regular

log = logging.getLogger(__name__)
NAME = b".lsfsignore"
MAX_SIZE = 64 << 10  # bytes of an .lsfsignore that are read
MAX_PATTERNS = 1000
MAX_PATTERN = 512
MAX_STARS = 3  # in one name, beyond those that need no backtracking
MAX_CROSSING = 2  # `**`; the leading one of a pattern without a slash counts
MAX_FOLDERS = 50_000  # folders remembered
MAX_ERRORS = 100

SECRET_FOLDERS = frozenset(
    b".ssh .aws .gnupg .kube .docker .git .hg .svn .bzr .jj .lsfs .azure .gcloud .password-store .pki .vault .terraform.d".split()
)
SECRET_FILES = frozenset(
    b".git .netrc _netrc .npmrc .pypirc .pgpass .my.cnf .htpasswd .git-credentials .dockercfg .dockerconfigjson .vault-token .boto .s3cfg "
    b".envrc credentials credentials.json secring.gpg shadow master.key .yarnrc.yml .cargo-credentials .rclone.conf rclone.conf".split()
)
_SECRET = re.compile(
    rb"\.env(?:[._-].*)?|\.env.*|id_(?:rsa|dsa|ecdsa|ed25519).*|.*_rsa|.*\.(?:pem|key|ppk|kdbx?|p12|pfx|jks|keystore|agekey|ovpn|tfstate)"
    rb"|\..{1,20}_history",
    re.DOTALL,
)
NOISE_FOLDERS = frozenset(
    b"node_modules bower_components __pycache__ .venv .virtualenv .tox .nox .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis "
    b".ipynb_checkpoints .eggs .gradle .idea .vscode .vs .next .nuxt .parcel-cache .svelte-kit .terraform .direnv .dart_tool "
    b".trash .trash-1000 .trash-0 $recycle.bin lost+found .spotlight-v100 .fseventsd .thumbnails .stfolder .stversions .obsidian".split()
)
_NOISE = re.compile(
    rb".*\.(?:pyc|pyo|o|obj|class|swp|swo|tmp|part|crdownload)|.*~|\.ds_store|thumbs\.db|\.#.*|#.*#|.*\.egg-info",
    re.DOTALL,
)

# `*x*` of pathspec's expressions backtracks; the first match is the right one where another star follows, so it need not
_STAR = r"[^/]*"
_STARS = re.compile(r"(?:\[\^/\]\*){2,}")
_HARD = re.compile(r"\[\^/\]\*((?:\\.|[^\\\[\]()/*+?{}|$^])+)(?=\[\^/\]\*)")
# how pathspec's expressions end
_FOLDER = "(?P<ps_d>/)"
_FOLDER_OR_END = f"(?:{_FOLDER}|$)"


@dataclass(frozen=True, slots=True)
class _Folder:
    """What holds for the names of one folder: its own verdict, and the .lsfsignore files that reach it, deepest first."""

    verdict: str | None
    specs: tuple["_File", ...]


class _File(NamedTuple):
    """One .lsfsignore. skip: bytes of a path before the names that it speaks of; patterns: the last one first, since that one decides."""

    skip: int
    patterns: tuple["_Pattern", ...]


class _Pattern(NamedTuple):
    """One line. matches: of a path without what lies below it, a folder's with a slash at its end."""

    matches: Callable[[str], re.Match[str] | None]
    ignored: bool


class Ignore:
    """The verdicts for one folder. `root_fd` is borrowed, and has to stay open."""

    def __init__(self, root_fd: int) -> None:
        self._root_fd = root_fd
        self._folders: dict[bytes, _Folder] = {}
        self._errors: dict[bytes, tuple[str, ...]] = {}

    def verdict(self, path: bytes, is_dir: bool) -> str | None:
        """Whether `path` may be indexed: None, or "secret" or "ignored" where it or a folder above it may not."""
        if not path:
            return None
        if is_dir:
            return self._folder(path).verdict
        parent, _, name = path.rpartition(b"/")
        folder = self._folder(parent)
        return folder.verdict or _judge(folder, path, name, False)

    def prune(self, path: bytes) -> bool:
        """Whether nothing below the folder `path` is ever indexed, so that a scan need not enter it."""
        return self.verdict(path, True) is not None

    def reload(self, path: bytes) -> bytes:
        """Forget what was read from the .lsfsignore at `path`; the folder is returned below which verdicts may differ now."""
        parent = path.rpartition(b"/")[0]
        self._folders = {}
        self._errors = {key: value for key, value in self._errors.items() if key != parent}
        return parent

    def errors(self) -> tuple[str, ...]:
        """A sentence for each pattern that could not be used."""
        return tuple(sentence for sentences in list(self._errors.values()) for sentence in sentences)

    def _folder(self, path: bytes) -> _Folder:
        folders = self._folders
        missing: list[bytes] = []
        here = path
        # not by recursion: a hostile tree is deeper than Python's stack
        while (known := folders.get(here)) is None:
            missing.append(here)
            if not here:
                break
            here = here.rpartition(b"/")[0]
        for here in reversed(missing):
            if here and known is not None:
                name = here.rpartition(b"/")[2]
                verdict = known.verdict or _judge(known, here, name, True)
                specs = known.specs if verdict else self._specs(here, known.specs)
                known = _Folder(verdict, specs)
            else:
                known = _Folder(None, self._specs(b"", ()))
            if len(folders) >= MAX_FOLDERS:
                self._folders = folders = {}
            folders[here] = known
        assert known is not None
        return known

    def _specs(self, path: bytes, above: tuple[_File, ...]) -> tuple[_File, ...]:
        name = path + b"/" + NAME if path else NAME
        try:
            fd, found = open_regular(self._root_fd, name)
        except (FileNotFoundError, NotADirectoryError):
            self._errors.pop(path, None)
            return above
        except OSError as error:
            self._note(path, [f"{os.fsdecode(name)!r} cannot be read ({error.strerror}); it has no effect."])
            return above
        try:
            data = os.pread(fd, MAX_SIZE, 0)
        except OSError as error:
            self._note(path, [f"{os.fsdecode(name)!r} cannot be read ({error.strerror}); it has no effect."])
            return above
        finally:
            os.close(fd)
        sentences: list[str] = []
        if found.st_size > MAX_SIZE:
            sentences.append(
                f"{os.fsdecode(name)!r} is larger than {MAX_SIZE} bytes; what is beyond has no effect."
            )
            data = data[: data.rfind(b"\n") + 1]
        patterns = _patterns(data, os.fsdecode(name), sentences)
        self._note(path, sentences)
        if not patterns:
            return above
        return (_File(len(path) + 1 if path else 0, tuple(reversed(patterns))), *above)

    def _note(self, path: bytes, sentences: list[str]) -> None:
        if not sentences:
            self._errors.pop(path, None)
        elif self._errors.get(path) != tuple(sentences) and len(self._errors) < MAX_ERRORS:
            # repr keeps names with odd characters printable
            self._errors[path] = tuple(sentences)
            for sentence in sentences:
                log.warning("%s", sentence)


def _judge(folder: _Folder, path: bytes, name: bytes, is_dir: bool) -> str | None:
    """The verdict for one name in a folder that is not ignored itself."""
    lower = name.lower()
    if lower in (SECRET_FOLDERS if is_dir else SECRET_FILES) or (not is_dir and _SECRET.fullmatch(lower)):
        return "secret"
    for skip, patterns in folder.specs:
        # surrogateescape on both sides, so a pattern in any encoding meets the name in the same
        text = os.fsdecode(path[skip:]) + ("/" if is_dir else "")
        for pattern in patterns:
            if pattern.matches(text):
                return "ignored" if pattern.ignored else None
    if lower in NOISE_FOLDERS if is_dir else _NOISE.fullmatch(lower):
        return "ignored"
    return None


def _patterns(data: bytes, where: str, sentences: list[str]) -> list[_Pattern]:
    patterns: list[_Pattern] = []
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for number, raw in enumerate(lines, 1):
        line = os.fsdecode(raw.rstrip(b"\r"))
        if not line.strip() or line.startswith("#"):
            continue
        if len(patterns) == MAX_PATTERNS:
            sentences.append(
                f"{where!r} has more than {MAX_PATTERNS} patterns; from line {number} on they have no effect."
            )
            break
        pattern = _pattern(line)
        if isinstance(pattern, str):
            sentences.append(f"line {number} of {where!r} has no effect: {pattern}.")
        else:
            patterns.append(pattern)
    return patterns


def _pattern(line: str) -> _Pattern | str:
    """What one line says; where it says nothing, the reason."""
    if len(line) > MAX_PATTERN:
        return "it is too long"
    try:
        with warnings.catch_warnings():  # of what a later version of re may read otherwise
            warnings.simplefilter("ignore")
            found = GitIgnoreSpecPattern(line)
            if found.regex is None:
                return "it matches nothing"
            source = _hardened(_itself(found.regex.pattern, line))
            if source is None:
                return "it has too many stars"
            regex = re.compile(source, re.DOTALL)  # a name may hold a newline
    except (ValueError, re.error, RecursionError, OverflowError):
        return "it is no pattern of gitignore's syntax"
    return _Pattern(regex.search, bool(found.include))


def _hardened(source: str) -> str | None:
    """The same expression without exponential or high polynomial backtracking; None where that cannot be had."""
    source = _HARD.sub(r"(?>[^/]*?\1)", _STARS.sub(lambda _: _STAR, source))
    # what is left: stars of one name multiply with each other, and those that cross folders with everything
    names = source.replace(_STAR, "*").replace("[^/]+", "*").replace("[^/]", "?").split("/")
    if (
        source.count(".+") + source.count(".*") > MAX_CROSSING
        or max(name.count("*") for name in names) > MAX_STARS
    ):
        return None
    return source


def _itself(source: str, line: str) -> str:
    """The expression for a path itself. pathspec's also match whatever lies below one, so that `!*.md` would take back what another line
    says of `a.md/b`; here each folder above was judged before, as in git."""
    stripped = line.rstrip()
    if (
        source == _FOLDER and stripped.endswith("*/**/") and not stripped.endswith("**/**/")
    ):  # `**/*/**/`: those below a folder
        return r"/.+/\Z"
    if stripped.endswith("/**/") and source != _FOLDER:  # the folders below
        return source.removesuffix(_FOLDER) + r"/.+/\Z"
    if source.endswith(_FOLDER_OR_END):
        return source.removesuffix(_FOLDER_OR_END) + r"/?\Z"
    if source.endswith(_FOLDER):
        return source.removesuffix(_FOLDER) + r"/\Z"
    if source.endswith("/"):  # `/**`: all that is below, not the folder
        return source + "."
    return source
