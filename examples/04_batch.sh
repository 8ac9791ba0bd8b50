#!/bin/sh
# What a scheduler runs: one splitter a line, JSON for the record, the exit code for the decision.
#
#   OLT PORT SERIAL SVLAN CVLAN SPLITTER...
#   lab 0/1/3 HWTC0B086EA9 100 3901 Riser 2, splitter 7
#
# usage: 04_batch.sh JOBS RESULTS_DIR
set -u
jobs=$1
results=$2
mkdir -p "$results"
worst=0
number=0
while read -r olt port serial svlan cvlan splitter; do
    [ -n "$olt" ] || continue
    number=$((number + 1))
    ponprobe measure "$olt" "$port" --serial "$serial" --svlan "$svlan" --cvlan "$cvlan" \
        --line-profile 20 --service-profile 20 --splitter "$splitter" --json \
        >"$results/$number.json" 2>"$results/$number.log" </dev/null
    code=$?
    echo "$number: exit $code ($splitter)"
    [ "$code" -le "$worst" ] || worst=$code
    # 7: something of ours is still on the OLT. Clean up before the next splitter, and tell somebody if that fails.
    if [ "$code" -eq 7 ] && ! ponprobe recover "$olt" >&2 </dev/null; then
        echo "residue on $olt: a person must look" >&2
        exit 7
    fi
done <"$jobs"
exit "$worst"
