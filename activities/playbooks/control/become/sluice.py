"""The connection runs what becomes somebody as root; from there it is anybody's."""

import re
import shlex

from ansible.errors import AnsibleError
from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: sluice
short_description: anybody, by the worker
description: For the connection C(sluice) alone, whatever method a playbook names.
options:
  become_user:
    description: Who runs it.
    default: root
    vars: [{name: ansible_become_user}]
    keyword: [{name: become_user}]
  become_exe:
    description: Not used.
  become_flags:
    description: Not used.
  become_pass:
    description: Not used.
"""


class BecomeModule(BecomeBase):
    name = "sluice"

    def build_become_command(self, cmd, shell):
        super().build_become_command(cmd, shell)
        if not cmd:
            return cmd
        user = self.get_option("become_user") or "root"
        command = self._build_success_command(cmd, shell)
        if user == "root":
            return command
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", user):
            raise AnsibleError(f"there is no user {user!r}")
        return f"HOME=~{user} runuser -u {shlex.quote(user)} -- {command}"
