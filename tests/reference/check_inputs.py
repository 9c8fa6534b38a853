#!/usr/bin/python3
"""Runs `uplift energy` on the project's own inputs and compares with data/ (made by make_reference.py with OpenMM).

  check_inputs.py UPLIFT [--precision double|mixed] [--backend cpu|cuda|simt] [--threads N] [--json FILE]

Held to: energies |E - Eref| <= e_rel max(|Eref|, 1) + e_atom * atoms; forces rms(F - Fref) / rms(Fref) <= f. In double, 1e-6 is the
promise made to users; it is bounded by the 9 digits of a prmtop and, for GB models other than OBC2, by OpenMM's own older Coulomb
constant (2e-7). In mixed precision 5e-6: both sides have the same mesh. Exit status 77 (skip) when h5py is missing.
"""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = os.path.normpath(os.path.join(HERE, "..", "..", "inputs"))
TOLERANCE = {"double": (1e-6, 1e-8, 1e-6), "mixed": (1e-5, 2e-5, 5e-6)}
SUMS = {  # OpenMM's force classes as sums of our terms
    "HarmonicBondForce": ("bond", "urey_bradley"),
    "HarmonicAngleForce": ("angle",),
    "PeriodicTorsionForce": ("dihedral",),
    "GBSAOBCForce": ("implicit_solvent",),
    "CustomGBForce": ("implicit_solvent",),
    "potential": ("potential",),
}
NONBONDED = ("lj", "lj_14", "coulomb_direct", "coulomb_reciprocal", "coulomb_14", "dispersion_correction")


def yaml_text(folder, files, block):
    lines = ["version: 1", "system:", f"  topology: {os.path.join(folder, files['topology'])}",
             f"  coordinates: {os.path.join(folder, files['coordinates'])}", "forces:", "  constraints: none", "  rigid_water: false"]
    return "\n".join(lines + [f"  {k}: {json.dumps(v)}" for k, v in block.items()]) + "\n"


def compare(record, setting, uplift, precision, backend, threads, scratch, h5, rows):
    block = record["settings"][setting]["forces"]
    base = os.path.join(scratch, record["system"] + "." + setting)
    with open(base + ".yaml", "w") as f:
        f.write(yaml_text(os.path.join(INPUTS, record["system"]), record["files"], block))
    command = [uplift, "energy", base + ".yaml", "--json", base + ".json", "--forces", base + ".h5", "--precision", precision,
               "--backend", backend]
    if threads:
        command += ["--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print(f"{record['system']:28}{setting:18}FAILS: {done.stderr.strip()}", flush=True)
        return False
    with open(base + ".json") as f:
        ours = json.load(f)["energies"]
    with h5py.File(base + ".h5") as f:
        forces = f["forces"][:]
    e_rel, e_atom, f_limit = TOLERANCE[precision]
    failures = []
    for term, expected in record["settings"][setting]["energies"].items():
        parts = NONBONDED if term == "NonbondedForce" else SUMS[term]
        if term == "NonbondedForce" and "pme" in block:
            continue  # OpenMM's own term lacks the background of a charged cell; the potential has it
        got = sum(ours.get(p, 0.0) for p in parts)
        limit = e_rel * max(abs(expected), 1.0) + e_atom * record["atoms"]
        if not abs(got - expected) <= limit:
            failures.append(f"{term} {got} for {expected} (limit {limit:.2g})")
    reference = h5["forces/" + setting][:]
    error = np.sqrt(np.mean((forces - reference) ** 2) / np.mean(reference**2))
    if not error <= f_limit:
        failures.append(f"force error {error:.2e}")
    rows.append({"system": record["system"], "setting": setting, "atoms": record["atoms"], "precision": precision,
                 "rms_force_error": float(f"{error:.2e}"), "holds": not failures})
    print(f"{record['system']:28}{setting:18}force error {error:8.1e}  {'ok' if not failures else 'FAILS: ' + '; '.join(failures)}", flush=True)
    return not failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uplift")
    parser.add_argument("--precision", choices=sorted(TOLERANCE), default="double")
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", help="the errors as a file, for benchmarks/results/forces-PRECISION.json")
    a = parser.parse_args()
    good = compared = 0
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for file in sorted(os.listdir(os.path.join(HERE, "data"))):
            if not file.endswith(".json"):
                continue
            with open(os.path.join(HERE, "data", file)) as f:
                record = json.load(f)
            with h5py.File(os.path.join(HERE, "data", record["system"] + ".h5")) as h5:
                for setting in record["settings"]:
                    compared += 1
                    good += compare(record, setting, a.uplift, a.precision, a.backend, a.threads, scratch, h5, rows)
    print(f"{good} of {compared} hold ({a.precision}, {a.backend})")
    if a.json:
        version = subprocess.run([a.uplift, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        record = {"command": " ".join(["tests/reference/check_inputs.py", "UPLIFT", *sys.argv[2:]]), "date": datetime.date.today().isoformat(),
                  "machine": platform.platform(), "uplift": version, "backend": a.backend, "precision": a.precision,
                  "reference": "OpenMM, double precision (tests/reference/make_reference.py)", "rows": rows}
        with open(a.json, "w") as f:
            json.dump(record, f, indent=1)
            f.write("\n")
    return 0 if compared and good == compared else 1


if __name__ == "__main__":
    sys.exit(main())
