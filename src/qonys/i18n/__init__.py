"""Words for people: one catalogue a language with the same keys, and numbers, dates and plurals as each language writes them."""

from qonys.i18n.lookup import LANGUAGES, Words, words

__all__ = ["LANGUAGES", "Words", "words"]
