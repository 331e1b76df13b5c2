#!/usr/bin/env python3
"""Puts a Markdown file as one comment on a pull request of GitHub or a merge request of GitLab, in place of the last one.

    comment.py FILE [NUMBER]

The comment is known by the first line of the file, `<!-- slo-compiler diff -->`. Needs nothing but Python 3.9.
GitHub: GITHUB_TOKEN, GITHUB_REPOSITORY; the number is that of GITHUB_REF (refs/pull/7/merge) where it is not given.
GitLab: GITLAB_TOKEN, CI_PROJECT_ID, CI_MERGE_REQUEST_IID. GITHUB_API_URL and CI_API_V4_URL say where the service is.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

PER_PAGE = 100
# What both services take; the rest is in the job's log.
LONGEST = 60_000


class Thread(NamedTuple):
    """Where comments are listed and made, where one is changed (`{}` takes its id), and how, with which headers."""

    comments: str
    comment: str
    change: str
    headers: dict[str, str]


def github(number: str | None) -> Thread:
    """The conversation of a pull request."""
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    repository = f"{api}/repos/{os.environ['GITHUB_REPOSITORY']}"
    if number is None:
        found = re.fullmatch(r"refs/pull/([0-9]+)/merge", os.environ.get("GITHUB_REF", ""))
        if found is None:
            sys.exit("comment.py: GITHUB_REF names no pull request; comment.py FILE NUMBER")
        number = found[1]
    headers = {"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    pull = f"{repository}/issues/{urllib.parse.quote(number, safe='')}/comments"
    return Thread(pull, f"{repository}/issues/comments/{{}}", "PATCH", headers)


def gitlab(number: str | None) -> Thread:
    """The notes of a merge request."""
    request = urllib.parse.quote(number or os.environ["CI_MERGE_REQUEST_IID"], safe="")
    project = urllib.parse.quote(os.environ["CI_PROJECT_ID"], safe="")
    notes = f"{os.environ['CI_API_V4_URL']}/projects/{project}/merge_requests/{request}/notes"
    return Thread(notes, f"{notes}/{{}}", "PUT", {"PRIVATE-TOKEN": os.environ["GITLAB_TOKEN"]})


def ask(thread: Thread, method: str, url: str, body: str | None = None) -> Any:
    """What the service answers."""
    content = None if body is None else json.dumps({"body": body}).encode()
    headers = {**thread.headers, "Content-Type": "application/json", "User-Agent": "slo-compiler"}
    request = urllib.request.Request(url, data=content, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def last_comment(thread: Thread, marker: str) -> Any:
    """The id of the comment that begins with the marker; None where there is none yet."""
    page = 1
    while True:
        found = ask(thread, "GET", f"{thread.comments}?per_page={PER_PAGE}&page={page}")
        for comment in found:
            if str(comment["body"]).startswith(marker):
                return comment["id"]
        if len(found) < PER_PAGE:
            return None
        page += 1


def main(arguments: list[str]) -> None:
    """Makes the comment or changes it."""
    if len(arguments) not in (1, 2):
        sys.exit("usage: comment.py FILE [NUMBER]")
    body = Path(arguments[0]).read_text(encoding="utf-8")
    number = arguments[1] if len(arguments) == 2 else None
    if len(body) > LONGEST:
        body = f"{body[:LONGEST].rpartition(chr(10))[0]}\n\nThe rest is in the log of the job."
    try:
        thread = gitlab(number) if "CI_API_V4_URL" in os.environ else github(number)
        known = last_comment(thread, body.partition("\n")[0])
        if known is None:
            ask(thread, "POST", thread.comments, body)
        else:
            ask(thread, thread.change, thread.comment.format(known), body)
    except KeyError as missing:
        sys.exit(f"comment.py: {missing.args[0]} is not set")
    except urllib.error.HTTPError as refusal:
        sys.exit(f"comment.py: {refusal.url}: {refusal.code} {refusal.reason}")
    except urllib.error.URLError as fault:
        sys.exit(f"comment.py: {fault.reason}")


if __name__ == "__main__":
    main(sys.argv[1:])
