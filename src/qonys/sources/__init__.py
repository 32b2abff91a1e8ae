"""Official data by their publishers' own interfaces: what can be asked for, asking for it, and reading what comes.

publishers    the catalogue: where each is asked, how often, how it is cited, which tables matter
parse         `publisher:dataset?filters` -> Target, in one canonical form
complete      the same with what the catalogue asks for by itself
fetch         a Request -> a Reply: bytes in a file, whole and of the right shape, or a sentence why not
fetch_pages   the same for a reply that comes in pages
settings      how to ask: catalogue, QONYS_OFFLINE, QONYS_CA_BUNDLE
"""

from qonys.sources.catalogue import Publisher, Table, publisher, publishers
from qonys.sources.fetch import fetch
from qonys.sources.pages import fetch_pages
from qonys.sources.reply import Reply, set_aside
from qonys.sources.request import Request
from qonys.sources.settings import Settings, settings
from qonys.sources.target import Target, complete, parse

__all__ = [
    "Publisher", "Reply", "Request", "Settings", "Table", "Target", "complete", "fetch", "fetch_pages", "parse", "publisher", "publishers",
    "set_aside", "settings",
]  # fmt: skip
