"""Prints a JSON line per event, and nothing else: {"kind": "task-end", "task": …, "host": …, "atMonotonicUs": …}.

Times are of CLOCK_MONOTONIC in microseconds, which is one clock for all containers of a machine. `task-begin` is stamped
before the task's process starts, after whatever `throttle` made it wait for. `task-end` is stamped when Ansible takes the
result up: with a throttle, only once the next host's task has begun.
"""

import json
import sys
import time

from ansible.playbook.handler import Handler
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: events
type: stdout
short_description: A JSON line per event
description: Prints a JSON line per event, stamped on CLOCK_MONOTONIC.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "events"

    def v2_playbook_on_play_start(self, play):
        say("play-begin", play=play.get_name())

    def v2_runner_on_start(self, host, task):
        say("task-begin", **task_fields(task), host=host.get_name())

    def v2_runner_on_ok(self, result):
        self._end(result)

    def v2_runner_on_skipped(self, result):
        self._end(result, skipped=True)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._end(result, failed=True, message=message_of(result._result))

    def v2_runner_on_unreachable(self, result):
        self._end(result, failed=True, message=message_of(result._result))

    def v2_playbook_on_stats(self, stats):
        say("playbook-end", hosts={host: stats.summarize(host) for host in sorted(stats.processed)})

    def _end(self, result, failed=False, **more):
        changed = bool(result._result.get("changed"))
        host = result._host.get_name()
        if result._result.get("written"):
            more["files"] = result._result["written"]
        say("task-end", **task_fields(result._task), host=host, changed=changed, failed=failed, **more)


def task_fields(task):
    fields = {"task": task.get_name().rpartition(" : ")[2]}
    if task._role is not None:
        fields["role"] = task._role.get_name()
    if isinstance(task, Handler):
        fields["handler"] = True
    return fields


def message_of(result):
    """What Ansible says went wrong, with what the command itself said."""
    words = [str(result.get(name, "")).strip() for name in ("msg", "stderr", "module_stderr")]
    return ": ".join(word for word in words if word)


def say(kind, **fields):
    line = {"kind": kind, **fields, "atMonotonicUs": time.monotonic_ns() // 1000}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
