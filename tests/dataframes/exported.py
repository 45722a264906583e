"""Reads what `kvmfair export` wrote of one run, each format as its readers do, and compares types and values with the run's CSV.

exported.py RUN DIRECTORY: the directory has a directory for each format. Any difference is an error.
"""

import pathlib
import re
import sys

import duckdb
import pandas
import pyarrow.parquet
from prometheus_client.openmetrics.parser import text_string_to_metric_families

PANDAS = {"text": "string", "integer": "Int64", "real": "Float64", "boolean": "boolean"}
DUCKDB = {"text": "VARCHAR", "integer": "BIGINT", "real": "DOUBLE", "boolean": "BOOLEAN"}
READ = {"text": "string", "integer": "Int64", "real": "Float64", "boolean": "boolean"}
# A real has six decimals in CSV.
TOLERANCE = 6e-7


def same(exported, table, where):
    assert len(exported) == len(table), f"{where}: {len(exported)} rows, not {len(table)}"
    for column in table.columns:
        one, other = exported[column], table[column]
        assert (one.isna() == other.isna()).all(), f"{where}.{column}: other cells are empty"
        one, other = one.dropna(), other.dropna()
        if str(other.dtype) == "Float64":
            assert ((one - other).abs() <= TOLERANCE).all(), f"{where}.{column}: other values"
        else:
            assert list(one) == list(other), f"{where}.{column}: other values"


def check_parquet(path, table, expected, units):
    frame = pandas.read_parquet(path, dtype_backend="numpy_nullable")
    for column, kind in expected.items():
        assert str(frame[column].dtype) == PANDAS[kind], f"{path}: {column} is {frame[column].dtype} in pandas"
    relation = duckdb.read_parquet(str(path))
    types = dict(zip(relation.columns, map(str, relation.types)))
    assert types == {column: DUCKDB[kind] for column, kind in expected.items()}, f"{path}: {types} in DuckDB"
    assert len(relation.fetchall()) == len(frame), f"{path}: other rows in DuckDB"
    same(frame, table, path)
    metadata = pyarrow.parquet.read_metadata(path).metadata or {}
    for column, unit in units.items():
        assert metadata.get(f"{column}.unit".encode(), b"").decode() == unit, f"{path}: unit of {column}"
        assert f"{column}.meaning".encode() in metadata, f"{path}: meaning of {column}"


def check_jsonl(path, table, expected):
    if table.empty:  # a table without rows has no line that could name its columns
        assert path.read_text() == "", f"{path} has rows"
        return
    relation = duckdb.read_json(str(path), format="newline_delimited", sample_size=-1)
    types = dict(zip(relation.columns, map(str, relation.types)))
    assert list(types) == list(expected), f"{path}: other columns"
    for column, kind in expected.items():
        if table[column].notna().any():
            assert types[column] == DUCKDB[kind], f"{path}: {column} is {types[column]} in DuckDB, not {kind}"
    frame = relation.df()
    same(frame.astype({name: READ[kind] for name, kind in expected.items()}), table, path)


def check_openmetrics(path, summary):
    means = {(row.metric, row.configuration): row for row in summary.itertuples()}
    values = {"": "mean", "_low": "low", "_high": "high"}
    seen = 0
    for family in text_string_to_metric_families(path.read_text()):
        assert family.type == "gauge" and family.documentation, family.name
        name = family.name.removeprefix("kvmfair_")
        ending = next((end for end in ("_low", "_high") if name.endswith(end)), "")
        for sample in family.samples:
            row = means[name.removesuffix(ending), sample.labels["configuration"]]
            assert abs(sample.value - getattr(row, values[ending])) <= TOLERANCE, sample
            seen += 1
    expected = summary[["mean", "low", "high"]].notna().sum().sum()
    assert seen == expected, f"{path}: {seen} samples, not {expected}"
    print(f"openmetrics: {seen} samples")


def cells_of_latex(path):
    lines = [line for line in path.read_text().splitlines() if line.endswith("\\\\")]
    return len(lines), sum(1 + len(re.findall(r"(?<!\\)&", line)) for line in lines)


def cells_of_markdown(path):
    lines = path.read_text().splitlines()
    lines.pop(1)
    return len(lines), sum(line.replace("\\|", "").count("|") - 1 for line in lines)


def main():
    run, exported = map(pathlib.Path, sys.argv[1:])
    dictionary = pandas.read_csv(run / "columns.csv", keep_default_na=False)
    for name, rows in dictionary.groupby("table"):
        if "." in name:
            continue
        expected = dict(zip(rows["name"], rows["type"]))
        units = dict(zip(rows["name"], rows["unit"]))
        csv = f"{name}.csv"
        assert (exported / "csv" / csv).read_bytes() == (run / csv).read_bytes(), f"{csv} is not that of the run"
        table = pandas.read_csv(run / csv, dtype={column: READ[kind] for column, kind in expected.items()})
        check_parquet(exported / "parquet" / f"{name}.parquet", table, expected, units)
        check_jsonl(exported / "jsonl" / f"{name}.jsonl", table, expected)
        print(f"{name}: {len(table)} rows")
    summary = pandas.read_csv(run / "summary.csv")
    check_openmetrics(exported / "openmetrics" / "metrics.prom", summary)
    for latex in sorted((exported / "latex").iterdir()):
        markdown = exported / "markdown" / f"{latex.stem}.md"
        assert cells_of_latex(latex) == cells_of_markdown(markdown), f"{latex} has other cells than {markdown}"
        print(f"{latex.stem}: {cells_of_latex(latex)[0] - 1} rows as LaTeX and Markdown")


main()
