"""kinds: the words that `type:` knows, to say so where somebody writes another one.

    unknown("banana")       no type and no suffix that is known is called `banana`, so files whose name ends in .banana are searched; …

The words are those of `lsfs.engine.types`, which says what each means and which a test holds this to. A word that is none of them is the
suffix of a name. What is in a file has no type: a chat is a text, JSON or whatever format it is written in.

Pure.
"""

import difflib

_NAMES = """
archive archives asciidoc assembly audio binary c c# c++ calendar clojure code cpp csharp css csv dart data diff doc docker docs
document documents docx elixir email epub erlang excel fortran fsharp gif go golang groovy haskell html image images ini java javascript
jpeg js json jsonl julia jupyter kotlin latex lisp lua mail mailbox mails make man markdown mp3 nix notebook objc ocaml odp ods odt
office org pascal pdf perl php picture plain png pptx presentation protobuf python r rst ruby rust scala sheet shell shellscript slides
source spreadsheet spreadsheets sql subtitles swift terraform tex text toml ts typescript verilog video vim vue word xls xlsx xml yaml
zig
"""
_SUFFIXES = """
1 3 3gp 5 7 7z 8 aac adoc aif amr apng ar asm atom avi avif bash bat bib bin bmp br bz2 cab cc cfg cjs clj cljc cljs cls cmake cmd conf
cr2 crx cs cts cu cuh cxx dcm deb desktop dockerfile docm dwg edn el elf eml eot erl ex exe exs f f90 f95 fish flac flv for fs fsx
gemspec geojson gradle graphql gz h hcl heic hh hpp hrl hs htm hxx ico ics ino ipynb jar jl jpg jpx json5 jsonc jsx jxr ksh kt kts less
lhs log ltx lz lz4 m m4a m4v mbox md mdoc mdown mdx mid mjs mk mkd mkv ml mli mm mov mp4 mpg mts ndjson nes ogg otf pas patch pl plist
pm pp ppt pptm properties proto ps ps1 psd py pyi pyw pyx qmd rake rar rb rest rkt rmd roff rpm rs rss rtf s sass sc scm scss service sh
sqlite srt sty sv svelte svg swf tab tar tf tfvars thrift tif tiff tsv tsx ttf txt v vcf vhd vhdl vtt wasm wav webm webp wmv woff xcf
xhtml xlsb xlsm xltx xsd xsl xz yml z zip zsh zst
"""
NAMES = frozenset(_NAMES.split())
SUFFIXES = frozenset(_SUFFIXES.split())
GROUPS = "doc, data, code, image, audio, video, archive, spreadsheet, slides"
_CONTENTS = frozenset(
    (
        "chat",
        "chats",
        "dialogue",
        "dialogues",
        "dialog",
        "conversation",
        "conversations",
        "transcript",
        "transcripts",
        "diary",
    )
)


def is_known(word: str) -> bool:
    """Whether a word after `type:`, with or without a dot in front, is a type, a group of types or a suffix of one."""
    return word.strip().lower().lstrip(".") in NAMES | SUFFIXES


def unknown(word: str) -> str:
    """A sentence, without a stop, for a word that is none; "" for one that is."""
    word = word.strip().lower().lstrip(".")
    if is_known(word):
        return ""
    said = f"no type is called `{word}`, so files whose name ends in .{word} are searched"
    if word in _CONTENTS:
        return f"{said}: a chat is of the type of its format, such as text, markdown, json or subtitles"
    near = difflib.get_close_matches(word, sorted(NAMES), 3, 0.7)
    if near:
        return f"{said}; near are {', '.join(near)}"
    return f"{said}; there are types such as pdf, markdown and mail, and groups: {GROUPS}"
