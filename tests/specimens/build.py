"""Writes the workbooks among the specimens: small, in the layout of the publishers, with numbers of our own.

.venv/bin/python tests/specimens/build.py
"""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook

HERE = Path(__file__).parent


def undesa() -> Workbook:
    """As undesa_pd_2020_ims_stock_by_sex_destination_and_origin.xlsx: groups of columns merged, header in row 11, regions and the world."""
    book = Workbook()
    book.active.title = "Contents"
    book["Contents"]["A1"] = "United Nations Population Division"
    page = book.create_sheet("Table 1")
    page["A2"] = "United Nations"
    page["A3"] = "Population Division"
    page["A5"] = "International Migrant Stock 2020"
    page["A6"] = (
        "Table 1: International migrant stock at mid-year by sex and by region, country or area of destination and origin, 1990-2020"
    )
    page["A7"] = "POP/DB/MIG/Stock/Rev.2020"
    page["A8"] = "December 2020 - Copyright © 2020 by United Nations. All rights reserved."
    for title, cells in (("both sexes", "H10:I10"), ("males", "J10:K10"), ("females", "L10:M10")):
        page[cells[:3]] = f"International migrant stock at mid-year ({title})"
        page.merge_cells(cells)
    heads = [
        "Index", "Region, development group, country or area of destination", "Notes of destination", "Location code of destination",
        "Type of data of destination", "Region, development group, country or area of origin", "Location code of origin",
    ]  # fmt: skip
    rows = [
        [*heads, 2015, 2020, 2015, 2020, 2015, 2020],
        [1, "WORLD", None, 900, None, "WORLD", 900, 1000, 1100, 520, 570, 480, 530],
        [2, "     Kazakhstan*", "1", 398, "B R", "Russian Federation", 643, 250, "..", 120, "..", 130, ".."],
        [3, "     Kazakhstan*", "1", 398, "B R", "Others", 2003, 7, 8, 3, 4, 4, "few"],
    ]
    for number, row in enumerate(rows, 11):
        for column, value in enumerate(row, 1):
            page.cell(number, column, value)
    page["A16"] = "Notes: (1) Estimates refer to the de jure population."
    return book


def bns(title: str, unit: str, area: str, years: list[str], heads: list[str], notes: list[str], rows: list[list[object]]) -> Workbook:
    """A printed table of the Bureau of National Statistics: unit on the right above, merged header, columns numbered, a section, footnotes."""
    book = Workbook()
    page = book.active
    page.title = "1"
    width = 1 + len(years) * len(heads)
    page.cell(1, 1, title)
    page.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    page.cell(3, width, unit)
    page.cell(4, 1, area)
    page.merge_cells(start_row=4, start_column=1, end_row=5, end_column=1)
    for place, year in enumerate(years):
        first = 2 + place * len(heads)
        page.cell(4, first, year)
        page.merge_cells(start_row=4, start_column=first, end_row=4, end_column=first + len(heads) - 1)
        for offset, head in enumerate(heads):
            page.cell(5, first + offset, head)
    page.cell(6, 1, "А")
    for column in range(2, width + 1):
        page.cell(6, column, column - 1)
    line = 7
    for row in rows:
        if len(row) == 1:
            page.cell(line, 1, row[0])
            page.merge_cells(start_row=line, start_column=1, end_row=line, end_column=width)
        else:
            for column, value in enumerate(row, 1):
                page.cell(line, column, value)
        line += 1
    for note in notes:
        line += 1
        page.cell(line, 1, note)
    return book


def main() -> None:
    """All of them."""
    for folder in ("undesa", "bns"):
        (HERE / folder).mkdir(exist_ok=True)
    undesa().save(HERE / "undesa" / "migrant_stock_2020.xlsx")
    bns(
        "Миграция населения Республики Казахстан по регионам",
        "человек",
        "Регион",
        ["2022 год", "2023 год"],
        ["Прибыло", "Выбыло"],
        ["*) С учётом вновь образованной области.", "1) Данные уточнены.", "Источник: Бюро национальной статистики"],
        [
            ["Республика Казахстан", "1 017 425", 1017425, 1100000, 1100000],
            ["Городское население"],
            ["Абай*", 18200, 19100.5, "-", "x"],
            ["Алматы қ.1)", "101 234", "98 765", "...", "12,5"],
            ["Сельское население"],
            ["Абай*", 10, 20, "30*", None],
        ],
    ).save(HERE / "bns" / "migration_ru.xlsx")
    bns(
        "Халықтың көші-қоны", "мың адам", "Облыс", ["2022 жыл", "2023 жыл"], ["Келгендер", "Кеткендер"], ["Ескерту: алдын ала деректер"],
        [["Қазақстан Республикасы", "17,4", "16,1", "25,3", "…"], ["Түркістан", "2,1", "3,4", "0,0", "-"]],
    ).save(HERE / "bns" / "migration_kk.xlsx")  # fmt: skip


if __name__ == "__main__":
    main()
