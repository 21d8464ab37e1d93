"""Reads Iceberg tables with pyiceberg and with DuckDB's iceberg extension, and compares them with a truth.

Usage: python read_tables.py TRUTH.json

TRUTH.json is a list of tables:
  {"path": folder, "count": rows, "key": column, "keys": distinct values of it,
   "sums": {column: exact sum as text}, "nulls": {column: null rows}, "columns": [names in order]}

Prints what differs, one line each, and exits with 1 if anything does.
Needs: pip install pyiceberg pyarrow duckdb duckdb-extension-iceberg duckdb-extension-avro
"""

import importlib.util
import json
import pathlib
import sys
from decimal import Decimal, getcontext

import duckdb
import pyarrow.compute as pc
from pyiceberg.table import StaticTable

getcontext().prec = 80


def extension(name):
    """The path of an extension that a package brings along: nothing is downloaded."""
    folder = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
    return next(folder.rglob(f"{name}.duckdb_extension"))


def metadata_file(table):
    hint = (pathlib.Path(table) / "metadata" / "version-hint.text").read_text().strip()
    return str(pathlib.Path(table) / "metadata" / f"v{hint}.metadata.json")


def text(value):
    """A sum as plain text: no exponent, no zeros after the last digit of a fraction."""
    if value is None:
        return None
    plain = format(Decimal(str(value)), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def exact_sum(column):
    return sum((Decimal(str(value)) for value in column.to_pylist() if value is not None), Decimal(0))


def with_pyiceberg(truth):
    arrow = StaticTable.from_metadata(metadata_file(truth["path"])).scan().to_arrow()
    key = arrow.column(truth["key"])
    return {
        "columns": arrow.schema.names,
        "count": arrow.num_rows,
        "keys": pc.count_distinct(key).as_py(),
        "sums": {name: text(exact_sum(arrow.column(name))) for name in truth["sums"]},
        "nulls": {name: arrow.column(name).null_count for name in truth["nulls"]},
    }


def with_duckdb(truth):
    con = duckdb.connect(config={"autoinstall_known_extensions": False})
    for name in ("avro", "iceberg"):
        con.execute(f"LOAD '{extension(name)}'")
    source = f"iceberg_scan('{truth['path']}')"

    def one(expression):
        return con.execute(f"SELECT {expression} FROM {source}").fetchone()[0]

    return {
        "columns": [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()],
        "count": one("count(*)"),
        "keys": one(f'count(DISTINCT "{truth["key"]}")'),
        "sums": {name: text(one(f'coalesce(sum("{name}"), 0)')) for name in truth["sums"]},
        "nulls": {name: one(f'count(*) FILTER ("{name}" IS NULL)') for name in truth["nulls"]},
    }


def main(truth_file):
    differences = 0
    for truth in json.loads(pathlib.Path(truth_file).read_text()):
        for reader, read in (("pyiceberg", with_pyiceberg), ("duckdb", with_duckdb)):
            seen = read(truth)
            for what, value in seen.items():
                wanted = {name: text(number) for name, number in truth[what].items()} if what == "sums" else truth[what]
                if value != wanted:
                    differences += 1
                    print(f"{reader}: {truth['path']}: {what} is {value}, and should be {wanted}")
            print(f"{reader}: {truth['path']}: {seen['count']} rows read")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
