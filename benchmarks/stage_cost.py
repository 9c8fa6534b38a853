#!/usr/bin/python3
"""What a boost or a barostat costs a run: the same steps without one, with a dihedral boost and with a dual one, or with each barostat as it is by
default, in turns.

  stage_cost.py UPLIFT [--what boosts|barostats] [--system FOLDER] [--steps 500] [--repeats 5] [--backend cpu] [--precision mixed] [--threads 2] [--json FILE]

FOLDER holds system.prmtop[.gz] and system.inpcrd[.gz]; default: sdf1-tip3p of the project's inputs. Parameters of boosts come from a short stage by the
rule `residues`. Times are those of the run's own table, without start-up. A figure is the median over the repeats of the ratio of neighbours, less one.
"""
import argparse
import os
import statistics
import tempfile

from system_files import add_run_options, append_record, provenance, timed_run

KINDS = {"boosts": {kind: f", bias: {{method: amd, boost: {kind}, parameters: {{from: baseline, rule: residues}}}}" for kind in ("dihedral", "dual")},
         "barostats": {kind: f", pressure: {{barostat: {kind}}}" for kind in ("monte-carlo", "c-rescale")}}


def seconds(o, folder, kind, extra):
    stages = ["{name: baseline, time: 0.2 ps, collect: energies}", f"{{name: run, time: {o.steps * 0.002:.12g} ps{extra}}}"]
    return timed_run(o, folder, kind, stages)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--what", choices=KINDS, default="boosts")
    p.add_argument("--steps", type=int, default=500)
    add_run_options(p)
    o = p.parse_args()
    kinds = {"plain": "", **KINDS[o.what]}
    ratios = {kind: [] for kind in KINDS[o.what]}
    for k in range(o.repeats):
        with tempfile.TemporaryDirectory() as folder:
            times = {kind: seconds(o, folder, kind, kinds[kind]) for kind in list(kinds)[:: 1 if k % 2 else -1]}
        for kind, all_of in ratios.items():
            all_of.append(times[kind] / times["plain"])
        print(", ".join(f"{kind} {times[kind]:.2f} s" for kind in kinds), flush=True)
    cost = {kind: statistics.median(r) - 1 for kind, r in ratios.items()}
    record = {"system": os.path.basename(os.path.normpath(o.system)), "steps": o.steps, "backend": o.backend, "precision": o.precision, "threads": o.threads,
              "cost": {kind: round(c, 4) for kind, c in cost.items()}, "ratios": {kind: [round(x, 4) for x in r] for kind, r in ratios.items()},
              **provenance(o.uplift)}
    for kind, c in cost.items():
        print(f"a {kind} {o.what[:-1]} costs {100 * c:.1f} %")
    if o.json:
        append_record(o.json, record)


if __name__ == "__main__":
    main()
