#!/bin/sh
# Counts the calls, units and money of one event that becomes three notifications: ours beside a plain implementation.
# The proxy of the local cloud counts both: benches/calls/run.sh
set -eu
cd "$(dirname "$0")/../.."

[ -x .local/sam/bin/python ] || make --no-print-directory .local/sam/.installed
[ -e .local/cloud.json ] || { echo "calls: the local cloud is not up; \`make up\`" >&2; exit 2; }
exec .local/sam/bin/python benches/calls/count.py
