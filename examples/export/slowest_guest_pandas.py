#!/usr/bin/env python3
"""The slowest guest of each configuration over its valid trials: slowest_guest_pandas.py tables"""
import sys
from pathlib import Path

import pandas

guests = pandas.read_parquet(Path(sys.argv[1]) / "guests.parquet")
valid = guests[(guests.outcome == "measured") & guests.rate_tps.notna()]
rates = valid.groupby(["backend", "vms", "guest"]).rate_tps.mean()
slowest = rates.groupby(["backend", "vms"]).agg(["idxmin", "min", "mean"])
slowest["guest"] = [place[-1] for place in slowest.pop("idxmin")]
slowest["percent_of_mean"] = 100 * slowest["min"] / slowest["mean"]
print(slowest[["guest", "min", "percent_of_mean"]].round(1).to_string())
