"""Renders templates and hands them to the module of this name, all at once.

The template module makes four or five ssh sessions and two starts of Python for each file that changes. Here it is one of
each for all files of a host: the server has a load to serve meanwhile.
"""

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        files = [self._rendered(task_vars, **file) for file in self._task.args["files"]]
        return self._execute_module(
            module_name="templates", module_args={"files": files}, task_vars=task_vars
        )

    def _rendered(self, task_vars, src, dest, vars=None, in_place_seconds=0):
        path = self._find_needle("templates", src)
        with open(path, encoding="utf-8") as file:
            source = file.read()
        templar = self._templar.copy_with_new_env(available_variables={**task_vars, **(vars or {})})
        text = templar.do_template(source, preserve_trailing_newlines=True, escape_backslashes=False)
        return {"dest": dest, "text": text, "in_place_seconds": float(in_place_seconds)}
