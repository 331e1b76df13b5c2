"""Where compiled rules are published: the part of `slo-compiler.yaml` that `publish` takes its flags from."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from slo_compiler.documents.judged import Fault, Judged
from slo_compiler.documents.metadata import DnsLabel

ADDRESS = r"^[^-\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
FOLDER = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"
BRANCH = r"^[A-Za-z0-9_][A-Za-z0-9_./+@#-]*$"


class Publishing(Judged):
    """The monitoring repository, and which part of it is whose.

    Attributes:
        repository: its address, or the path of one on this machine, relative to the configuration. Credentials are git's
            to know.
        path: of the folder in it that holds a folder for each owner; unset, its root.
        branch: unset, the one that the repository shows.
        owner: the name of this repository of specs there, and of its folder.
    """

    repository: Annotated[str, Field(pattern=ADDRESS)] | None = None
    path: Annotated[str, Field(pattern=FOLDER)] | None = None
    branch: Annotated[str, Field(pattern=BRANCH)] | None = None
    owner: DnsLabel | None = None

    def faults(self) -> Iterator[Fault]:
        """An address that would show a password to everybody who reads the specs."""
        scheme, found, rest = (self.repository or "").partition("://")
        user, at, _ = rest.partition("/")[0].rpartition("@")
        if found and at and (":" in user or scheme in ("http", "https")):
            message = "credentials do not belong into a file that is committed"
            yield Fault(("repository",), message, "leave them out: git asks its credential helper")
