"""What looks like a number but claims nothing: dates, years, addresses, labels, list marks, references.

The masks blank them with a filler of the same length, so that every place in the masked text is a place in the text.
"""

from __future__ import annotations

import re

FILLER = "\ue000"

_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|"
    r"январ[ьяе]|феврал[ьяе]|марта?|марте|апрел[ьяе]|ма[йяе]|июн[ьяе]|июл[ьяе]|августа?|августе|сентябр[ьяе]|октябр[ьяе]|"
    r"ноябр[ьяе]|декабр[ьяе]|"
    r"(?:қаңтар|ақпан|наурыз|сәуір|мамыр|маусым|шілде|тамыз|қыркүйек|қазан|қараша|желтоқсан)(?:да|де|та|те|дан|ден|тан|тен|"
    r"ға|ге|қа|ке|ның|нің|ы|і|ында|інде|ынан|інен|ына|іне)?)\b\.?"
)
_YEAR = r"(?:1[5-9]|20)[0-9]{2}"
_YEAR_WORD = r"(?:г\.|гг\.|год\w*|ж\.|жж\.|жыл\w*)"
_G = r"[ ]{0,3}"

_PLAIN = [
    r"https?://\S+|www\.\S+|\borcid-id:\S+",
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}",
    r"\b(?:doi:?[ ]?)?10\.[0-9]{4,9}/\S+",
    r"(?<!\S)[<(]?[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}/\S*",
    r"\b(?:isbn|issn|udc|удк|мрнти|irsti|инн|бин|иин|orcid|(?:author|research|researcher) id)[ :№-]{0,4}[0-9a-zа-я.-]{3,25}",
    r"\b[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9x]\b",
    r"\b(?:tel|phone|fax|mob|call|тел|факс|моб|телефон\w*)\b\.?[ :]{0,3}[+0-9()][0-9() -]{4,24}",
    r"\+[0-9][0-9() -]{7,20}",
    r"\b[0-9][ -]?\(?[0-9]{3}\)?[ -][0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}\b",
    r"\b8[ -]\(?[0-9]{3,4}\)?(?:[ -][0-9]{2,3}){2,4}\b",
    r"\([0-9]{3,5}\)[ ]?[0-9]{1,3}-[0-9]{2}(?:-[0-9]{2})?",
    r"\^\{[^}\n]{0,40}\}|\^[0-9]{1,3}",
    r"\[[0-9]{1,3}(?:[,;–-][ ]?[0-9]{1,3}){0,20}\]",
    r"\bcovid[ –-]{0,3}[0-9]{2}\b",
    r"(?<![\w.,])[^\W\d_]{1,30}-?[0-9][\w-]{0,40}",
    rf"\b{_MONTH}{_G}[0-9]{{1,2}}(?:st|nd|rd|th)?(?:{_G}[–-]{_G}[0-9]{{1,2}})?(?![0-9])(?:,?[ ]{{1,3}}{_YEAR}\b)?",
    rf"\b[0-9]{{1,2}}(?:st|nd|rd"
    rf"|th)?(?:{_G}[–-]{_G}[0-9]{{1,2}})?[ ]{{1,3}}(?:of[ ])?{_MONTH}(?:,?[ ]{{1,3}}{_YEAR}\b(?:{_G}{_YEAR_WORD})?)?",
    rf"\b{_MONTH},?[ ]{{1,3}}{_YEAR}\b(?:{_G}{_YEAR_WORD})?",
    rf"\b{_YEAR}{_G}(?:жыл\w*|ж\.){_G}[0-9]{{1,2}}[ ]{{1,3}}{_MONTH}",
    r"\b[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?\b(?!-)",
    r"\b[0-9]{1,2}[./][0-9]{1,2}[./](?:[0-9]{4}|[0-9]{2})\b",
    r"\b[0-9]{2,4}-[0-9]{2,4}-[0-9]{2,5}(?:-[0-9]{1,5})?\b",
    r"\b[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\b",
    rf"\b{_YEAR}{_G}[–/-]{_G}(?:{_YEAR}|[0-9]{{2}})\b(?:{_G}{_YEAR_WORD})?",
    rf"\b{_YEAR}{_G}-?{_YEAR_WORD}",
    r"\b[0-9]{1,4}-?s\b",
    r"\b(?:tables?|tab|figures?|figs?|articles?|art|goals?|sections?|sect|chapters?|annex|appendix|notes?|box|pages?|pp|vol|volumes?|"
    r"nos?|issues?|items?|clauses?|paragraphs?|para|resolution|decree|decision|protocol|agenda|lines?|version|room|building|step|"
    r"phase|stage|scenario|model|equation|route|flight|part|type|question|"
    r"таблиц\w*|табл|рис|рисун\w+|стать\w+|раздел\w*|глав[аеыу]|приложени\w+|пункт\w*|стр|вып|закон\w*|приказ\w*|постановлени\w*|"
    r"шаг|этап|кв|дом|форм[аыеу]|п\.п|пп)\b\.?[ ]{0,2}(?:№|no\.?)?[ ]?"
    r"[0-9]{1,6}(?:[.,–-][0-9]{1,4}){0,6}(?:\([0-9]{1,4}\))?(?![0-9%])(?![.,][0-9])",
    r"\b(?:p|ст|п|с|т|б|n|д)\.[ ]{0,2}[0-9]{1,6}(?:[.,–-][0-9]{1,4}){0,6}",
    r"(?:№|#|§)[ ]?[0-9][0-9/.-]{0,20}(?:-[^\W\d_]{1,4})?",
    r"\b[0-9]{1,4}-(?:кесте|сурет|бап|тарау|тармақ|бөлім|қосымша|бет|кезең|нысан|қадам)\w*",
    r"\b[0-9]{1,3}(?:\.[0-9]{1,2}){2,8}\b",
    r"\b[0-9]{1,4}\([0-9]{1,4}(?:[–-][0-9]{1,4})?\)",
    r"\b[0-9]{1,3}(?:st|nd|rd|th)\b",
    r"\b[0-9]{1,4}-(?:го|му|м|х|ый|ой|ая|ое|ые|ых|й|я|е|ші|шы|інші|ыншы|нші|ншы)\b",
    r"\b[0-9]{1,3}/[0-9]{1,3}\b|\b[0-9]{1,3}[ ]?°[ ]?[cс]?",
    r"\b(?:aged?|ages|between the ages of|under the age of|over the age of)[ ]{1,3}(?:from[ ])?[0-9]{1,3}(?:[ ]?(?:–|-|to"
    r"|and)[ ]?[0-9]{1,3})?",
    r"\b[0-9]{1,3}(?:[–-][0-9]{1,3})?(?:[ -]years?[ -](?:olds?|of age)|-?[ ]?летн\w+|[ ](?:лет|года)[ ]и[ ]старше|[ ]жас\w*)",
    r"\bв возрасте[ ](?:от[ ])?[0-9]{1,3}(?:[ ]?(?:–|-|до)[ ]?[0-9]{1,3})?(?:[ ]лет)?|\b(?:старше|моложе|младше)[ ][0-9]{1,3}[ ]лет",
    r"[0-9]{16,}",
]
_MASKS = [re.compile(each) for each in _PLAIN]

