#!/usr/bin/python3
"""What output costs a run: the same steps with a frame of the trajectory, or a row of energies, every so many steps and with none, in turns.

  output_cost.py UPLIFT [--what frames|rows] [--system FOLDER] [--every 10] [--steps 1000] [--repeats 5] [--backend cpu] [--precision mixed] [--threads 2] [--json FILE]

On a GPU, DHFR: output_cost.py UPLIFT --backend cuda --system DHFR --steps 20000 --json benchmarks/results/output-cost.json

FOLDER holds system.prmtop[.gz] and system.inpcrd[.gz]; default: sdf1-tip3p of the project's inputs. Times are those of the run's own table, without
start-up. The figure is the median over the repeats of the ratio of neighbours, less one.
"""
import argparse
import os
import statistics
import tempfile

from system_files import add_run_options, append_record, provenance, timed_run



def seconds(o, folder, every):
    interval = f"{every * 0.002:.12g} ps"
    stages = [f"{{name: run, time: {o.steps * 0.002:.12g} ps}}"]
    return timed_run(o, folder, f"every-{every}", stages, **{o.what: interval})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--what", choices=["frames", "rows"], default="frames")
    p.add_argument("--every", type=int, default=10)
    p.add_argument("--steps", type=int, default=1000)
    add_run_options(p)
    o = p.parse_args()
    one = "frame" if o.what == "frames" else "row"
    ratios = []
    for k in range(o.repeats):
        with tempfile.TemporaryDirectory() as folder:
            pair = {every: seconds(o, folder, every) for every in ((0, o.every) if k % 2 else (o.every, 0))}
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
