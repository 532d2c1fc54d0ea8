"""Writes down what came of a playbook, as JSON into the file that SLUICE_RECORD names."""

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: sluice
type: notification
short_description: what came of a playbook
description: For the line by which the job is reported.
requirements: [the environment variable SLUICE_RECORD]
"""

REFUSED = 3
PAUSES = ("pause", "ansible.builtin.pause", "ansible.legacy.pause")
LONGEST = 2000


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "sluice"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._told = {"prompts": [], "plays": 0, "unmatched": [], "failed": []}
        self._play = None

    def v2_playbook_on_start(self, playbook):
        """Nobody is there to be asked, and Ansible would go on with nothing in the place of an answer."""
        for play in playbook.get_plays():
            given = play.get_variable_manager().extra_vars
            names = [str(prompt.get("name")) for prompt in play.vars_prompt]
            self._told["prompts"] += [name for name in names if name not in given]
        self._save()
        if self._told["prompts"]:
            raise SystemExit(REFUSED)

    def v2_playbook_on_play_start(self, play):
        self._play = play
        self._told["plays"] += 1
        self._save()

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._told["now"] = place_of(task)
        self._save()

    def v2_playbook_on_handler_task_start(self, task):
        self.v2_playbook_on_task_start(task, False)

    def v2_playbook_on_no_hosts_matched(self):
        hosts = self._play.hosts
        self._told["unmatched"].append(", ".join(map(str, hosts)) if isinstance(hosts, list) else str(hosts))
        self._save()

    def v2_runner_on_ok(self, result):
        """A pause without a time was a question, and Ansible goes on with nothing in the place of an answer."""
        task = result._task
        if task.action in PAUSES and not {"seconds", "minutes"} & set(task.args):
            self._told["asking"] = place_of(task)
            self._save()
            raise SystemExit(REFUSED)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            self._fail(result)

    def v2_runner_on_unreachable(self, result):
        self._fail(result)

    def v2_playbook_on_stats(self, stats):
        self._save()

    def _fail(self, result):
        task = result._task
        failed = {"host": result._host.get_name(), "message": message_of(result._result)[:LONGEST]}
        self._told["failed"].append({**place_of(task), **failed})
        self._save()

    def _save(self):
        with open(os.environ["SLUICE_RECORD"], "w", encoding="utf-8") as file:
            json.dump(self._told, file)


def place_of(task):
    return {"task": task.get_name(), "path": task.get_path() or ""}


def message_of(result):
    """What a task says, and the last line that its program printed."""
    if result.get("censored"):
        return "what it says is hidden (no_log)"
    items = [item for item in result.get("results") or [] if isinstance(item, dict)]
    failed = [item for item in items if item.get("failed") or item.get("unreachable")]
    if failed:
        return message_of(failed[0])
    # What gathers facts fails by the modules that it runs.
    modules = [one for one in (result.get("failed_modules") or {}).values() if isinstance(one, dict)]
    if modules:
        return message_of(modules[0])
    words = [str(result.get("msg") or result.get("reason") or "")]
    for stream in ("stderr", "module_stderr", "stdout", "module_stdout"):
        lines = str(result.get(stream) or "").strip().splitlines()
        if lines:
            words.append(lines[-1])
            break
    return ": ".join(word.strip() for word in words if word.strip())
