"""Loads every table of a run directory into pandas and DuckDB as a reader would: types inferred, nothing prescribed.

Compares the types with the data dictionary, joins each table to its configurations, and prints one line for each table. Any
difference is an error.
"""

import pathlib
import sys

import duckdb
import pandas

PANDAS = {"text": "string", "integer": "Int64", "real": "Float64", "boolean": "boolean"}
DUCKDB = {"text": "VARCHAR", "integer": "BIGINT", "real": "DOUBLE", "boolean": "BOOLEAN"}


def types_of_pandas(table):
    kinds = {"string": "string", "str": "string", "Int64": "Int64", "Float64": "Float64", "boolean": "boolean"}
    return {name: kinds.get(str(kind), str(kind)) for name, kind in table.dtypes.items()}


def check(run, name, expected):
    path = run / f"{name}.csv"
    table = pandas.read_csv(path, dtype_backend="numpy_nullable")
    in_pandas = types_of_pandas(table)
    relation = duckdb.read_csv(str(path), sample_size=-1)
    in_duckdb = dict(zip(relation.columns, map(str, relation.types)))
    assert list(in_pandas) == list(in_duckdb) == list(expected), f"{name}: other columns than in columns.csv"
    for column, kind in expected.items():
        if table[column].notna().any():  # a column without values has no type in CSV
            assert in_pandas[column] == PANDAS[kind], f"{name}.{column} is {in_pandas[column]} in pandas, not {kind}"
            assert in_duckdb[column] == DUCKDB[kind], f"{name}.{column} is {in_duckdb[column]} in DuckDB, not {kind}"
    if "configuration" in expected:
        configurations = pandas.read_csv(run / "configurations.csv", dtype_backend="numpy_nullable")
        joined = table.merge(configurations, on=["run", "configuration"], validate="many_to_one")
        assert len(joined) == len(table), f"{name}: rows without a configuration in pandas"
        known = duckdb.read_csv(str(run / "configurations.csv"), sample_size=-1)
        count = len(relation.set_alias("t").join(known.set_alias("c"), "t.configuration = c.configuration").fetchall())
        assert count == len(table), f"{name}: rows without a configuration in DuckDB"
    print(f"{name}: {len(table)} rows, {len(expected)} columns")


def main():
    run = pathlib.Path(sys.argv[1])
    dictionary = pandas.read_csv(run / "columns.csv")
    own = {name: rows.set_index("name")["type"].to_dict() for name, rows in dictionary.groupby("table") if "." not in name}
    files = {path.stem for path in run.glob("*.csv")} - {"columns"}
    assert files == set(own), f"files {sorted(files)} are not the tables of columns.csv, {sorted(own)}"
    for name in sorted(files):
        check(run, name, own[name])


main()
