#!/usr/bin/env python3
"""What each kernel of a step takes on a GPU by itself, from Nsight Compute: median and longest time, registers, share of issue slots in use.

  kernel_times.py UPLIFT INPUT.yaml [--skip 9000] [--count 72] [--only REGEX] [--json FILE]
  kernel_times.py --csv RAW.csv [--json FILE]      what `ncu --import REPORT --csv --page raw` wrote
  kernel_times.py --self-test

INPUT.yaml: as of `uplift benchmark`. The first --skip kernels, of relaxing and warming up, are let pass. Caches and clocks are left as they are, and
kernels run one at a time, so that times of branches that run side by side add up to more than a step. What a kernel does now and then (listing pairs,
pruning) shows in the longest time. Wants ncu in PATH (it comes with CUDA); exit status 77 without.
"""
import argparse
import collections
import csv
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from system_files import provenance, revision

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
from kernel_names import short

TIME, REGISTERS, ISSUE = "gpu__time_duration.sum", "launch__registers_per_thread", "smsp__issue_active.avg.pct_of_peak_sustained_active"
MICROSECONDS = {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}
SAMPLE = '''==PROF== Connected
"ID","Kernel Name","Grid Size","gpu__time_duration.sum","launch__registers_per_thread","smsp__issue_active.avg.pct_of_peak_sustained_active"
"","","","us","register/thread","%"
"0","void uplift::<unnamed>::gather_kernel<5, float>(uplift::ChargesView, const T2 *)","(369, 1, 1)","7.10","56","47.4"
"1","uplift::<unnamed>::moves_kernel(uplift::AtomsView)","(1,320, 1, 1)","1,026.5","168","15.3"
"2","void uplift::<unnamed>::gather_kernel<5, float>(uplift::ChargesView, const T2 *)","(369, 1, 1)","7.30","56","47.0"
"3","void unnamed>::cluster_pairs_kernel<unnamed>::Everyday<1, 12>, 0, 0>(ListView<T1::real>, bool)","(3321, 1, 1)","44.10","64","66.5"
'''


def number(text):
    return float(text.replace(",", ""))


def parse(text):
    """Kernels in the order in which they first ran."""
    rows = list(csv.reader(text.splitlines()))
    head = next((k for k, row in enumerate(rows) if row and row[0] == "ID"), None)
    if head is None:
        raise SystemExit("this is no raw page of ncu: it has no line that begins with ID")
    place = {name: k for k, name in enumerate(rows[head])}
    unit = MICROSECONDS[rows[head + 1][place[TIME]]]
    found = collections.OrderedDict()
    for row in rows[head + 2 :]:
        # Of an unnamed namespace in a template's arguments some versions of ncu print one bracket for two.
        name = short(re.sub(r"uplift::|<?unnamed>::|^void ", "", re.sub(r"(?<=\w)<unnamed>::", "<", row[place["Kernel Name"]])))
        grid = int(number(re.match(r"\(([\d,]+), ", row[place["Grid Size"]])[1]))
        found.setdefault((name, grid), []).append((number(row[place[TIME]]) * unit, int(number(row[place[REGISTERS]])), number(row[place[ISSUE]])))
    return [{"kernel": name, "blocks": grid, "runs": len(runs), "median_us": round(statistics.median(r[0] for r in runs), 2),
             "longest_us": round(max(r[0] for r in runs), 2), "registers": runs[0][1], "issue_percent": round(statistics.median(r[2] for r in runs), 1)}
            for (name, grid), runs in found.items()]


def table(kernels):
    lines = [f"{'kernel':56}{'blocks':>8}{'runs':>6}{'median us':>11}{'longest us':>12}{'registers':>11}{'issue %':>9}"]
    return "\n".join(lines + [f"{k['kernel'][:55]:56}{k['blocks']:>8}{k['runs']:>6}{k['median_us']:>11.2f}{k['longest_us']:>12.2f}{k['registers']:>11}{k['issue_percent']:>9}"
                              for k in kernels])


def profile(o):
    if not shutil.which("ncu"):
        print("skipped: there is no ncu here")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        report = os.path.join(scratch, "report")
        only = ["-k", "regex:" + o.only] if o.only else []
        subprocess.run(["ncu", "--clock-control", "none", "--cache-control", "none", "--graph-profiling", "node", "--metrics", ",".join((TIME, REGISTERS, ISSUE)),
                        *only, "--launch-skip", str(o.skip), "--launch-count", str(o.count), "-o", report, o.uplift, "benchmark", o.input,
                        "--backend", "cuda", "--warmup", str(max(300, o.skip // 6)), "--seconds", "0.05"], check=True, stdout=subprocess.DEVNULL)
        return subprocess.run(["ncu", "--import", report + ".ncu-rep", "--csv", "--page", "raw"], check=True, capture_output=True, text=True).stdout


def self_test():
    gather, moves, pairs = parse(SAMPLE)
    assert gather == {"kernel": "gather_kernel<5, float>", "blocks": 369, "runs": 2, "median_us": 7.2, "longest_us": 7.3, "registers": 56, "issue_percent": 47.2}, gather
    assert moves["kernel"] == "moves_kernel" and moves["median_us"] == 1026.5 and moves["blocks"] == 1320, moves
    assert pairs["kernel"] == "cluster_pairs_kernel<Everyday<1, 12>, 0, 0>", pairs
    assert len(table([gather, moves]).splitlines()) == 3


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", nargs="?", type=os.path.abspath)
    p.add_argument("input", nargs="?")
    p.add_argument("--skip", type=int, default=9000)
    p.add_argument("--count", type=int, default=72)
    p.add_argument("--only")
    p.add_argument("--csv")
    p.add_argument("--json")
    p.add_argument("--self-test", action="store_true")
    o = p.parse_args()
    if o.self_test:
        return self_test()
    if not o.csv and not o.input:
        p.error("UPLIFT and INPUT.yaml, or --csv")
    if o.csv:
        with open(o.csv) as f:
            kernels = parse(f.read())
    else:
        kernels = parse(profile(o))
    print(table(kernels))
    if o.json:
        with open(o.json, "w") as f:
            json.dump({**(provenance(o.uplift) if o.uplift else {}), "uplift_revision": revision(), "kernels": kernels}, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
