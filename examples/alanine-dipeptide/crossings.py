#!/usr/bin/python3
"""How often phi crosses its barrier in vacuum under aMD, and without a boost in the same simulated time.

  crossings.py UPLIFT [--seeds 6] [--jobs 2] [--folder against-truth] [--json FILE]

Runs vacuum-amd.yaml as it stands and with its bias taken out, once for every seed (what is finished in FOLDER, by against_truth.py or
before, is not run again), and counts transitions. Where the plain runs have few, the ratio is given as its lower limit at 95 %
confidence, for counts of Poisson's kind. Needs h5py, numpy, scipy.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess

from scipy.stats import beta

from against_truth import HERE, append_record, provenance, transitions


def run(uplift, folder, method, seed):
    out = os.path.join(folder, f"{method}-{seed}")
    with open(os.path.join(HERE, "vacuum-amd.yaml")) as f:
        lines = f.read().replace("../../inputs", os.path.join(HERE, "..", "..", "inputs")).splitlines(True)
    path = out + ".yaml"
    with open(path, "w") as f:
        f.writelines(line for line in lines if method == "amd" or not line.lstrip().startswith("bias:"))
    subprocess.run([uplift, "run", path, "--quiet", "--resume", "--set", f"dynamics.seed={seed}", "--set", f"output.directory={out}"], check=True)
    return out


def nanoseconds(folder):
    """Simulated time of the last stage."""
    with open(os.path.join(folder, "stages.json")) as f:
        stage = json.load(f)["stages"][-1]
    return (stage["last_step"] - stage["first_step"]) * stage["timestep"] / 1000


def least_ratio(boosted, plain):
    """Lower limit at 95 % of the ratio of two rates over the same time, given their counts: a binomial in boosted + plain."""
    if boosted == 0:
        return 0.0  # nothing was seen, and no limit follows from it
    share = beta.ppf(0.05, boosted, plain + 1)
    return share / (1 - share)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("uplift", type=os.path.abspath)
    p.add_argument("--seeds", type=int, default=6)
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--folder", type=os.path.abspath, default=os.path.join(HERE, "against-truth"))
    p.add_argument("--json", type=os.path.abspath)
    o = p.parse_args()
    os.makedirs(o.folder, exist_ok=True)
    cases = [(m, s) for s in range(1, o.seeds + 1) for m in ("plain", "amd")]
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        folders = list(pool.map(lambda case: run(o.uplift, o.folder, *case), cases))
    counts = {m: [transitions([f]) for f, (method, _) in zip(folders, cases) if method == m] for m in ("plain", "amd")}
    times = sorted({round(nanoseconds(f), 3) for f in folders})
    result = {"transitions": counts, "ns_each": times[0] if len(times) == 1 else times, "ratio_at_least_95": round(least_ratio(sum(counts["amd"]), sum(counts["plain"])), 1)}
    print(json.dumps(result))
    if o.json:
        append_record(o.json, {"system": "alanine-dipeptide-vacuum", **result, **provenance(o.uplift)})


if __name__ == "__main__":
    main()
