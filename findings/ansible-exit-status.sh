#!/usr/bin/env bash
# ansible-core 2.14.18 (what Debian 12 has): the exit status of ansible-playbook does not tell what a gate wants to know.
# 4 is a host that cannot be reached, which another try may mend, and as well a playbook that nobody can read, which none
# does; 0 is a play whose hosts nobody is, of which no task was run, and one that asks for a variable where nobody can
# answer: it is set to nothing, and the play goes on.
set -euo pipefail

version=2.14.18
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "ansible-core==$version"
export ANSIBLE_LOCAL_TEMP=$work/local ANSIBLE_REMOTE_TEMP=$work/remote ANSIBLE_NOCOLOR=1 HOME=$work

cat > inventory <<'INI'
here ansible_connection=local ansible_python_interpreter=/usr/bin/python3
away ansible_host=127.0.0.1 ansible_port=1
INI
cat > unreachable.yaml <<'YAML'
- hosts: away
  gather_facts: false
  tasks: [{ping: }]
YAML
cat > unreadable.yaml <<'YAML'
- hosts: here
  gather_facts: false
  tasks: [{no_such_module: }]
YAML
cat > nobody.yaml <<'YAML'
- hosts: nobody
  gather_facts: false
  tasks: [{fail: }]
YAML
cat > question.yaml <<'YAML'
- hosts: here
  gather_facts: false
  vars_prompt: [{name: release, prompt: Which release}]
  tasks: [{debug: {msg: "the release is '{{ release }}'"}}]
YAML

venv/bin/ansible-playbook --version | sed -n 1p
failed=0
play() { # NAME EXPECTED-STATUS EXPECTED-WORDS
  local status=0 said
  said=$(venv/bin/ansible-playbook -i inventory "$1.yaml" < /dev/null 2>&1) || status=$?
  echo "\$ ansible-playbook $1.yaml: exit status $status: $(grep -m 1 -oE "$3" <<< "$said" || true)"
  [ "$status" = "$2" ] && grep -qE "$3" <<< "$said" || failed=1
}
play unreachable 4 'UNREACHABLE!'
play unreadable 4 "couldn't resolve module/action 'no_such_module'"
play nobody 0 'skipping: no hosts matched'
play question 0 "the release is '(None)?'"
exit "$failed"
