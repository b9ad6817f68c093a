"""helper: mount(8)'s way of asking, `lsfs SOURCE MOUNTPOINT -o ro,state=DIR`, turned into `lsfs mount`'s.

With it a line of fstab(5) works: `/home/me/notes /home/me/ctx fuse.lsfs noauto,user,exec,allow_other 0 0`.
"""

from collections.abc import Sequence

from lsfs.refusals import SettingInvalid

# what mount(8) passes on and the kernel or libfuse see to
IGNORED = frozenset(
    """rw auto noauto user users nouser nofail owner group defaults dev nodev suid nosuid exec sync async
    atime noatime relatime norelatime diratime nodiratime strictatime nostrictatime _netdev""".split()  # noqa: SIM905
)
SWITCHES = {"ro": "--read-only", "shared_folder": "--shared", "allow_other": "--allow-other"}
VALUES = {"state": "--state", "model": "--model"}


def translate(words: Sequence[str]) -> list[str]:
    """The words of `lsfs mount` that mean the same. Raises SettingInvalid for an option that lsfs has not got."""
    source, mountpoint, *rest = words
    command = ["mount"]
    options = [
        option
        for flag, text in zip(rest, rest[1:], strict=False)
        if flag == "-o"
        for option in text.split(",")
    ]
    for option in options:
        name, _, given = option.partition("=")
        if option in SWITCHES:
            command.append(SWITCHES[option])
        elif name in VALUES and given:
            command += [VALUES[name], given]
        elif option == "noexec":
            # `user` in fstab stands for noexec,nosuid,nodev; FUSE sees to the other two for whoever is not root
            raise SettingInvalid(
                "-o noexec is nothing that lsfs can see to; leave it out, or write exec after user"
            )
        elif option and option not in IGNORED and not option.startswith(("x-", "X-", "comment=")):
            known = ", ".join([*SWITCHES, *(f"{name}=…" for name in VALUES)])
            raise SettingInvalid(f"-o {option} is not an option of lsfs; there are {known}")
    return [*command, "--", source, mountpoint]
