#!/usr/bin/python3
"""1,000 steps of larger systems on many ranks, bit by bit; too long for every day.

  long_runs.py RESULT.json FOLDER[,FOLDER...] UPLIFT MPIRUN [MPIRUN OPTIONS]

Each FOLDER has an Amber topology and coordinates (*.prmtop or *.parm7, *.inpcrd or *.rst7, also gzipped). Constant energy, and constant pressure with an aMD of both kinds; on 1, 2, 3, 4
and 8 ranks where the box is wide enough. All from 2 ranks on must have the same bits; of 1 rank it is told how its energies part from theirs. The result is written even when they differ; the exit status says.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time

RESULT, FOLDERS = sys.argv.pop(1), sys.argv.pop(1).split(",")

import numpy as np

from domains import MPIRUN, UPLIFT, command, contents, differing

RANKS = (1, 2, 3, 4, 8)
HEAD = """version: 1
system: {{topology: {topology}, coordinates: {coordinates}}}
forces: {{nonbonded: pme, cutoff: 0.8 nm}}
compute: {{backend: cpu, threads: 1}}
dynamics: {{integrator: {integrator}, timestep: 2 fs, temperature: 300 K, seed: 11}}
output: {{trajectory: {{every: 200 fs, velocities: true}}, energies: {{every: 20 fs}}, checkpoint: {{every: 60 min}}, report: false}}
stages:
"""
CASES = {"nve": ("verlet", "  - {name: nve, time: 2 ps}\n"),
         "npt-boost": ("langevin", "  - {name: baseline, time: 0.2 ps, collect: energies}\n"
                                   "  - name: npt\n    time: 2 ps\n    pressure: {barostat: monte-carlo, every: 25}\n"
                                   "    bias: {method: amd, boost: dual, parameters: {from: baseline, rule: deviations, k: 4}}\n"),
         "npt-total": None}  # the same with a total boost, for systems without dihedrals


def found(folder, *patterns):
    for pattern in patterns:
        names = sorted(glob.glob(os.path.join(os.path.abspath(folder), pattern)) + glob.glob(os.path.join(os.path.abspath(folder), pattern + ".gz")))
        if names:
            return names[0]
    sys.exit(f"{folder}: none of {patterns}")


def run(path, ranks):
    out = f"{path[:-5]}-{ranks}"
    began = time.time()
    done = subprocess.run(command(ranks, "run", path, "--quiet", "--set", "output.directory=" + out), capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip().splitlines()[0][:250], 0.0
    return contents(out), "", time.time() - began


def beside_one_rank(one, several):
    """How potential energies part, as a fraction of themselves: at the first step, and the step from which on it is more than 1e-4."""
    key = next(k for k in one if k.endswith("/potential"))
    apart = np.abs(one[key] - several[key]) / np.abs(one[key])
    far = np.flatnonzero(apart > 1e-4)
    return {"potential_differs_at_first_by": float(f"{apart[0]:.1e}"), "by_1e-4_from_step": int(10 * far[0]) if far.size else None}


def main():
    rows, good = [], True
    with tempfile.TemporaryDirectory() as scratch:
        for folder in FOLDERS:
            for case in CASES:
                integrator, stages = CASES["npt-boost" if case == "npt-total" else case]
                if case == "npt-total":
                    if not any("use boost: total" in r.get("refused", "") for r in rows[-1]["ranks"].values()):
                        continue
                    rows.pop()
                    stages = stages.replace("dual", "total")
                path = os.path.join(scratch, f"{os.path.basename(os.path.normpath(folder))}-{case}.yaml")
                with open(path, "w") as f:
                    f.write(HEAD.format(topology=found(folder, "*.prmtop", "*.parm7", "*.top"), coordinates=found(folder, "*.inpcrd", "*.rst7", "*.crd"), integrator=integrator) + stages)
                row = {"system": os.path.basename(os.path.normpath(folder)), "case": case, "ranks": {}}
                kept, first = {}, None
                for ranks in RANKS:
                    kept[ranks], why, seconds = run(path, ranks)
                    if kept[ranks] is None:
                        row["ranks"][ranks] = {"refused": why}
                    elif ranks == 1:
                        row["ranks"][ranks] = {"seconds": round(seconds, 1)}
                    else:
                        first = first or ranks
                        same = not differing(kept[first], kept[ranks])
                        good &= same
                        row["ranks"][ranks] = {"seconds": round(seconds, 1), f"same_bits_as_{first}": same}
                if first:
                    row["beside_one_rank"] = beside_one_rank(kept[1], kept[first])
                print(json.dumps(row), flush=True)
                rows.append(row)
    version = subprocess.run([UPLIFT, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    with open(RESULT, "w") as f:
        json.dump({"command": "tests/mpi/long_runs.py RESULT FOLDERS UPLIFT " + " ".join([os.path.basename(MPIRUN[0]), *MPIRUN[1:]]), "date": time.strftime("%Y-%m-%d"), "uplift": version,
                   "cores": os.cpu_count(), "good": good, "rows": rows}, f, indent=1)
        f.write("\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
