"""Words for people: one catalogue a language with the same keys, and numbers, dates and plurals as each language writes them."""

from qonys.core.areas import LANGUAGES
from qonys.i18n.lookup import Words, words

__all__ = ["LANGUAGES", "Words", "words"]
