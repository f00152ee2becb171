"""Writes files whose text the action plugin of this name has rendered; those that differ only."""

import os
import time

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: templates
short_description: Writes several templates to a host in one call
options:
  files:
    description:
      - What to write. C(src) is the template, C(dest) the file, C(vars) are variables for this one.
      - With C(in_place_seconds) the file is emptied first and its text comes that much later, as a shell redirection of a
        slow program writes it. Else it is replaced by rename.
    type: list
    elements: dict
    required: true
"""

RETURN = r"""
written:
  description: The files that were written, or would be.
  type: list
"""


def text_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write(dest, text, in_place_seconds):
    os.makedirs(os.path.dirname(dest), exist_ok=True)
    if in_place_seconds == 0:
        with open(f"{dest}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{dest}.new", dest)
        return
    with open(dest, "w", encoding="utf-8") as file:
        time.sleep(in_place_seconds)
        file.write(text)


def main():
    spec = {"files": {"type": "list", "elements": "dict", "required": True}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    written = []
    diff = []
    for file in module.params["files"]:
        dest, text = file["dest"], file["text"]
        before = text_of(dest)
        if before == text:
            continue
        written.append(dest)
        diff.append({"before_header": dest, "after_header": dest, "before": before or "", "after": text})
        if not module.check_mode:
            write(dest, text, file["in_place_seconds"])
    module.exit_json(changed=bool(written), written=written, diff=diff)


if __name__ == "__main__":
    main()
