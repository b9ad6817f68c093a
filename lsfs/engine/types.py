"""types: the words that `type:` of a prompt knows, one row each.

Magic bytes decide what is rich (pdf, docx …) and what is no text; the suffix only gives a text its flavour (Markdown, Python …).

Threading: constants and pure functions. Imports nothing heavy.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Type:
    """One type word, the family it belongs to, and what names it: suffixes (without the dot) and whole file names."""

    name: str
    family: str
    suffixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def _row(name: str, family: str, suffixes: str = "", names: str = "") -> Type:
    return Type(name, family, tuple(suffixes.split()), tuple(names.split()))


TYPES: tuple[Type, ...] = (
    # documents
    _row("text", "doc", "txt text log"),
    _row("markdown", "doc", "md markdown mdown mkd mdx rmd qmd"),
    _row("rst", "doc", "rst rest"),
    _row("org", "doc", "org"),
    _row("asciidoc", "doc", "adoc asciidoc"),
    _row("latex", "doc", "tex latex ltx sty cls bib"),
    _row("html", "doc", "html htm xhtml"),
    _row("mail", "doc", "eml mbox"),
    _row("subtitles", "doc", "srt vtt"),
    _row("man", "doc", "1 3 5 7 8 mdoc roff"),
    _row("pdf", "doc", "pdf"),
    _row("docx", "doc", "docx docm"),
    _row("odt", "doc", "odt"),
    _row("pptx", "doc", "pptx pptm"),
    _row("odp", "doc", "odp"),
    _row("xlsx", "doc", "xlsx xlsm xlsb xltx"),
    _row("xls", "doc", "xls"),
    _row("ods", "doc", "ods"),
    _row("epub", "doc", "epub"),
    # data
    _row("csv", "data", "csv tsv tab"),
    _row("jsonl", "data", "jsonl ndjson"),
    _row("json", "data", "json geojson json5 jsonc"),
    _row("yaml", "data", "yaml yml"),
    _row("toml", "data", "toml"),
    _row("xml", "data", "xml xsl xsd svg rss atom plist"),
    _row("ini", "data", "ini cfg conf properties desktop service", ".gitconfig .editorconfig"),
    _row("sql", "data", "sql"),
    _row("diff", "data", "diff patch"),
    _row("calendar", "data", "ics vcf"),
    _row("notebook", "data", "ipynb"),
    # code
    _row("python", "code", "py pyi pyx pyw"),
    _row("c", "code", "c h"),
    _row("cpp", "code", "cc cpp cxx hpp hh hxx ino cu cuh"),
    _row("csharp", "code", "cs"),
    _row("java", "code", "java"),
    _row("kotlin", "code", "kt kts"),
    _row("scala", "code", "scala sc"),
    _row("groovy", "code", "groovy gradle"),
    _row("go", "code", "go"),
    _row("rust", "code", "rs"),
    _row("zig", "code", "zig"),
    _row("javascript", "code", "js mjs cjs jsx"),
    _row("typescript", "code", "ts tsx mts cts"),
    _row("vue", "code", "vue svelte"),
    _row("css", "code", "css scss sass less"),
    _row("php", "code", "php"),
    _row("ruby", "code", "rb rake gemspec", "rakefile gemfile vagrantfile"),
    _row("perl", "code", "pl pm"),
    _row("lua", "code", "lua"),
    _row("r", "code", "r"),
    _row("julia", "code", "jl"),
    _row("swift", "code", "swift"),
    _row("objc", "code", "m mm"),
    _row("dart", "code", "dart"),
    _row("haskell", "code", "hs lhs"),
    _row("ocaml", "code", "ml mli"),
    _row("fsharp", "code", "fs fsx"),
    _row("erlang", "code", "erl hrl"),
    _row("elixir", "code", "ex exs"),
    _row("clojure", "code", "clj cljs cljc edn"),
    _row("lisp", "code", "lisp el scm rkt"),
    _row("fortran", "code", "f f90 f95 for"),
    _row("pascal", "code", "pas pp"),
    _row("assembly", "code", "s asm"),
    _row("verilog", "code", "v sv vhd vhdl"),
    _row("shell", "code", "sh bash zsh fish ksh ps1 bat cmd", ".bashrc .profile .zshrc .bash_profile"),
    _row("make", "code", "mk make cmake", "makefile gnumakefile cmakelists.txt"),
    _row("docker", "code", "dockerfile", "dockerfile containerfile"),
    _row("terraform", "code", "tf tfvars hcl"),
    _row("nix", "code", "nix"),
    _row("vim", "code", "vim", ".vimrc"),
    _row("protobuf", "code", "proto thrift graphql"),
    # no text
    _row("png", "image", "png apng"),
    _row("jpeg", "image", "jpg jpeg"),
    _row("gif", "image", "gif"),
    _row("image", "image", "webp tif tiff bmp ico psd heic avif jxr cr2 xcf jpx"),
    _row("audio", "audio", "mp3 wav flac ogg m4a aac mid amr aif"),
    _row("video", "video", "mp4 mkv mov avi webm wmv mpg flv m4v 3gp"),
    _row("archive", "archive", "zip tar gz bz2 xz 7z rar zst lz4 lz cab deb rpm jar ar z br"),
    _row("office", "binary", "doc ppt rtf"),
    _row("binary", "binary", "exe elf wasm sqlite bin ttf otf woff eot ps dwg dcm swf nes crx"),
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # begins what Office wrote before 2007, and encrypted documents
# formats that a parser of their own reads, in a process of its own
RICH: frozenset[str] = frozenset(
    {"pdf", "docx", "odt", "pptx", "odp", "epub", "html", "xlsx", "xls", "ods", "notebook", "mail"}
)
# pictures: read like them where `ocr` of lsfs.conf says so, otherwise found by their path alone
PICTURES: frozenset[str] = frozenset(row.name for row in TYPES if row.family == "image")
PARSED: frozenset[str] = RICH | PICTURES
# of the rich ones, those that are text: their name or their first lines tell them from other text
_NAMED = frozenset({"html", "notebook", "mail"})
# how a text is cut into passages
MARKDOWN: frozenset[str] = frozenset(
    {"markdown", "html", "docx", "odt", "pptx", "odp", "epub", "rst", "asciidoc", "org"}
)
RECORDS: frozenset[str] = frozenset({"csv", "jsonl"})
JSON: frozenset[str] = frozenset({"json"})
SHEETS: frozenset[str] = frozenset({"xlsx", "xls", "ods"})
CODE: frozenset[str] = frozenset(row.name for row in TYPES if row.family == "code")
FAMILIES: dict[str, frozenset[str]] = {
    family: frozenset(row.name for row in TYPES if row.family == family)
    for family in {row.family for row in TYPES}
} | {"spreadsheet": SHEETS | {"csv"}, "slides": frozenset({"pptx", "odp"})}

_BY_NAME: dict[str, Type] = {row.name: row for row in TYPES}
_BY_SUFFIX: dict[str, str] = {suffix: row.name for row in TYPES for suffix in row.suffixes}
_BY_FILE: dict[str, str] = {name: row.name for row in TYPES for name in row.names}
_ALIASES: dict[str, str] = {
    "docs": "doc", "document": "doc", "documents": "doc", "source": "code", "word": "docx", "plain": "text", "mp3": "audio",
    "images": "image", "picture": "image", "archives": "archive", "email": "mail", "mails": "mail", "mailbox": "mail",
    "spreadsheets": "spreadsheet", "sheet": "spreadsheet", "excel": "spreadsheet", "presentation": "slides", "jupyter": "notebook",
    "c++": "cpp", "c#": "csharp", "golang": "go", "js": "javascript", "ts": "typescript", "tex": "latex", "shellscript": "shell",
}  # fmt: skip
_INTERPRETERS = {
    b"python": "python", b"sh": "shell", b"bash": "shell", b"zsh": "shell", b"dash": "shell", b"ksh": "shell", b"fish": "shell",
    b"perl": "perl", b"ruby": "ruby", b"node": "javascript", b"deno": "typescript", b"lua": "lua", b"php": "php",
    b"Rscript": "r", b"julia": "julia", b"make": "make", b"awk": "shell", b"gawk": "shell", b"tclsh": "shell",
}  # fmt: skip


def expand(word: str) -> frozenset[str]:
    """The type names that `type:word` means: a type, a suffix ("md", ".py"), or a family ("code"). Unknown words give none."""
    word = word.strip().lower().lstrip(".")
    word = _ALIASES.get(word, word)
    names = FAMILIES.get(word, frozenset())
    if word in _BY_NAME:
        names |= {word}
    elif word in _BY_SUFFIX:
        names |= {_BY_SUFFIX[word]}
    return names


def suffix_of(name: bytes) -> str:
    """The suffix of a file's name or path, lower case and without the dot; "" where there is none."""
    base = name.rsplit(b"/", 1)[-1]
    stem, dot, suffix = base.rpartition(b".")
    return suffix.decode("utf-8", "replace").lower() if dot and stem else ""


