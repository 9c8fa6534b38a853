#!/usr/bin/python3
"""`uplift benchmark` on small systems: what the table and the JSON say.

  benchmark_test.py UPLIFT
"""
import json
import math
import os
import subprocess
import sys

from checks import run_all

HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = os.path.normpath(os.path.join(HERE, "..", "..", "inputs"))
UPLIFT = os.path.abspath(sys.argv[-1])


def benchmark(scratch, *arguments, expect=0):
    file = os.path.join(scratch, "benchmark.json")
    done = subprocess.run([UPLIFT, "benchmark", *arguments, "--json", file], capture_output=True, text=True, cwd=scratch)
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    if not os.path.exists(file):
        return None, done
    with open(file) as f:
        return json.load(f), done


def a_measurement_is_whole(scratch):
    record, done = benchmark(scratch, "alanine-dipeptide-tip3p", "water-2k", "--seconds", "0.5", "--warmup", "20", "--threads", "1", "--backend", "cpu")
    for key in ("version", "command", "date", "machine", "systems"):
        assert record[key], key
    assert record["machine"]["processor"] and "alanine-dipeptide-tip3p water-2k" in record["command"]
    dipeptide, water = record["systems"]
    assert (dipeptide["name"], dipeptide["atoms"], dipeptide["copies"]) == ("alanine-dipeptide-tip3p", 2044, [1, 1, 1])
    assert water["name"] == "water-2k" and water["atoms"] == 651 * math.prod(water["copies"]) and 1300 <= water["atoms"] <= 2700, water["atoms"]
    for system in (dipeptide, water):
        windows = system["ns_per_day_windows"]
        assert len(windows) == 5 and all(math.isfinite(w) and w > 0 for w in windows), windows
        assert system["ns_per_day"] == sorted(windows)[2] and system["ns_per_day_low"] == min(windows) and system["ns_per_day_high"] == max(windows)
        assert system["timestep_fs"] == 4 and system["backend"] == "cpu" and system["precision"] == "mixed" and "1 thread" in system["device"]
        assert math.isclose(system["ms_per_step"] * system["ns_per_day"], 4e-6 * 86400 * 1e3), system["ms_per_step"]
        assert system["warmup_steps"] == 20 and system["steps_per_window"] >= 1 and system["setup_seconds"] > 0
        # A copied box has neither blown up nor frozen: five standard deviations of the temperature of 4,000 degrees of freedom are 33 K.
        assert 250 < system["temperature"] < 350, system["temperature"]
        phases = {p["name"]: p for p in system["phases"]}
        assert {"pairs", "PME FFT and solve", "constraints"} <= set(phases), sorted(phases)
        for p in phases.values():
            assert p["seconds"] >= 0 and p["calls"] > 0 and math.isfinite(p["us_per_step"]), p
        steps = 5 * system["steps_per_window"]
        assert phases["pairs"]["calls"] == steps, (phases["pairs"], steps)  # none of the warm-up, one a step
        assert sum(p["seconds"] for p in phases.values()) < 1.01 * system["seconds"]
        assert system["pme"]["order"] == 5 and len(system["pme"]["grid"]) == 3 and system["pme"]["alpha"] > 0
        assert "3.024 amu" in system["input"]
        assert f"{system['name']}" in done.stdout.splitlines()[-1 if system is water else -2]


def inputs_of_users_count_too(scratch):
    path = os.path.join(scratch, "mine.yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {INPUTS}/water-tip3p-small/system.prmtop.gz, coordinates: {INPUTS}/water-tip3p-small/system.inpcrd.gz, copies: [1, 1, 2]}}
dynamics: {{integrator: v-rescale, timestep: 1 fs}}
stages:
  - {{name: first, minimize: {{max_steps: 5}}}}
  - {{name: slow, time: 1 ps}}
  - {{name: fast, time: 1 ps, timestep: 2 fs}}
""")
    record, _ = benchmark(scratch, "mine.yaml", "--seconds", "0.2", "--threads", "2")
    (system,) = record["systems"]
    assert system["name"] == "mine.yaml" and system["atoms"] == 1302 and system["timestep_fs"] == 2, system
    assert not [name for name in os.listdir(scratch) if name not in ("mine.yaml", "benchmark.json")], os.listdir(scratch)  # no files of a run


def boosts_are_measured_or_said_to_be_left_out(scratch):
    explicit = "dihedral: {threshold: 70 kJ/mol, alpha: 9 kJ/mol}"
    for parameters, boost, said in ((explicit, True, "with the boost of stage boosted\n"), ("from: before", False, "without the boost of stage boosted, whose parameters come from stage before")):
        with open(os.path.join(scratch, "mine.yaml"), "w") as f:
            f.write(f"""version: 1
system: {{topology: {INPUTS}/alanine-dipeptide-vacuum/system.prmtop, coordinates: {INPUTS}/alanine-dipeptide-vacuum/system.inpcrd}}
forces: {{nonbonded: no-cutoff}}
stages:
  - {{name: before, time: 1 ps, collect: energies}}
  - {{name: boosted, time: 1 ps, bias: {{method: amd, boost: dihedral, parameters: {{{parameters}}}}}}}
""")
        record, done = benchmark(scratch, "mine.yaml", "--seconds", "0.1", "--threads", "1")
        (system,) = record["systems"]
        assert system["boost"] is boost and said in done.stdout, done.stdout
        assert any("bias" in p["name"] or "boost" in p["name"] for p in system["phases"]) is boost, system["phases"]


def slips_are_told_before_anything_is_measured(scratch):
    _, done = benchmark(scratch, "water-24k", "water-24kk", expect=2)
    assert "water-24kk" in done.stderr and "alanine-dipeptide-tip3p" in done.stderr and "water-N" in done.stderr, done.stderr
    assert not done.stdout, done.stdout
    _, done = benchmark(scratch, "nowhere.yaml", expect=2)
    assert "nowhere.yaml" in done.stderr, done.stderr
    _, done = benchmark(scratch, "water-2k", "--set", "forces.cutof=1 nm", expect=2)
    assert "cutoff" in done.stderr, done.stderr
    done = subprocess.run([UPLIFT, "benchmark", "water-2k", "--json", os.path.join(scratch, "no", "folder.json")], capture_output=True, text=True)
    assert done.returncode == 2 and "--json" in done.stderr, done.stderr


def one_that_fails_does_not_take_the_others_along(scratch):
    """A box that is too small for the cutoff, then one that is not."""
    record, done = benchmark(scratch, "water-tip3p-small", "water-5k", "--set", "forces.cutoff=1.2 nm", "--seconds", "0.2", expect=2)
    assert "error" in record["systems"][0] and record["systems"][1]["ns_per_day"] > 0
    assert "water-tip3p-small" in done.stderr


if __name__ == "__main__":
    run_all(a_measurement_is_whole, inputs_of_users_count_too, boosts_are_measured_or_said_to_be_left_out, slips_are_told_before_anything_is_measured,
            one_that_fails_does_not_take_the_others_along)
