"""What may never decide or predict where a household lives or whether it stays: ethnicity, religion and what stands for them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Iterable

# each part of a name is tried against these: `ethnic.*` holds ethnicity, EthnicGroup, ethnic_group
_TRAITS = {
    "ethnicity": r"ethni.*|ethno.*|etni.*|etnos.*|nationalit.*|na[ct]s?ionalnost.*|rac(e|es|ial)|rasa|tribes?|tribal|clans?|castes?|zhuz"
    r"|этни.*|этнос.*|этно|национальност.*|народност.*|раса|расы|расов.*|племя|племени|жуз|кланы?"
    r"|ұлт|ұлты|ұлттық|ұлттығы|улты?|ulty|этникалық|нәсіл.*|тайпа.*|жүз|жүзі|рулы?",
    "religion": r"religi.*|relihi.*|confession.*|konfessi.*|denominations?|faiths?|creeds?|worship.*|church.*|mosques?"
    r"|религи.*|конфесси.*|вероисповедан.*|вера|веры|верующ.*|вероучен.*|дін|діні|діни|дінге|діндар.*|сенім|сенімі|наным.*|dini",
}
_STANDINS = {
    "mother tongue": r"mother tongue|native (language|tongue)|first language|home language|родн\w+ язык\w*|язык\w* родн\w+|ана тіл\w*",
    "name": r"surnames?|family names?|last names?|patronymics?|фамили\w+|отчеств\w+|тегі|әкесінің аты",
    "skin": r"skin( colou?r)?|цвет\w* кожи",
}
_LANGUAGE = r"languages?|tongues?|lang|язык\w*|тіл|тілі"
_PEOPLE = re.compile(
    r"(kazakh|qazaq|russian|slav|uzbek|uighur|uyghur|tatar|ukrainian|dungan|kyrgyz|kirghiz|tajik|turkmen|karakalpak|chechen|korean|german|turk"
    r"|kurd|azeri|azerbaijani|mongol|jew|gyps(y|ie)|muslim|christian|catholic|protestant|buddhist|atheist)s?|slavic|turkic|turkish|kurdish"
    r"|jewish|roma|orthodox|islam(ic)?"
    r"|(казах|казаш|қазақ|русск|орыс|узбек|узбеч|өзбек|уйгур|ұйғыр|татар|украинц|украинк|украинец|дунган|дүнген|кыргыз|киргиз|қырғыз|таджи|тәжік"
    r"|туркмен|түрікмен|каракалпак|қарақалпақ|чечен|шешен|кореец|корейц|кореян|кәріс|немец|немц|немк|неміс|турок|турк|турч|түрік|курд|күрд"
    r"|азербайджанец|азербайджанц|еврей|еврее|евре|мусульман|мұсылман|православ|христиан|католи|протестант|будди|ислам|атеис)\w*"
)
_FILLERS = frozenset(
    ("is", "not", "non", "share", "percent", "group", "head", "of", "ethnic", "доля", "группа", "глава", "не", "үлесі", "топ")
)
_WHY = (
    "choosing where people live, or judging who will stay, by it is unlawful profiling: it would send households apart by descent or "
    "belief, and it is nothing a settlement programme can change"
)
_MEND = "leave it out; say what the household needs or was given (work, housing, school places, kin nearby) and use that"


def refuse_forbidden(columns: Iterable[str], where: str, *, predicting: bool = False) -> None:
    """Refuse ethnicity, religion and their stand-ins (mother tongue, surname, skin) among names of columns; else nothing.

    Names are read in English, Russian and Kazakh by whole words, whatever their case and joints (`EthnicGroup`, `ETHNIC-GROUP`).
    `nationality` is refused since it is read as ethnicity: citizenship is called citizenship. It and the country of origin pass.
    where: the file or table, for the sentence. predicting: refuse any language too. A language a child is taught in is a need that a
    placement serves with a school; who stays must not be predicted from it, for there it only stands for ethnicity.
    A name check sees names: codes in a column called `x7` pass, and whoever brings them answers for it (see `refuse_forbidden_values`).
    Errors: DesignError naming column and reason.
    """
    for column in columns:
        words = _words(str(column))
        joined = " ".join(words)
        for trait, pattern in _TRAITS.items():
            if any(re.fullmatch(pattern, word) for word in words):
                hint = "write citizenship if that is meant, else " if joined.startswith("nationalit") else ""
                raise DesignError(f"{where}: {column!r} is {trait}, which is not used here: {_WHY}", mend=hint + _MEND)
        for standin, pattern in _STANDINS.items():
            if re.search(rf"\b({pattern})\b", joined):
                raise DesignError(f"{where}: {column!r} ({standin}) stands for ethnicity, which is not used here: {_WHY}", mend=_MEND)
        if _names_people(words):
            raise DesignError(f"{where}: {column!r} names a people or a faith, which is not used here: {_WHY}", mend=_MEND)
        if predicting and any(re.fullmatch(_LANGUAGE, word) for word in words):
            raise DesignError(
                f"{where}: {column!r} is a language, which stands for ethnicity where it predicts who stays",
                mend="serve it as a need in placement (a school that teaches in it) and leave it out here",
            )


def refuse_forbidden_values(values: Iterable[Any], column: str, where: str) -> None:
    """Refuse a column whose name says nothing but whose values name peoples or faiths (`Uzbek`, `мусульманин`); else nothing.

    Names of countries pass. Numbers and codes cannot be judged and pass. Errors: DesignError naming column, value and reason.
    """
    for value in values:
        if isinstance(value, str) and _names_people(_words(value)):
            raise DesignError(f"{where}: {column!r} holds {value!r}, a people or a faith, which is not used here: {_WHY}", mend=_MEND)


def _words(name: str) -> list[str]:
    """The words of a name in small letters: EthnicGroup_2 -> ethnic, group."""
    plain = unicodedata.normalize("NFKC", name)
    apart = "".join(
        f" {letter}" if place and letter.isupper() and plain[place - 1].islower() else letter for place, letter in enumerate(plain)
    )
    found = re.findall(r"[^\W\d_]+", apart.casefold())
    # Kazakh is often typed with the Latin i
    return [word.replace("i", "і") if re.search(r"[\u0400-\u04ff]", word) else word for word in found]


def _names_people(words: list[str]) -> bool:
    """Nothing but a people or a faith? `is_kazakh` is; `russian_border_days` and `Казахстан` are not."""
    telling = [word for word in words if word not in _FILLERS]
    return bool(telling) and all(_PEOPLE.fullmatch(word) and "стан" not in word for word in telling)
