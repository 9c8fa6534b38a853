#!/usr/bin/python3
"""Several replicas of a small system in one process against as many runs one after another, with the same number of threads, in turns.

  replicas.py UPLIFT [--system FOLDER] [--replicas 8] [--picoseconds 4] [--repeats 5] [--threads N] [--backend cpu] [--precision mixed] [--json FILE]

FOLDER holds system.prmtop[.gz] and system.inpcrd[.gz]; default: alanine dipeptide in water of the project's inputs (2,044 atoms, PME, 2 fs). Each side is timed from the start of
the first program to the end of the last one, and, for the aggregate without start-up, by the tables that runs write. On a GPU:

  replicas.py UPLIFT --backend cuda --picoseconds 400 --json results/replica-throughput-gpu.json
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time

from system_files import append_record, existing, provenance

HERE = os.path.dirname(os.path.abspath(__file__))


def write_input(o, folder):
    path = os.path.join(folder, "run.yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: "{existing(o.system, 'system.prmtop')}", coordinates: "{existing(o.system, 'system.inpcrd')}"}}
forces: {{nonbonded: pme, cutoff: 0.9 nm}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 1 /ps, seed: 1}}
stages: [{{name: run, time: {o.picoseconds:.12g} ps}}]
output: {{trajectory: {{every: 2 ps}}, energies: {{every: 0.2 ps}}, report: false}}
compute: {{backend: {o.backend}, precision: {o.precision}, threads: {o.threads}, replicas: {o.replicas}}}
""")
    return path


def processor_seconds():
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


def together(o, folder):
    path = write_input(o, folder)
    began, used = time.time(), processor_seconds()
    subprocess.run([o.uplift, "run", path, "--quiet"], check=True)
    wall = time.time() - began
    with open(os.path.join(path[: -len(".yaml")], "performance.json")) as f:
        return wall, json.load(f)["seconds"], processor_seconds() - used


def one_after_another(o, folder):
    path, inside = write_input(o, folder), 0
    began, used = time.time(), processor_seconds()
    for k in range(o.replicas):
        run = os.path.join(folder, f"alone{k}")
        subprocess.run([o.uplift, "run", path, "--quiet", "--set", "compute.replicas=1", "--set", f"dynamics.seed={k + 1}", "--set", f"output.directory={run}"], check=True)
        with open(os.path.join(run, "performance.json")) as f:
            inside += json.load(f)["stages"][-1]["seconds"]
    return time.time() - began, inside, processor_seconds() - used


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--system", default=os.path.join(HERE, "..", "inputs", "alanine-dipeptide-tip3p"))
    p.add_argument("--replicas", type=int, default=8)
    p.add_argument("--picoseconds", type=float, default=4)
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--backend", default="cpu")
    p.add_argument("--precision", default="mixed")
    p.add_argument("--json")
    o = p.parse_args()
    sides = {"together": [], "one after another": []}
    for k in range(o.repeats):
        order = [("together", together), ("one after another", one_after_another)]
        for name, measure in order if k % 2 == 0 else order[::-1]:
            with tempfile.TemporaryDirectory() as folder:
                sides[name].append(measure(o, folder))
            print(f"{name}: {sides[name][-1][0]:.2f} s, {sides[name][-1][1]:.2f} s without start-up, {sides[name][-1][2]:.2f} s of processor time", flush=True)
    pairs = list(zip(sides["one after another"], sides["together"]))
    whole, inside, used = ([a[k] / b[k] for a, b in pairs] for k in range(3))
    speed = o.replicas * o.picoseconds * 1e-3 * 86400
    record = {"system": os.path.basename(os.path.normpath(o.system)), "replicas": o.replicas, "picoseconds": o.picoseconds, "backend": o.backend, "precision": o.precision,
              "threads": o.threads, "ratio": round(statistics.median(whole), 3), "ratios": [round(r, 3) for r in whole],
              "ratio_without_start_up": round(statistics.median(inside), 3), "ratios_without_start_up": [round(r, 3) for r in inside],
              "processor_time_ratio": round(statistics.median(used), 3), "processor_time_ratios": [round(r, 3) for r in used],
              "ns_per_day_together": round(speed / statistics.median(b[0] for b in sides["together"]), 2),
              "ns_per_day_one_after_another": round(speed / statistics.median(a[0] for a in sides["one after another"]), 2)}
    print(f"{o.replicas} replicas in one process are {record['ratio']:.2f} times as fast as one after another ({min(whole):.2f} to {max(whole):.2f}); "
          f"without start-up {record['ratio_without_start_up']:.2f} times; "
          f"one after another takes {record['processor_time_ratio']:.2f} times the processor time")
    if o.json:
        append_record(o.json, {**record, **provenance(o.uplift)})


if __name__ == "__main__":
    main()
