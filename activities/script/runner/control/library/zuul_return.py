"""The module by which playbooks written for Zuul return data: it adds to the file that SLUICE_RETURN names."""

import json
import os

from ansible.module_utils.basic import AnsibleModule

GROWING = ("artifacts", "warnings")


def main():
    module = AnsibleModule({"data": {"type": "dict", "required": True}})
    path = os.environ.get("SLUICE_RETURN")
    if not path:
        module.fail_json(msg="SLUICE_RETURN is not in the environment: return data from a job's own node")
    returned = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            returned = json.load(file)
    returned = added(returned, module.params["data"])
    with open(path, "w", encoding="utf-8") as file:
        json.dump(returned, file)
    module.exit_json(changed=True)


def added(before, data):
    """Lists of artifacts and warnings grow, maps are joined, of all else the last word holds."""
    joined = {**before, **data}
    for key in before.keys() & data.keys():
        if isinstance(before[key], dict) and isinstance(data[key], dict):
            joined[key] = added(before[key], data[key])
        elif key in GROWING and isinstance(before[key], list) and isinstance(data[key], list):
            joined[key] = before[key] + data[key]
    return joined


if __name__ == "__main__":
    main()
