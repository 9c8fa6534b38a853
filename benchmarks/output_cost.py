#!/usr/bin/python3
"""What output costs a run: the same steps with a frame of the trajectory, or a row of energies, every so many steps and with none, in turns.

  output_cost.py UPLIFT [--what frames|rows] [--system FOLDER] [--every 10] [--steps 1000] [--repeats 5] [--backend cpu] [--precision mixed] [--threads 2] [--json FILE]

On a GPU, DHFR: output_cost.py UPLIFT --backend cuda --system DHFR --steps 20000 --json benchmarks/results/output-cost.json

FOLDER holds system.prmtop[.gz] and system.inpcrd[.gz]; default: sdf1-tip3p of the project's inputs. Times are those of the run's own table, without
start-up. The figure is the median over the repeats of the ratio of neighbours, less one.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

from system_files import append_record, existing, provenance

HERE = os.path.dirname(os.path.abspath(__file__))


def seconds(o, folder, name, every):
    interval = f"{every * 0.002:.12g} ps"
    frames, rows = (interval, "0 ps") if o.what == "frames" else ("0 ps", interval)
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: "{existing(o.system, 'system.prmtop')}", coordinates: "{existing(o.system, 'system.inpcrd')}"}}
forces: {{nonbonded: pme, cutoff: 0.9 nm}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 1 /ps, seed: 1}}
stages: [{{name: run, time: {o.steps * 0.002:.12g} ps}}]
output: {{trajectory: {{every: {frames}}}, energies: {{every: {rows}}}, report: false}}
compute: {{backend: {o.backend}, precision: {o.precision}, threads: {o.threads}}}
""")
    subprocess.run([o.uplift, "run", path, "--quiet"], check=True)
    with open(os.path.join(path[: -len(".yaml")], "performance.json")) as f:
        return json.load(f)["stages"][-1]["seconds"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--what", choices=["frames", "rows"], default="frames")
    p.add_argument("--system", default=os.path.join(HERE, "..", "inputs", "sdf1-tip3p"))
    p.add_argument("--every", type=int, default=10)
    p.add_argument("--steps", type=int, default=1000)
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--backend", default="cpu")
    p.add_argument("--precision", default="mixed")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--json")
    o = p.parse_args()
    one = "frame" if o.what == "frames" else "row"
    ratios = []
    for k in range(o.repeats):
        with tempfile.TemporaryDirectory() as folder:
            pair = {every: seconds(o, folder, f"every-{every}", every) for every in ((0, o.every) if k % 2 else (o.every, 0))}
        ratios.append(pair[o.every] / pair[0])
        print(f"{pair[0]:.2f} s without, {pair[o.every]:.2f} s with a {one} every {o.every} steps", flush=True)
    cost = statistics.median(ratios) - 1
    record = {"system": os.path.basename(os.path.normpath(o.system)), f"{one}_every_steps": o.every, "steps": o.steps, "backend": o.backend,
              "precision": o.precision, "threads": o.threads, "cost": round(cost, 4), "ratios": [round(r, 4) for r in ratios],
              **provenance(o.uplift)}
    print(f"a {one} every {o.every} steps costs {100 * cost:.1f} %")
    if o.json:
        append_record(o.json, record)


if __name__ == "__main__":
    main()
