"""Says whether a generated client has a function for every operation of the document, and answers that have types.

    operations.py openapi.yaml <folder of the client>
"""

import pathlib
import re
import sys

from ruamel.yaml import YAML

METHODS = {"get", "put", "post", "delete", "patch", "head"}


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


document = YAML(typ="safe").load(pathlib.Path(sys.argv[1]))
client = pathlib.Path(sys.argv[2])
modules = {path.stem: path for path in client.glob("api/*/*.py")}
operations = [
    operation
    for path in document["paths"].values()
    for method, operation in path.items()
    if method in METHODS
]
missing = [it["operationId"] for it in operations if snake(it["operationId"]) not in modules]
untyped = [
    it["operationId"]
    for it in operations
    if snake(it["operationId"]) in modules
    and "application/json" in str(it.get("responses", {}).get("200", ""))
    and "Any" == re.search(r"Response\[(\w+)", modules[snake(it["operationId"])].read_text()).group(1)
]
print(f"openapi-python-client: agree {len(operations) - len(missing) - len(untyped)} of {len(operations)}")
for name in missing:
    print(f"  {name} is missing")
for name in untyped:
    print(f"  {name} has an answer without a type")
sys.exit(1 if missing or untyped else 0)
