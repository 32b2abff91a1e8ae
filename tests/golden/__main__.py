"""python -m tests.golden: write the golden runs anew; read what changed as a diff."""

from __future__ import annotations

from tests.golden import compact, path, text

from qonys import pipeline
from qonys.studies import built_in

for study in built_in():
    path(study).write_text(text(compact(pipeline.answer(pipeline.open_study(study)).results)), encoding="utf-8")