def type_of(name: bytes, head: bytes = b"") -> str:
    """The flavour of a *text* by its file name or its #! line; rich types are magic's to decide and never come from here."""
    base = name.rsplit(b"/", 1)[-1].decode("utf-8", "replace").lower()
    suffix = suffix_of(name)
    found = _BY_FILE.get(base) or _BY_SUFFIX.get(suffix)
    if suffix.isdigit() and not head.startswith((b".", b"'\\\"")):
        found = None  # a manual page begins with a macro or a comment, `notes.1` does not
    if (
        found is not None
        and (found in _NAMED or found not in RICH)
        and _BY_NAME[found].family in ("doc", "data", "code")
    ):
        return found
    if head.startswith(b"#!"):
        words = head[2:200].split(b"\n", 1)[0].split()
        words = [word.rsplit(b"/", 1)[-1] for word in words if not word.startswith(b"-")]
        interpreter = next((word for word in words if word != b"env"), b"").rstrip(b"0123456789.")
        return _INTERPRETERS.get(interpreter, "text")
    return "text"


def binary_type(extension: str) -> str:
    """The type word of something that is no text, by the extension that its magic bytes gave."""
    found = _BY_SUFFIX.get(extension, "binary")
    return found if _BY_NAME[found].family not in ("doc", "data", "code") else "binary"
