"""What engines write: tables in the order of persons, to one file whose bytes depend on the rows alone, or to a folder of parts."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qonys.core.errors import DataError
from qonys.store.groups import Groups
from qonys.store.tables import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa


def write_in_order(tables: Iterable[pa.Table], target: Path, *, tell: Callable[[int], None] = lambda _: None) -> int:
    """The rows of tables of one schema, one after the other, to a Parquet file, whole or not at all -> their number.

    The same rows give the same bytes however they are divided into tables. tell: rows so far. Errors: DataError without any table.
    """
    with whole_file(target) as draft, ExitStack() as stack:
        groups: Groups | None = None
        for table in tables:
            # the ids of a person follow each other
            groups = groups or stack.enter_context(Groups(draft, table.schema, plain=("person_id",)))
            groups.write(table)
            tell(groups.rows)
        if groups is None:
            raise DataError("there is nothing to write", mend="check what makes the tables")
    return groups.rows


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to write to that becomes `target` only when the block ends well; one that stands there already is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        yield draft
        draft.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
