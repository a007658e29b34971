#!/usr/bin/env bash
# Lints and tests what is written in Python here. Where no Python has the requirements it says so and ends well.
set -uo pipefail
cd "$(dirname "$0")"

has_requirements () { "$1" -c 'import importer' 2>/dev/null; }

python=
for candidate in ${PYTHON:-} .venv/bin/python python3 python; do
  if has_requirements "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
  echo 'Python: not checked, no Python with models/requirements-dev.txt installed'
  exit 0
fi

status=0
if "$python" -m ruff --version >/dev/null 2>&1; then
  "$python" -m ruff check --quiet . || status=1
else
  echo 'Python: not linted, ruff is not installed (models/requirements-dev.txt)'
fi

report=$(mktemp)
trap 'rm -f "$report"' EXIT
"$python" -m unittest 2>&1 | tee "$report" || status=1
count () { grep -oE "\b$1=[0-9]+" "$report" | tail -n 1 | cut -d= -f2; }
ran=$(sed -nE 's/^Ran ([0-9]+) tests? in .*/\1/p' "$report" | tail -n 1)
failures=$(count failures) errors=$(count errors) skipped=$(count skipped)
failed=$(( ${failures:-0} + ${errors:-0} ))
echo "Python: $(( ${ran:-0} - failed - ${skipped:-0} )) passed, $failed failed, ${skipped:-0} skipped"
exit "$status"
