#!/usr/bin/python3
"""Boxes of water on one rank and on several: speed, phases, what is sent, against what geometry says must be.

  measure.py UPLIFT [--mpirun "mpirun --oversubscribe"] [--waters 13 16 20] [--ranks 1 2 4 8] [--steps 400] [--repeats 3] [--json FILE]

Boxes of K^3 TIP3P waters for each K (cubes of 0.997 g/cm^3, on a lattice, minimised), Langevin at 300 K, 2 fs, PME, 0.9 nm, one thread a rank; repeats
alternate over ranks. And for weak scaling boxes of 1 x 1 x R of the first cube on R ranks, up to the cores of this machine: more ranks than that share
cores, so that their times mean nothing and only what they send is kept. All ranks transform the mesh; of the last box also fewer (kind "fewer"), down to
one. Needs numpy.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from system_files import append_record, provenance

EDGE = (18.01528 / 0.997 / 0.602214076) ** (1 / 3)  # of the cube that one water has [angstrom]
INPUT = """version: 1
system: {{topology: water.pdb, coordinates: water.pdb, forcefield: [tip3p]}}
forces: {{nonbonded: pme, cutoff: 0.9 nm, dispersion_correction: true}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 1 /ps, seed: 1}}
stages:
  - {{name: minimise, minimize: {{max_steps: 100}}}}
  - {{name: warm, time: {warm} fs}}
  - {{name: measure, time: {time} fs}}
output: {{trajectory: {{every: 0 ps}}, energies: {{every: 1 ps}}, report: false, checkpoint: {{every: 60 min}}}}
compute: {{backend: cpu, threads: 1}}
"""


def write_water(folder, counts):
    """Waters on a lattice of nx x ny x nz, turned at random."""
    rng = np.random.default_rng(7)
    half = np.radians(104.52) / 2
    shape = 0.9572 * np.array([[0, 0, 0], [np.sin(half), 0, np.cos(half)], [-np.sin(half), 0, np.cos(half)]])
    with open(os.path.join(folder, "water.pdb"), "w") as f:
        f.write("CRYST1%9.3f%9.3f%9.3f  90.00  90.00  90.00 P 1           1\n" % tuple(EDGE * n for n in counts))
        for k, cell in enumerate(np.ndindex(*counts)):
            turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
            for name, r in zip(("O", "H1", "H2"), shape @ turn.T + EDGE * (np.array(cell) + 0.5)):
                f.write("HETATM%5d  %-3s HOH A%4d    %8.3f%8.3f%8.3f  1.00  0.00          %2s\n" % ((3 * k) % 99999 + 1, name, k % 9999 + 1, *r, name[0]))
        f.write("END\n")


def halves(ranks):
    """What the program tries: all, and fewer."""
    return [] if ranks == 1 else [ranks, *halves((ranks + 1) // 2)] if ranks > 2 else [2, 1]


def run(o, folder, ranks, mesh, steps, number):
    path = os.path.join(folder, "input.yaml")
    with open(path, "w") as f:
        f.write(INPUT.format(warm=2 * (steps // 4), time=2 * steps))
    out = os.path.join(folder, f"out-{ranks}-{mesh}-{number}")
    start = (shlex.split(o.mpirun) + ["-n", str(ranks)]) if ranks > 1 else []
    done = subprocess.run([*start, o.uplift, "run", path, "--quiet", "--set", "output.directory=" + out, "--set", f"compute.mesh_ranks={mesh}"], capture_output=True, text=True)
    if done.returncode:
        return None, next((line for line in done.stderr.splitlines() if "error" in line), done.stderr)[:300]
    with open(os.path.join(out, "performance.json")) as f:
        stage = json.load(f)["stages"][-1]
    return stage, ""


def measure(o, kind, counts, wanted):
    """A record for each number of ranks, and of those that transform the mesh."""
    atoms = 3 * int(np.prod(counts))
    rows, refused = {choice: [] for choice in wanted}, {}
    with tempfile.TemporaryDirectory() as folder:
        write_water(folder, counts)
        for number in range(o.repeats):
            for ranks, mesh in wanted:
                shared = ranks > (os.cpu_count() or 1)
                if (ranks, mesh) in refused or shared and number:
                    continue
                stage, why = run(o, folder, ranks, mesh, o.steps // 8 if shared else o.steps, number)
                if stage:
                    rows[ranks, mesh].append(stage)
                else:
                    refused[ranks, mesh] = why
    for (ranks, mesh), stages in rows.items():
        record = {"kind": kind, "waters": counts, "atoms": atoms, "ranks": ranks, "mesh_ranks": mesh}
        if (ranks, mesh) in refused:
            record["refused"] = refused[ranks, mesh]
        elif ranks <= (os.cpu_count() or 1):
            per_step = [1e3 * s["seconds"] / s["steps"] for s in stages]
            record["ms_per_step"] = [round(t, 4) for t in per_step]
            middle = stages[per_step.index(statistics.median_low(per_step))]
            record["phases_ms_per_step"] = {name: round(1e3 * p["seconds"] / middle["steps"], 4) for name, p in middle["phases"].items()}
        if stages and "ranks" in stages[0]:
            record["sent"] = stages[0]["ranks"]
        print(json.dumps({k: v for k, v in record.items() if k != "phases_ms_per_step"}), flush=True)
        yield record


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--mpirun", default="mpirun --oversubscribe")
    p.add_argument("--waters", type=int, nargs="+", default=[13, 16, 20])
    p.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4, 8])
    p.add_argument("--steps", type=int, default=400)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--json", type=os.path.abspath)
    o = p.parse_args()
    rows = []
    for k in o.waters:
        rows += measure(o, "strong", (k, k, k), [(r, r) for r in o.ranks])
    rows += measure(o, "fewer", (k, k, k), [(r, mesh) for r in o.ranks for mesh in halves(r)])
    for ranks in o.ranks:
        if ranks <= (os.cpu_count() or 1):
            rows += measure(o, "weak", (o.waters[0], o.waters[0], ranks * o.waters[0]), [(ranks, ranks)])
    if o.json:
        append_record(o.json, {"system": "TIP3P water", "cutoff_nm": 0.9, "timestep_fs": 2, "steps": o.steps, "rows": rows, **provenance(o.uplift)})


if __name__ == "__main__":
    main()
