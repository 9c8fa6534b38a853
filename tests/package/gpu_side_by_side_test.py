#!/usr/bin/python3
"""A dry run of benchmarks/gpu_side_by_side.py on the CPU, and what gpu_day.sh says where there is no GPU. Without OpenMM the script measures uplift
alone, and that is what is looked at.

  gpu_side_by_side_test.py UPLIFT
"""
import json
import math
import os
import subprocess
import sys

from checks import run_all

HERE = os.path.dirname(os.path.abspath(__file__))
BENCHMARKS = os.path.normpath(os.path.join(HERE, "..", "..", "benchmarks"))
UPLIFT = os.path.abspath(sys.argv[-1])


def has(module):
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0


def has_openmm_cpu():
    """Debian keeps the platforms of OpenMM in a package of their own."""
    found = "import openmm as o; o.Platform.loadPluginsFromDirectory(o.Platform.getDefaultPluginsDirectory()); o.Platform.getPlatformByName('CPU')"
    return subprocess.run([sys.executable, "-c", found], capture_output=True).returncode == 0


def side_by_side(scratch):
    file = os.path.join(scratch, "results", "record.json")
    done = subprocess.run([sys.executable, os.path.join(BENCHMARKS, "gpu_side_by_side.py"), UPLIFT, "--backend", "cpu", "--threads", "2", "--systems", "water-5k",
                           "--seconds", "0.2", "--repeats", "2", "--json", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(file) as f:
        record = json.load(f)
    for key in ("machine", "command", "uplift_revision", "date", "floor"):
        assert record[key], key
    (system,) = record["systems"]
    assert system["atoms"] == 5208 and system["copies"] == [2, 2, 2], system
    engines = system["engines"]
    peers = ["openmm-cpu"] if has_openmm_cpu() else []
    assert sorted(engines) == sorted(["uplift", "uplift-mts"] + peers), (sorted(engines), system["notes"])
    for name, r in engines.items():
        assert len(r["ns_per_day"]) == 2 and all(math.isfinite(v) and v > 0 for v in r["ns_per_day"]), (name, r)
        assert math.isclose(r["us_per_step"], 4e-6 * 86400e6 / r["median_ns_per_day"], rel_tol=1e-3), (name, r)
        assert r["pme"]["grid"] == [35, 35, 35] and abs(r["pme"]["alpha"] - 2.92029) < 1e-6, r["pme"]  # the same for all
        assert r["share_of_floor"] is None  # the estimate is of a GPU
    plain, mts = engines["uplift"], engines["uplift-mts"]
    assert all(r["us_per_phase"]["pairs"] > 0 and r["calls_per_step"]["pairs"] == 1 for r in (plain, mts)), (plain, mts)
    assert plain["calls_per_step"]["PME spread"] == 1 and mts["calls_per_step"]["PME spread"] == 0.5, (plain, mts)
    q = system["ratios"]["uplift-mts/uplift"]
    assert q["low"] <= q["of_medians"] * 1.5 and q["of_medians"] <= q["high"] * 1.5, q
    if has("h5py"):
        errors = [engines[n]["force_error"] for n in ["uplift"] + peers]
        # Both have the error of the mesh, and the same one: less than twice the tolerance, and alike to 2 %.
        assert all(1e-4 < e < 1e-3 for e in errors) and max(errors) < 1.02 * min(errors), errors
    else:
        assert any("force errors" in n for n in system["notes"]), system["notes"]


def no_gpu_is_said(scratch):
    empty = os.path.join(scratch, "nvidia-smi")
    with open(empty, "w") as f:
        f.write("#!/bin/sh\nexit 9\n")
    os.chmod(empty, 0o755)
    out = os.path.join(scratch, "out")
    done = subprocess.run([os.path.join(BENCHMARKS, "gpu_day.sh")], capture_output=True, text=True,
                          env={**os.environ, "PATH": scratch + ":" + os.environ["PATH"], "OUT": out})
    assert done.returncode == 77 and "no GPU" in done.stdout, (done.returncode, done.stdout, done.stderr)
    assert not os.path.exists(out)


def the_floor_goes_through_its_rows(scratch):
    sys.path.insert(0, BENCHMARKS)
    sys.dont_write_bytecode = True
    import gpu_side_by_side as script
    for atoms, microseconds in script.FLOOR:
        assert math.isclose(script.floor_microseconds(atoms), microseconds, rel_tol=1e-12)
    values = [script.floor_microseconds(n) for n in (10000, 23558, 50000, 92224, 400000, 1067095, 2000000)]
    assert values == sorted(values), values
    for wanted, expected in (("water-24k", 23436), ("water-100k", 97650), ("water-1M", 1031184), ("water-651", 651)):
        assert 651 * math.prod(script.copies_of_water(wanted, 651)) == expected, wanted
    assert [script.smooth(n) for n in (11, 13, 26, 64, 65)] == [12, 14, 27, 64, 70]


if __name__ == "__main__":
    run_all(side_by_side, no_gpu_is_said, the_floor_goes_through_its_rows)
