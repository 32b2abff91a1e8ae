"""Cue words of numeric claims in English, Russian and Kazakh: one pattern for each meaning, no sentence patterns.

All patterns read lower-cased text in which every break inside a sentence is spaces (see `page`).
"""

from __future__ import annotations

import re


def cue(*alternatives: str) -> re.Pattern[str]:
    """A pattern of whole words; a space in an alternative stands for any short gap of spaces."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(_gaps, alternatives))})(?!\w)")


def ending(*alternatives: str) -> re.Pattern[str]:
    """The same, but only at the end of the string: for a look to the left of a number."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(_gaps, alternatives))})[ ]{{0,6}}\Z")


def _gaps(words: str) -> str:
    """Spaces made gaps of one to six spaces, outside character classes."""
    return re.sub(r"\[[^\]]*\]| ", lambda found: found.group() if len(found.group()) > 1 else "[ ]{1,6}", words)


PARTS = cue(
    r"of (?:which|whom|these|those|them)",
    r"among (?:them|these|those|which|whom)",
    "including",
    r"из (?:них|которых|коих|этого числа)",
    r"в том числе",
    r"в т\.[ ]?ч\.?",
    "включая",
    r"среди (?:них|которых)",
    r"(?:оның|олардың|соның|бұлардың) (?:ішінде|арасында|қатарында)",
    r"(?:олардың|бұлардың|оның)(?= (?:шамамен )?[0-9])",
)
PARTS_AFTER_NUMBER = cue(r"of (?:these|those|them|whom|which)", r"among (?:them|these)", r"из них", r"среди них")
PARTS_PERHAPS_OF_ANOTHER_KIND = cue("including", "включая", r"в том числе", r"в т\.[ ]?ч\.?")  # "12 regions, including 300 villages"
TOTAL = cue(
    r"(?:a |the )?(?:grand |overall )?total of",
    "in total",
    "totall?ing",
    "altogether",
    "in all",
    "summing to",
    "sums? up to",
    "всего",
    "итого",
    r"в общей сложности",
    r"в сумме",
    r"в совокупности",
    "барлығы",
    "жиыны",
    "жиынтығы",
    r"жалпы саны",
)
STOP = cue(
    "while",
    "whereas",
    "compared",
    "against",
    "versus",
    "but",
    "however",
    "than",
    "although",
    r"tog?ether with",
    "тогда как",
    "в то время как",
    r"при этом",
    r"по сравнению",
    "против",
    "чем",
    "однако",
    "но",
    "ал",
    "салыстырғанда",
    "бірақ",
    "алайда",
)
NOT_A_PART = ending("from", "to", "by", "per", "every", "с", "со", "от", "до", "на", "за каждые", "по", "каждые", "әр")
SEPARATOR = re.compile(r"[;,:•]|(?:^|[ ])[-–*](?=[ ])|(?<!\w)(?:and|plus|as well as|и|а также|плюс|және|мен|пен|бен)(?!\w)")

FROM = ending("from", "с", "со", "от")
TO = ending("to", "up to", "down to", "до")
OTHER_GROUP = cue(
    "with",
    "among",
    "including",
    "for",
    "and",
    "while",
    "of which",
    "при",
    "среди",
    "у",
    "и",
    "из них",
    "в том числе",
    "және",
    "арасында",
    "ішінде",
)
TO_AS_QUALIFIER = frozenset({"to", "up to", "down to", "до"})
OF = re.compile(
    r"[ ]*(?:[^\W\d_]+[ ]+){0,3}?(?:out of|from among|of|из)[ ]+"
    r"(?:(?:a|an|the|all|total|number|of|its|their|those|these|some|общего|числа|всех|этих|количества)[ ]+){0,5}"
)
BASE_STRONG = ending(r"(?:out of|from among|из)(?: (?:a|the|all|total|number|of|общего|числа|количества|всех|этих|почти|about)){0,5}")
BASE_WEAK = ending(r"of(?: (?:a|the|all|total|number|of|these|those)){0,5}")
OR_SHARE = ending(
    r"or",
    r"i\.e\.,?",
    r"that is,?",
    r"which is",
    r"accounting for",
    r"representing",
    r"или",
    r"т\.[ ]?е\.",
    r"то есть",
    r"что составляет",
    r"что составило",
    r"немесе",
    r"яғни",
    r"бұл",
)

