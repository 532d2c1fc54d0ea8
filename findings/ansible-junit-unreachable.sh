#!/usr/bin/env bash
# ansible-core 2.14.18 (what Debian 12 has): the JUnit file of its own callback `junit` has no word of a host that could not
# be reached: no test and no failure where it is the only one, and where others are there as well, their tests alone, all
# passed. A task that failed and was rescued is a failure there, and one whose failure was ignored is passed, though the
# play goes on after either and ends with 0. ansible-playbook itself ends with 4 and with 0.
set -euo pipefail

version=2.14.18
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "ansible-core==$version"
export ANSIBLE_LOCAL_TEMP=$work/local ANSIBLE_REMOTE_TEMP=$work/remote ANSIBLE_NOCOLOR=1 HOME=$work
export ANSIBLE_CALLBACKS_ENABLED=junit

cat > inventory <<'INI'
here ansible_connection=local ansible_python_interpreter=/usr/bin/python3
away ansible_host=127.0.0.1 ansible_port=1
INI
cat > tried.yaml <<'YAML'
- hosts: "{{ who }}"
  gather_facts: false
  tasks: [{ping: }]
YAML
cat > rescued.yaml <<'YAML'
- hosts: "{{ who }}"
  gather_facts: false
  tasks: [{block: [{fail: }], rescue: [{ping: }]}, {fail: , ignore_errors: true}]
YAML

venv/bin/ansible-playbook --version | sed -n 1p
failed=0
play() { # NAME HOSTS EXPECTED-STATUS EXPECTED-COUNTS
  local status=0 counts
  rm -rf junit
  JUNIT_OUTPUT_DIR=junit venv/bin/ansible-playbook -i inventory -e "who=$2" "$1.yaml" > said 2>&1 || status=$?
  counts=$(grep -m 1 -o '<testsuites [^>]*' junit/*.xml | grep -oE '(errors|failures|tests)="[0-9]+"' | paste -sd ' ')
  echo "$1, $2: exit status $status; $counts"
  [ "$status" = "$3" ] && [ "$counts" = "$4" ] || failed=1
}
play tried here 0 'errors="0" failures="0" tests="1"'
play tried away 4 'errors="0" failures="0" tests="0"'
play tried here,away 4 'errors="0" failures="0" tests="1"'
play rescued here 0 'errors="0" failures="1" tests="3"'
exit "$failed"
