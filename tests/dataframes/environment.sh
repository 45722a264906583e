#!/bin/sh
# Makes a Python environment with pandas and DuckDB, once, and prints its interpreter. It lies outside of the checkout:
# ${XDG_CACHE_HOME:-~/.cache}/kvmfair/tests-venv. Needs python3-venv (.ci/install tests) and the first time PyPI.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kvmfair
venv=$cache/tests-venv
mkdir -p "$cache"

exec 9> "$cache/tests-venv.lock"
flock 9
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || { echo "no Python environment (hint: .ci/install tests)" >&2; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$venv/"
fi
echo "$venv/bin/python"
