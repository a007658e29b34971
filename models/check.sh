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

# the recipe takes as long as all the other tests together: side by side with them
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
others=$(ls tests/test_*.py | grep -v test_recipe | sed 's|/|.|; s|\.py$||')
"$python" -m unittest tests.test_recipe > "$reports/recipe" 2>&1 &
recipe=$!
"$python" -m unittest $others > "$reports/others" 2>&1 || status=1
wait "$recipe" || status=1
cat "$reports"/*

# the sum of a number over the lines that end the reports: `Ran 7 tests in 2.1s`, `FAILED (failures=1, errors=2)`
sum () { cat "$reports"/* | grep -E '^(Ran |OK|FAILED)' | grep -oE "$1[0-9]+" | grep -oE '[0-9]+' | awk '{ n += $1 } END { print n + 0 }'; }
failed=$(( $(sum 'failures=') + $(sum 'errors=') ))
skipped=$(sum 'skipped=')
echo "Python: $(( $(sum 'Ran ') - failed - skipped )) passed, $failed failed, $skipped skipped"
exit "$status"
