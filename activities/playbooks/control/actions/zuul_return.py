"""The module by which playbooks written for Zuul return data: it adds to the file that SLUICE_RETURN names.

It runs where Ansible does, whichever host the task is for.
"""

import fcntl
import json
import os

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

GROWING = ("artifacts", "warnings")


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        unknown = sorted(set(self._task.args) - {"data"})
        data = self._task.args.get("data")
        if unknown:
            raise AnsibleActionFail(f"Unsupported parameters for (zuul_return) module: {', '.join(unknown)}")
        if not isinstance(data, dict):
            raise AnsibleActionFail("zuul_return needs data, a dictionary")
        with open(os.environ["SLUICE_RETURN"], "a+", encoding="utf-8") as file:
            # Ansible has a process for each host: one after the other.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            returned = added(json.loads(file.read() or "{}"), data)
            file.seek(0)
            file.truncate()
            json.dump(returned, file)
        return {**result, "changed": True}


def added(before, data):
    """Lists of artifacts and warnings grow, maps are joined, of all else the last word holds."""
    joined = {**before, **data}
    for key in before.keys() & data.keys():
        if isinstance(before[key], dict) and isinstance(data[key], dict):
            joined[key] = added(before[key], data[key])
        elif key in GROWING and isinstance(before[key], list) and isinstance(data[key], list):
            joined[key] = before[key] + data[key]
    return joined
