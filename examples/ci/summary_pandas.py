#!/usr/bin/env python3
"""Rates and fairness of a run, one line for each configuration: summary_pandas.py runs/RUN"""
import sys
from pathlib import Path

import pandas

run = Path(sys.argv[1])
ids = {"configuration": str}  # eight hexadecimal digits, never numbers
summary = pandas.read_csv(run / "summary.csv", dtype=ids)
configurations = pandas.read_csv(run / "configurations.csv", dtype=ids)

metrics = ["total_rate_tps", "bias_rate_percent", "p99_latency_us"]
figures = summary[summary.metric.isin(metrics)]
table = figures.pivot(index="configuration", columns="metric", values="mean")
levels = configurations.set_index("configuration")[["backend", "vms", "measured", "invalid", "failed"]]
print(levels.join(table).round(1).to_string())
