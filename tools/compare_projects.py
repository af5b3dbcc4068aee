"""Compare the tables of two project folders bit for bit: did a change of the code change a result?

    python tools/compare_projects.py BEFORE.personae AFTER.personae

Prints one line per table and exits with 1 if any differs. Names that have changed between the
versions that wrote the folders are mapped by `RENAMED`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file

TABLES = ("shots", "faces", "tracks", "crops", "cannot_links", "characters")
RENAMED = {"cannot_links": "links", "thumbnail": "picture"}
"""New name of a table or column -> its name in folders of format 1."""


def read_table(folder: Path, name: str) -> pa.Table:
    """Read a table under its new or its old name, with its columns under their new names."""
    path = folder / f"{name}.parquet"
    if not path.exists():
        path = folder / f"{RENAMED.get(name, name)}.parquet"
    with pq.ParquetFile(path) as file:
        table = file.read(use_threads=False)
    new_names = {old: new for new, old in RENAMED.items()}
    return table.rename_columns([new_names.get(column, column) for column in table.column_names])


def differing_columns(before: pa.Table, after: pa.Table) -> list[str]:
    """Return the columns that are not equal bit for bit, NaN being equal to NaN."""
    if before.num_rows != after.num_rows:
        return [f"{before.num_rows} rows, now {after.num_rows}"]
    names = sorted(set(before.column_names) | set(after.column_names))
    return [name for name in names if not _equal(before, after, name)]


def _equal(before: pa.Table, after: pa.Table, name: str) -> bool:
    if name not in before.column_names or name not in after.column_names:
        return False
    a, b = before[name].combine_chunks(), after[name].combine_chunks()
    if pa.types.is_floating(a.type) and a.null_count == 0 and b.null_count == 0:
        return a.type == b.type and a.to_numpy().tobytes() == b.to_numpy().tobytes()
    return bool(a.equals(b))


def differing_arrays(before: Path, after: Path) -> list[str]:
    """Return the safetensors files whose arrays are not equal bit for bit."""
    found = []
    for path in sorted(before.rglob("*.safetensors")):
        other = after / path.relative_to(before)
        if not other.exists():
            found.append(f"{path.name} is missing")
            continue
        a, b = load_file(path), load_file(other)
        if a.keys() != b.keys() or any(not np.array_equal(a[k], b[k]) for k in a):
            found.append(path.name)
    return found


def main() -> None:
    """Compare the two folders that the command line names."""
    before, after = (Path(text) for text in sys.argv[1:])
    failed = False
    for name in TABLES:
        differing = differing_columns(read_table(before, name), read_table(after, name))
        failed |= bool(differing)
        print(f"{name}: {'differs in ' + ', '.join(differing) if differing else 'equal'}")
    differing = differing_arrays(before, after)
    print(f"arrays: {'differ in ' + ', '.join(differing) if differing else 'equal'}")
    sys.exit(failed or bool(differing))


if __name__ == "__main__":
    main()