_COUNTED = (
    r"(?:[\w-]+[ ]){0,2}?(?:people|persons?|migrants?|citizens|foreigners|nationals|students|workers|refugees|permits|applications|"
    r"cases|families|violations|violators|employers|men|women|males?|females?|children|households|residents|applicants|"
    r"человек\w*|чел\.|граждан\w*|мигрант\w*|иностранц\w*|разрешени\w*|заявлени\w*|сем(?:ьи|ей)|случа\w*|мужчин\w*|женщин\w*|детей|"
    r"нарушени\w*|работник\w*|студент\w*|адам\w*|азамат\w*|шетел\w*|рұқсат\w*|отбас\w*|өтініш\w*|ер|әйел\w*|бала\w*)(?!\w)"
)
_BARE_YEAR = re.compile(r"(?<![\w.,–-])(?:19|20)[0-9]{2}(?![\w%])(?![.,][0-9])(?![ ]?%)")
_COUNTED_AFTER = re.compile(rf"[ ]{{1,3}}{_COUNTED}")
_TIME_BEFORE = re.compile(
    r"(?:\b(?:in|since|by|until|till|from|to|during|through|of|and|or|for|after|before|year|mid|early|late|end|"
    r"в|во|с|до|к|по|на|от|за|и|после|году|конец|начал[оае])|[–/(])[ ]{0,3}\Z"
)
_DIGIT = re.compile("[0-9]")
_BRACKET_OR_BREAK = re.compile(r"[()\n]")
_MARK_BEFORE = re.compile(r"(?:^|[\s;:,.])([0-9]{1,2}|[a-zа-я])\Z")
_LINE_MARK = re.compile(r"(?m)^[ ]{0,12}(?:[-*•–][ ]+)?([0-9]{1,2}(?:\.[0-9]{1,2}){0,4}[.)])[ ]")
_REFERENCES = re.compile(
    r"(?m)^[ #*_]{0,8}(?:[0-9.]{1,4} )?(?:references|bibliography|literature cited|works cited|sources|"
    r"список (?:использованн\w+ )?(?:литературы|источников)|литература|библиография|источники|"
    r"(?:пайдаланылған )?әдебиеттер(?: тізімі)?|дереккөздер)[ :*_]{0,6}$"
)
_LOOK = 2000
_NOT_BLANK = re.compile(r"[^ \n]")
_BLANK_LINE = re.compile(r"\n[ ]{0,80}\n")
_ENTRY_MARK = re.compile(r"[ ]{0,8}(?:[-*•–]|\[?[0-9]{1,3}[\].)])[ ]")
_BIBLIOGRAPHIC = re.compile(r"doi|https?:|//|\bvol\b|\bpp?\.|\bс\.|\bт\.|№|retrieved|\((?:19|20)[0-9]{2}[a-z]?\)|, (?:19|20)[0-9]{2}\.")


