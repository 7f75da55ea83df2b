#!/bin/sh
# What one event that becomes three notifications costs in calls, in units and in money: ours beside a system that does the
# same the plain way. Both are counted by the proxy of the local cloud: benches/calls/run.sh
set -eu
cd "$(dirname "$0")/../.."

[ -x .local/sam/bin/python ] || make --no-print-directory .local/sam/.installed
[ -e .local/cloud.json ] || { echo "calls: the local cloud is not up; \`make up\`" >&2; exit 2; }
exec .local/sam/bin/python benches/calls/count.py
