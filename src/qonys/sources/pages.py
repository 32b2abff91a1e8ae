"""Replies that come in pages: one file with one page after another."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from qonys.core.errors import SourceError
from qonys.sources.fetch import fetch
from qonys.sources.reply import Reply, set_aside
from qonys.sources.settings import Settings
from qonys.sources.settings import settings as from_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qonys.sources.request import Request

MOST_PAGES = 5000


def fetch_pages(
    request: Request, *, into: Path, following: Callable[[Path, Request], Request | None], settings: Settings | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Reply:  # fmt: skip
    """All pages from `request` on as one file, a line feed between them; the Reply is that of the first page but for path, size and hash.

    following: the request for the page after the one in the file, or None. No etag is given: that of one page does not speak for all.
    Errors: as `fetch`; SourceError for pages without end, a page that was had before, more bytes in all than one reply may have, or a page
    in which `following` cannot read what comes next; that page is kept in the quarantine.
    """
    own = settings or from_environment()
    largest = own.largest if request.largest is None else min(own.largest, request.largest)
    asked: Request | None = request
    seen, size, had = set[tuple[str, tuple[tuple[str, str], ...]]](), 0, list[Reply]()
    name = hashlib.sha256(f"{request.url}{request.params}".encode()).hexdigest()[:24]
    whole, draft = into / f"{name}-pages{request.suffix}", into / f"{name}-pages.part"
    try:
        while asked is not None:
            if (asked.url, asked.params) in seen or len(seen) >= MOST_PAGES:
                raise SourceError(f"the pages of {request.url} come to no end: {len(seen)} were had", mend="name fewer codes in the target")
            seen.add((asked.url, asked.params))
            this = asked
            page = fetch(this, into=into, settings=own, progress=progress)
            if page.path is None:
                raise SourceError(f"{page.url} sends no page", mend="pull again later")
            size += page.size + bool(had)
            if size > largest:
                raise SourceError(f"the pages of {request.url} hold more than {largest:,} bytes", mend="name fewer codes in the target")
            with draft.open("ab" if had else "wb") as out, page.path.open("rb") as stream:
                out.write(b"\n" if had else b"")
                shutil.copyfileobj(stream, out)
            had.append(page)
            try:
                asked = following(page.path, this)
            except SourceError as error:
                folder = own.quarantine or into / "quarantine"
                kept = set_aside(
                    page.path, folder=folder, request=this, url=page.url, headers=page.headers, found=error.what, at=page.looked_at
                )
                raise SourceError(error.what, mend=f"{error.mend}; it is kept for you to look at: {kept}") from None
            finally:
                page.path.unlink(missing_ok=True)
        draft.replace(whole)
    finally:
        draft.unlink(missing_ok=True)
    with whole.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    return replace(
        had[0], path=whole, size=size, sha256=digest.hexdigest(), etag="", last_modified="", tries=sum(page.tries for page in had)
    )
