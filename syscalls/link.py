"""link: a link that expires: to a file or folder, in /links, and as an address that `lsfs serve` answers.

    link PATH [--for 2h | --until TIME] [--name NAME]      24 hours without either
    link                                                   lists those that are valid, as links/urls.tsv does
    link --revoke NAME
    link --check TOKEN                                     what lsfs-serve(1) asks before it serves anything

A link shows its path to whoever made it, to the owner of the mount and to root; to others there is none. What is at the path is what is
served, so a file that was replaced is served as it is then. Files are served with the rights of the owner of the mount, who lends them to
nobody: only links that he or root made have an address.
"""

import json
import time
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from syscalls.errors import InvalidArgument, NotPermitted, ReadOnly
from syscalls.names import escaped
from syscalls.ports import Links
from syscalls.values import Link, Viewer

if TYPE_CHECKING:
    from syscalls.control import Command

DAY = 86400.0
LATEST = 253_402_214_400.0  # the end of the year 9999, from where on a time has no name
URLS = "urls.tsv"
COLUMNS = ("name", "path", "until", "address")


async def link(
    path: bytes,
    *,
    links: Links,
    viewer: Viewer,
    until: float | None = None,
    name: str | None = None,
    now: float | None = None,
) -> Link:
    """Make a link to `path`, valid until a time (seconds since the epoch; None: for 24 hours).

    Raises NotFound, Denied, NotRegular and InvalidArgument for a path that cannot be linked, Exists where a link of this name is valid.
    """
    now = time.time() if now is None else now
    if not path:
        raise InvalidArgument("A link leads to a file or a folder below files/; say which.")
    until = now + DAY if until is None else until
    if not now < until < LATEST:
        raise InvalidArgument(
            "A link is valid until a time that is to come; say --for 2h, or a later --until."
        )
    name = text_of(path.rpartition(b"/")[2]) if name is None else name
    if name == URLS:
        raise InvalidArgument(f"links/{URLS} is the list of links; give this one another name with --name.")
    links.sees(path, viewer)
    made = Link(name, path, viewer.uid, now, until)
    await links.make(made)
    return links.named(name) or made


def visible(one: Link, viewer: Viewer, owner: int) -> bool:
    """Does a link exist for `viewer`?"""
    return viewer.uid in (0, owner, one.uid)


def seen(links: Links, viewer: Viewer, owner: int) -> list[Link]:
    """The valid links that exist for `viewer`, by name."""
    return [one for one in links.all() if visible(one, viewer, owner)]


def address(links: Links, one: Link, owner: int) -> str | None:
    """The path of its URL; None where it has none."""
    if one.uid not in (0, owner):
        return None
    return f"/l/{links.token(one)}/{quote(one.path.rpartition(b'/')[2], safe='')}"


def table(links: Links, shown: Iterable[Link], owner: int) -> str:
    """The list of links: a line of names, then a line each; control characters are escaped."""
    rows = [
        (escaped(one.name), escaped("files/" + text_of(one.path)), local(one.until), address(links, one, owner) or "-")
        for one in shown
    ]  # fmt: skip
    return "".join("\t".join(row) + "\n" for row in (COLUMNS, *rows))


def local(seconds: float) -> str:
    """A time as a person writes it, and --until reads it."""
    return datetime.fromtimestamp(int(seconds)).astimezone().isoformat(timespec="seconds")


def text_of(name: bytes) -> str:
    """A name as text, byte for byte."""
    return name.decode("utf-8", "surrogateescape")


async def reply(command: "Command") -> str:
    """The link that was made; the list; or what became of one."""
    links, viewer, owner, given = command.links, command.viewer, command.owner, command.given
    if links is None:
        raise InvalidArgument("Nothing keeps links here.")
    _refuse_what_makes_no_sense(given)
    if "check" in given:
        return _checked(links, given["check"], viewer, owner)
    if "revoke" in given:
        await links.revoke(given["revoke"], viewer)
        if "json" in given:
            return json.dumps({"revoked": given["revoke"]})
        return f"links/{escaped(given['revoke'])} is revoked; its address is answered with 410 from now on."
    if "PATH" not in given:
        return _listed(links, viewer, owner, "json" in given)
    if command.read_only:
        raise ReadOnly("This mount is read-only, so no link is made; those that are there can be revoked.")
    now = time.time()
    until = now + given["for"] if "for" in given else given["until"] / 1e9 if "until" in given else None
    made = await link(given["PATH"], links=links, viewer=viewer, until=until, name=given.get("name"), now=now)
    return _made(links, made, owner, "json" in given)


def _refuse_what_makes_no_sense(given: dict[str, Any]) -> None:
    said = set(given) - {"json"}
    for alone in ("revoke", "check"):
        if alone in said and len(said) > 1:
            raise InvalidArgument(f"`link --{alone}` stands alone.")
    if {"for", "until"} <= said:
        raise InvalidArgument("Say --for or --until, not both.")
    if said and not said & {"PATH", "revoke", "check"}:
        raise InvalidArgument("Say which file or folder the link leads to: `link PATH --for 2h`.")


def _checked(links: Links, token: str, viewer: Viewer, owner: int) -> str:
    """What a server needs to know of a token, as JSON: `state` is valid, ended or unknown; a valid one has `path` and `until`."""
    if viewer.uid not in (0, owner):
        raise NotPermitted("Only the owner of the mount and root may ask what a token leads to.")
    found = links.check(token)
    if found is not None and found.uid in (0, owner):
        return json.dumps({"state": "valid", "path": "files/" + text_of(found.path), "until": found.until})
    return json.dumps({"state": "ended" if found is None and links.ended(token) else "unknown"})


def _listed(links: Links, viewer: Viewer, owner: int, as_json: bool) -> str:
    shown = seen(links, viewer, owner)
    if as_json:
        return json.dumps(
            {"links": [_described(links, one, owner) for one in shown], "server": links.server()}
        )
    if not shown:
        return "No link is valid now; `link PATH` makes one."
    server = links.server()
    return table(links, shown, owner) + (
        f"# {server} answers these addresses" if server else "# `lsfs serve` is not running"
    )


def _described(links: Links, one: Link, owner: int) -> dict[str, Any]:
    way, server = address(links, one, owner), links.server()
    return {
        "name": one.name,
        "path": "files/" + text_of(one.path),
        "since": local(one.since),
        "until": local(one.until),
        "address": way,
        "url": server + way if server and way else None,
    }


def _made(links: Links, one: Link, owner: int, as_json: bool) -> str:
    if as_json:
        return json.dumps(_described(links, one, owner))
    first = f"links/{escaped(one.name)} leads to files/{escaped(text_of(one.path))} until {local(one.until)}."
    way, server = address(links, one, owner), links.server()
    if way is None:
        return f"{first}\nIt has no address: only what the owner of the mount links is served."
    if server is None:
        return f"{first}\n{way}\n`lsfs serve` answers there, on this machine; it is not running."
    return f"{first}\n{server}{way}"