UP = cue(
    r"increas(?:e|es|ed|ing)",
    "rose",
    "rises?",
    "risen",
    "rising",
    "grew",
    "grows?",
    "grown",
    "growing",
    "growth",
    "climbed",
    "expanded",
    r"rais(?:e|es|ed|ing)",
    r"extend(?:s|ed|ing)?",
    "doubled",
    "tripled",
    "trebled",
    "quadrupled",
    "jumped",
    "surged",
    "went up",
    "up",
    r"увелич\w+",
    r"вырос\w*",
    r"выраст\w+",
    r"возр[ао]с\w*",
    r"рост\w{0,2}",
    r"поднял\w+",
    r"прирост\w*",
    r"удвоил\w+",
    r"утроил\w+",
    r"өс(?:ті|кен|іп|еді|уі|етін|ім|імі)",
    r"арт(?:ты|қан|ып|ады|уы)",
    r"көбей\w+",
    r"ұлғай\w+",
    r"еселен\w+",
    r"жоғарыла\w+",
)
DOWN = cue(
    r"decreas(?:e|es|ed|ing)",
    r"declin(?:e|es|ed|ing)",
    "fell",
    "falls?",
    "fallen",
    "falling",
    r"drop(?:s|ped|ping)?",
    r"reduc(?:e|es|ed|ing|tion)",
    "shrank",
    "shrunk",
    "contracted",
    "halved",
    r"slow(?:s|ed|ing)?",
    "went down",
    "down",
    "cut",
    "lowered",
    "shortened",
    r"shorten(?:s|ing)?",
    r"сниз\w+",
    r"сниж\w+",
    r"сокра[тщ]\w+",
    r"уменьш\w+",
    r"упал\w*",
    r"паден\w+",
    r"спад\w*",
    r"замедл\w+",
    r"азай\w+",
    r"төменде\w+",
    r"қысқар\w+",
    r"кемі(?:ді|ген|п|йді)",
    r"түс(?:ті|кен|іп)",
    r"баяула\w+",
)
BY = ending("by", "на", "up", "down", r"by (?:more than|about|almost|nearly)", r"на (?:более чем|около|почти)")
VERB_ENDS = ending("grew", "rose", "fell", "increased", "decreased", "dropped", "declined", "climbed")
CHANGE_AFTER = re.compile(
    r"[ ]*(?:\w+[ ]+)?(?:increase|decrease|growth|rise|drop|fall|decline|reduction|higher|lower|рост|прирост|снижени|сокращени|"
    r"өсім|өс|арт|көбей|азай|төменде|қысқар|кемі)"
)

SEQUENCE = cue(
    "then",
    "after that",
    "after which",
    "afterwards",
    "next",
    "followed by",
    "subsequently",
    "and after",
    "thereafter",
    "затем",
    "потом",
    "после этого",
    "после чего",
    "далее",
    "вслед за этим",
    "лишь после",
    "содан кейін",
    "одан кейін",
    "осыдан кейін",
    "бұдан кейін",
    "содан соң",
    "кейін",
)
WHOLE_TIME = cue(
    r"all (?:the |these |three |four |five )?(?:stages|steps|procedures|phases)",
    "in total",
    "altogether",
    "total time",
    r"(?:whole|entire|overall|full) (?:procedure|process|period|path)",
    "total duration",
    r"вс(?:е|ех|ем) (?:\w+ )?(?:этап\w*|процедур\w*|стади\w*)",
    r"общ(?:ий|его|ая) (?:срок\w*|продолжительность)",
    "всего",
    "итого",
    r"в общей сложности",
    r"вся процедура",
    r"барлық (?:кезең\w*|рәсім\w*)",
    r"жалпы (?:мерзім\w*|уақыт\w*)",
    "барлығы",
)
AT_ONCE = cue(
    "simultaneously",
    "at once",
    "at the same time",
    "in parallel",
    "concurrently",
    "одновременно",
    "параллельно",
    "бір мезгілде",
    "бір уақытта",
    "қатар",
    "параллель",
)

# Wholes of which a share may be checked: the pattern of the words, by quantity of the reference table.
WORLD_WHOLES: dict[str, re.Pattern[str]] = {
    "population": cue(
        r"(?:world|global)(?:'s|’s)?(?: total)? population",
        r"population of the (?:world|planet|earth|globe)",
        r"населени\w+ (?:мира|земли|планеты|земного шара)",
        r"мирово\w+ населени\w+",
        r"(?:әлем|дүниежүзі|жер шары)\w* (?:\w+ )?(?:халқы|тұрғындар)\w*",
    ),
    "international_migrants": cue(
        r"(?:all |the )?international migrants?(?: (?:in the world|worldwide|globally))?",
        r"(?:world|global)(?:'s|’s)? migrants?",
        r"migrants (?:in|of) the world",
        r"международн\w+ мигрант\w*",
        r"мигрант\w* (?:мира|в мире)",
        r"халықаралық (?:мигрант|көшіп-қонушы)\w*",
        r"әлем\w* (?:мигрант|көшіп-қонушы)\w*",
    ),
}
ONLY_A_GROUP = cue(
    "urban",
    "rural",
    r"working[ -]age",
    "women",
    "men",
    "female",
    "male",
    "youth",
    "young",
    "children",
    "elderly",
    "labou?r",
    r"городск\w+",
    r"сельск\w+",
    r"женщин\w*",
    r"мужчин\w*",
    r"молод\w+",
    r"дет(?:и|ей)",
    r"трудов\w+",
    r"қала\w*",
    r"ауыл\w*",
    r"әйел\w*",
    r"жастар\w*",
    r"бала\w*",
    r"еңбек",
)
CHANGE_OF_SHARE = cue(r"percentage points?", r"grew", r"growth", r"increas\w+", r"decreas\w+", r"вырос\w*", r"сниз\w+")
