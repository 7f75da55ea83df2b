#!/usr/bin/env bash
# Runs checkov over infra/template.yaml and compares the findings with tests/checkov.txt. It needs no network.
# `tests/run.sh` calls this.
set -euo pipefail
cd "$(dirname "$0")/.."

found=$(mktemp)
trap 'rm -f "$found"' EXIT
# checkov exits with 1 on any finding. The comparison below decides which findings count.
.local/checkov/bin/checkov --file infra/template.yaml --framework cloudformation --skip-download --compact --quiet \
  --output json > "$found" || true
python3 - "$found" tests/checkov.txt <<'EOF'
import fnmatch, json, sys

report = json.load(open(sys.argv[1]))
summary = report["summary"]
if summary["parsing_errors"] or summary["passed"] < 200:
    sys.exit(f"checkov did not read the template: {summary}")
accepted = []
for number, line in enumerate(open(sys.argv[2]), 1):
    if line.strip() and not line.startswith("#"):
        fields = line.split(maxsplit=2)
        if len(fields) != 3:
            sys.exit(f"tests/checkov.txt:{number}: write the check, the resource and the reason")
        accepted.append((number, fields[0], fields[1]))
used, new = set(), []
for it in report["results"]["failed_checks"]:
    lines = [n for n, check, where in accepted if check == it["check_id"] and fnmatch.fnmatchcase(it["resource"], where)]
    used.update(lines)
    if not lines:
        new.append(f"{it['check_id']} {it['resource']}: {it['check_name']}")
stale = [f"tests/checkov.txt:{n}: nothing needs {check} {where} any more" for n, check, where in accepted if n not in used]
if new or stale:
    sys.exit("\n".join(new + stale))
print(f"checkov: {summary['passed']} checks passed, {summary['failed']} findings accepted with a reason")
EOF
