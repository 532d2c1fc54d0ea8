#!/usr/bin/env bash
# Bats 1.13.0 (npm): where one of several test files has a syntax error, none of the others is run either, and both formats
# for other tools say nothing of it: as JUnit is written an empty `<testsuites>`, as TAP nothing at all. Plan and failed
# point of `bats-gather-tests` go to stderr, whichever format is asked for; the exit status is 1. Bats 1.8.2 runs the
# other files, and writes the failure into the JUnit file.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
echo '{}' > package.json
npm install --silent --no-audit --no-fund --save-exact bats@1.13.0 older@npm:bats@1.8.2

echo '@test "good" { true; }' > good.bats
echo '@test "cut off" {' > broken.bats

failed=0
run() { # PACKAGE FORMAT EXPECTED-OUTPUT
  local status=0 seen
  "node_modules/$1/bin/bats" --formatter "$2" good.bats broken.bats > said 2> errors || status=$?
  seen="$(grep -cE '<testcase|^(not )?ok ' said || true) cases, $(grep -cE '<failure|^not ok ' said || true) failures"
  echo "$("node_modules/$1/bin/bats" --version), $2: exit status $status, stdout has $seen; stderr:" \
    "$(grep -m 1 '^not ok' errors || echo nothing)"
  [ "$status" = 1 ] && [ "$seen" = "$3" ] || failed=1
}
run bats junit '0 cases, 0 failures'
run bats tap '0 cases, 0 failures'
grep -qx 'not ok 1 bats-gather-tests' errors || failed=1
run older junit '2 cases, 1 failures'
exit "$failed"
