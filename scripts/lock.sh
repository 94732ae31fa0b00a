#!/usr/bin/env bash
# Pin every dependency with its hashes: `make lock` (needs uv).
#
# The three files name no index, no host and no path, so that they work from any mirror; the
# hashes still tie them to the files as published.  One version for every Python and platform
# (--fork-strategy fewest), so that one seed gives one digest everywhere.
set -eu
cd "$(dirname "$0")/.."

pin() {
  out=$1
  shift
  uv pip compile --quiet --no-config --universal --fork-strategy fewest --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
    --output-file "$out" "$@" >/dev/null
  printf '%s\n%s\n' "# Made by scripts/lock.sh from pyproject.toml; do not edit." "$(cat "$out")" >"$out"
  echo "$out: $(grep -c == "$out") packages"
}

pin requirements.txt pyproject.toml --group build "$@"
pin requirements-dev.txt pyproject.toml --group build --group dev --constraint requirements.txt "$@"
pin requirements-core.txt --group core "$@"