def mask_lines(plain: str) -> str:
    """What only its line tells: entries of a list of references, numbers of items. For text with all its breaks."""
    return _LINE_MARK.sub(_blank, _mask_references(plain))


def mask_words(plain: str) -> str:
    """What its form tells: dates, years, addresses, labels, list marks. For text whose soft breaks are joined."""
    lines = plain.split("\n")
    with_digits = [place for place, line in enumerate(lines) if _DIGIT.search(line)]
    masked = "\n".join(lines[place] for place in with_digits)
    for pattern in _MASKS:
        masked = pattern.sub(_blank, masked)
    masked = _mask_bare_years(_mask_list_marks(masked))
    for place, line in zip(with_digits, masked.split("\n"), strict=False):
        lines[place] = line
    return "\n".join(lines)


def _blank(match: re.Match[str]) -> str:
    return "".join(each if each == "\n" else FILLER for each in match.group())


def _mask_references(plain: str) -> str:
    """Blanks the entries that stand under a heading of references, up to the first paragraph that is no entry."""
    done, pieces = 0, []
    for heading in _REFERENCES.finditer(plain):
        if heading.end() < done:
            continue
        end = _end_of_entries(plain, heading.end())
        pieces += [plain[done : heading.end()], re.sub(r"[^\n]", FILLER, plain[heading.end() : end])]
        done = end
    return "".join([*pieces, plain[done:]])


def _end_of_entries(plain: str, start: int) -> int:
    """The end of the last paragraph in a row that looks like an entry; only its beginning is looked at."""
    end = start
    while opened := _NOT_BLANK.search(plain, end, end + _LOOK):
        begin = plain.rfind("\n", start, opened.start()) + 1 or opened.start()
        look = plain[begin : begin + _LOOK].split("\n\n", 1)[0]
        if not (_ENTRY_MARK.match(look) or _BIBLIOGRAPHIC.search(look)):
            break
        closed = _BLANK_LINE.search(plain, opened.start())
        end = closed.start() if closed else len(plain)
    return end


def _mask_list_marks(plain: str) -> str:
    """Blanks "1)", "2)" and "a)" where no bracket is open, as in "three directions: 1) labour; 2) family"."""
    depth, spans = 0, []
    for found in _BRACKET_OR_BREAK.finditer(plain):
        if found.group() == "(":
            depth += 1
        elif found.group() == "\n":
            depth = 0
        elif depth:
            depth -= 1
        else:
            mark = _MARK_BEFORE.search(plain[max(0, found.start() - 3) : found.start()])
            if mark:
                spans.append((found.start() - len(mark.group(1)), found.end()))
    return _fill(plain, spans)


def _mask_bare_years(plain: str) -> str:
    """Blanks a bare 1900-2099, unless counted things follow and no word of time stands before it."""
    spans = []
    for found in _BARE_YEAR.finditer(plain):
        before = plain[max(0, found.start() - 12) : found.start()]
        counted = _COUNTED_AFTER.match(plain, found.end()) and not _TIME_BEFORE.search(before)
        if not counted:
            spans.append(found.span())
    return _fill(plain, spans)


def _fill(plain: str, spans: list[tuple[int, int]]) -> str:
    done, pieces = 0, []
    for start, end in spans:
        pieces += [plain[done:start], FILLER * (end - start)]
        done = end
    return "".join([*pieces, plain[done:]])
