"""What may be asked of views: closed models whose fields are bounded, read from the address of a page and from the interface alike."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator

# letters and digits as codes of areas and names of studies have them: nothing that could be a path
Code = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
Area = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{2,16}$", description="ISO 3166 code of a country or region, or a union")]
Year = Annotated[int, Field(ge=1900, le=2100)]
Text = Annotated[str, Field(max_length=200)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2100, 12, 31))]


class Asked(BaseModel):
    """The base of all. Fields of a form that are left empty are as if they were not there."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value != ""} if isinstance(given, dict) else given


def query_of(asked: BaseModel) -> str:
    """What is asked, as it stands in an address: the same question has the same text."""
    return urlencode(asked.model_dump(mode="json", exclude_none=True, exclude_defaults=True), doseq=True)
