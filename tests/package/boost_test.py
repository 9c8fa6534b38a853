#!/usr/bin/python3
"""Accelerated dynamics as a user runs it: the whole protocol from one input, what it writes, interruptions, and reweighting as others do it.

  boost_test.py UPLIFT      exit status 77 (skip) when h5py is missing
"""
import json
import math
import os
import re
import subprocess

from checks import INPUTS, UPLIFT, run_all, uplift
from hdf5 import h5py, np

HERE = os.path.dirname(os.path.abspath(__file__))
KT = 0.00831446261815324 * 300
KCAL = 4.184
PHI, PSI = "phi=dihedral(4,6,8,14)", "psi=dihedral(6,8,14,16)"


def write(folder, name, stages, extra="", every="0.1 ps", energies="0.1 ps"):
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
title: {name}
system: {{topology: {INPUTS}/alanine-dipeptide-vacuum/system.prmtop, coordinates: {INPUTS}/alanine-dipeptide-vacuum/system.inpcrd}}
forces: {{nonbonded: no-cutoff}}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 2 /ps, seed: 11}}
stages:
{stages}
{extra}
output: {{trajectory: {{every: {every}}}, energies: {{every: {energies}}}, report: false}}
""")
    return path


def run(path, *options, expect=0):
    return path[: -len(".yaml")], uplift("run", path, "--quiet", *options, expect=expect)


def positions(folder):
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        return f["particles/trajectory/position/step"][:], f["particles/trajectory/position/value"][:]


def text(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


PROTOCOL = """  - {name: minimize, minimize: {max_steps: 50}}
  - {name: baseline, time: 4 ps, collect: energies}
  - {name: accelerate, time: 20 ps, bias: {method: amd, boost: dual, parameters: {from: baseline, rule: deviations, k: 3}}}"""


def the_protocol_writes_what_it_promises(scratch):
    surface = f'free_energy:\n  - {{name: pmf, variables: ["{PHI}"], method: cumulant, bins: [12], bootstrap: 20, cutoff: 1}}'
    folder, _ = run(write(scratch, "protocol", PROTOCOL, surface))
    stages = json.loads(text(folder, "stages.json"))["stages"]
    assert [s["name"] for s in stages] == ["baseline", "accelerate"] and stages[0]["bias"] is None
    assert (stages[1]["first_step"], stages[1]["last_step"]) == (2000, 12000)
    bias = stages[1]["bias"]
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        b = {k: f["bias"][k][:] for k in f["bias"]}
        step, potential, dihedral = f["step"][:], f["potential"][:], f["dihedral"][:]
        assert np.allclose(f["total"][:], potential + b["boost_dihedral"] + b["boost_total"] + f["kinetic"][:], atol=1e-9)
    plain = step <= 2000
    assert np.all(b["boost_total"][plain] == 0) and np.all(b["factor_total"][plain] == 1) and b["boost_dihedral"][~plain].max() > 1
    assert np.allclose(b["dihedral_energy"], dihedral, atol=1e-6) and np.allclose(b["total_energy"], potential, atol=1e-6)
    boost = lambda v, p: np.where(v < p["threshold"], (p["threshold"] - v) ** 2 / (p["alpha"] + np.maximum(p["threshold"] - v, 0)), 0)
    of_dihedrals = boost(dihedral[~plain], bias["dihedral"])
    assert np.allclose(b["boost_dihedral"][~plain], of_dihedrals, atol=1e-6)
    assert np.allclose(b["boost_total"][~plain], boost(potential[~plain] + of_dihedrals, bias["total"]), atol=1e-6)
    # Amber's log: a row a frame of the biased stage, kcal/mol, in the columns that scripts take apart.
    lines = text(folder, "amd.log").splitlines()
    assert len(lines) == 3 + 200 and all(line.startswith("  #") for line in lines[:3])
    assert all(re.fullmatch(r"  [ \d]{10}[ \d]{10}( *-?\d+\.\d{12}){6}", line) and len(line) == 2 + 20 + 6 * 22 for line in lines[3:])
    log = np.array([line.split() for line in lines[3:]], dtype=float)
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        of = {k: f["observables"][k]["value"][:] for k in f["observables"]}
        assert f["observables/boost_total/step"] == f["particles/trajectory/position/step"]
        assert f["observables/boost_total/value"].attrs["unit"] == "kJ mol-1"
        accelerated = f["particles/trajectory/position/step"][:] > 2000
    for column, name in ((2, "total_energy"), (3, "dihedral_energy"), (6, "boost_total"), (7, "boost_dihedral")):
        assert np.allclose(log[:, column] * KCAL, of[name][accelerated], atol=1e-9), name
    assert np.all(log[:, 0] == 50) and np.all(log[:, 1] == np.arange(2050, 12001, 50))
    with h5py.File(os.path.join(folder, "pmf.h5")) as f:
        assert f["pmf"].shape == (12,) and np.nanmin(f["pmf"][:]) == 0 and f["counts"][:].sum() == 200
    said = subprocess.run([UPLIFT, "info", os.path.join(folder, "pmf.h5")], capture_output=True, text=True, timeout=60).stdout
    assert "free-energy surface" in said and "12 bins" in said and "frames        200" in said, said


def derived_parameters_can_be_pasted_back(scratch):
    folder, _ = run(write(scratch, "derived", PROTOCOL))
    explicit = re.search(r"the same as explicit (parameters: \{.*\}\})", text(folder, "run.log")).group(1)
    pasted, _ = run(write(scratch, "pasted", re.sub(r"parameters: \{from.*?\}", explicit, PROTOCOL)))
    for a, b in zip(positions(folder), positions(pasted)):
        assert np.array_equal(a, b), "explicit parameters are not those that were derived"


def bits_do_not_depend_on_threads_strides_or_interruptions(scratch):
    gamd = """  - {name: conventional, time: 2 ps, collect: energies}
  - {name: adapt, time: 4 ps, bias: {method: gamd, boost: dual, update_every: 0.1 ps, parameters: {from: conventional}}}
  - {name: production, time: 4 ps, bias: {method: gamd, boost: dual, parameters: {from: adapt, bound: upper}}}"""
    whole, _ = run(write(scratch, "whole", gamd), "--threads", "1")
    seldom, _ = run(write(scratch, "seldom", gamd, energies="1 ps"), "--threads", "2")
    path = write(scratch, "stopped", gamd)
    # Longer and longer, so that a busy machine comes to an end, too: how often it stops on the way is its own affair.
    limit, stops = 0.012, 0
    while True:
        done = subprocess.run([UPLIFT, "run", path, "--quiet", "--resume", "--max-time", f"{limit:.3f}s"], capture_output=True, text=True)
        assert done.returncode in (0, 3), done.stderr
        if done.returncode == 0:
            break
        limit, stops = 1.1 * limit, stops + 1
    assert stops > 0
    stopped = path[: -len(".yaml")]
    for other in (seldom, stopped):
        for a, b in zip(positions(whole), positions(other)):
            assert np.array_equal(a, b), other
        assert text(whole, "stages.json") == text(other, "stages.json") and text(whole, "amd.log") == text(other, "amd.log"), other
    assert json.loads(text(whole, "stages.json"))["stages"][1]["bias"]["updating"] is True
    refused = uplift("reweight", whole, "--stage", "adapt", "--cv", PHI, "-o", os.path.join(scratch, "no"), expect=2)
    assert "changed while it ran" in refused.stderr, refused.stderr


def single_points_have_the_boost(scratch):
    explicit = "  - {name: a, time: 1 ps, bias: {method: amd, boost: dual, convention: %s, parameters: {dihedral: {threshold: 70 kJ/mol, alpha: 9 kJ/mol}, total: {threshold: -20 kJ/mol, alpha: 15 kJ/mol}}}}"
    for convention in ("amber", "namd"):
        out = os.path.join(scratch, convention + ".json")
        uplift("energy", write(scratch, convention, explicit % convention), "--json", out, "--precision", "double")
        with open(out) as f:
            e = json.load(f)["energies"]
        boost = lambda v, threshold, alpha: (threshold - v) ** 2 / (alpha + threshold - v) if v < threshold else 0
        of_dihedrals = boost(e["dihedral"], 70, 9)
        seen = e["potential"] + of_dihedrals if convention == "amber" else e["potential"] - e["dihedral"]
        assert abs(e["boost_dihedral"] - of_dihedrals) < 1e-6 and abs(e["boost_total"] - boost(seen, -20, 15)) < 1e-6, e


def single_points_have_the_forces_of_the_stage_of_their_bias(scratch):
    """As row 0 of a run has them."""
    forces, bias = "forces: {constraints: none, implicit_solvent: {model: obc2}}", "bias: {method: amd, boost: total, parameters: {total: {threshold: 60 kJ/mol, alpha: 15 kJ/mol}}}"
    path, out = write(scratch, "own", f"  - {{name: a, time: 2 fs, {forces}, {bias}}}"), os.path.join(scratch, "own.json")
    said = uplift("energy", path, "--json", out, "--forces", os.path.join(scratch, "f.h5"), "--precision", "double").stdout
    assert "forces and bias of stage a" in said, said
    folder, _ = run(path, "--precision", "double")
    with h5py.File(os.path.join(folder, "energies.h5")) as f:
        potential, boost = f["potential"][0], f["bias/boost_total"][0]
    point = json.loads(text(out))
    assert point["stage"] == "a" and "implicit_solvent" in point["energies"], point
    assert abs(point["energies"]["potential"] - potential) < 1e-6 and abs(point["energies"]["boost_total"] - boost) < 1e-6, (point, potential, boost)
    with h5py.File(os.path.join(scratch, "f.h5")) as f:
        assert f.attrs["stage"] == "a"
    done = uplift("energy", write(scratch, "plain", f"  - {{name: a, time: 2 fs}}\n  - {{name: b, time: 2 fs, {forces}}}"), "--json", out)
    assert "stages with other forces (b)" in done.stderr and "stage" not in json.loads(text(out)), done.stderr
    done = uplift("energy", write(scratch, "same", "  - {name: a, time: 2 fs, forces: {hydrogen_mass: 3 amu}}"))
    assert "other forces" not in done.stderr, done.stderr


def frames_have_boosted_forces(scratch):
    """Those of a single point of the same positions, which the checkpoint has in double precision."""
    for name, bias in (("plain", ""), ("dual", ", bias: {method: amd, boost: dual, parameters: {dihedral: {threshold: 70 kJ/mol, alpha: 9 kJ/mol}, total: {threshold: 60 kJ/mol, alpha: 15 kJ/mol}}}")):
        path = write(scratch, name, "  - {name: a, time: 0.2 ps%s}" % bias)
        out, _ = run(path, "--set", "output.trajectory.forces=true", "--precision", "double")
        point = os.path.join(scratch, name + "-forces.h5")
        uplift("energy", path, "--precision", "double", "--forces", point, "--set", f"system.coordinates={out}/checkpoint.upc")
        with h5py.File(os.path.join(out, "trajectory.h5md")) as f, h5py.File(point) as g:
            stored, expected = f["particles/trajectory/force/value"][:], g["forces"][:]
            assert f["particles/trajectory/force/value"].attrs["unit"] == "kJ mol-1 nm-1" and stored.shape == (3, 22, 3), stored.shape
        assert np.allclose(stored[-1], expected, rtol=1e-6, atol=1e-4), np.abs(stored[-1] - expected).max()


def others_find_the_same_surface_in_weights_dat(scratch):
    """The published formulas of PyReweighting, written here in numpy on weights.dat, against uplift's own surface."""
    folder, _ = run(write(scratch, "weights", "  - {name: equilibrate, time: 2 ps}\n  - {name: accelerate, time: 1 ns, bias: {method: amd, boost: dihedral, parameters: {dihedral: {threshold: 62 kJ/mol, alpha: 20 kJ/mol}}}}"))
    stem, dat = os.path.join(scratch, "w"), os.path.join(scratch, "weights.dat")
    with h5py.File(os.path.join(folder, "trajectory.h5md")) as f:
        x = f["particles/trajectory/position/value"][:].astype(float)[f["particles/trajectory/position/step"][:] > 1000]
    b = [x[:, j] - x[:, i] for i, j in ((4, 6), (6, 8), (8, 14))]
    m, n = np.cross(b[0], b[1]), np.cross(b[1], b[2])
    phi = np.degrees(np.arctan2((np.cross(m, n) * b[1]).sum(1) / np.linalg.norm(b[1], axis=1), (m * n).sum(1)))
    bins, cutoff = 36, 20
    place = np.clip(((phi + 180) / 360 * bins).astype(int), 0, bins - 1)
    for method, order in (("exponential", 0), ("maclaurin", 10), ("cumulant", 1), ("cumulant", 2), ("cumulant", 3)):
        options = ["--order", str(order)] if order else []
        uplift("reweight", folder, "--cv", PHI, "--method", method, *options, "--bins", str(bins), "--cutoff", str(cutoff), "--bootstrap", "0", "-o", stem, "--weights", dat, "--xvg", "--force")
        w = np.loadtxt(dat)  # dV/kT, step, dV in kcal/mol
        assert w.shape == (len(phi), 3) and np.allclose(w[:, 0] * KT, w[:, 2] * KCAL, rtol=1e-6)
        beta, dv = KCAL / KT, w[:, 2]
        pmf = np.full(bins, np.nan)
        for k in range(bins):
            inside = dv[place == k]
            if len(inside) < cutoff:
                continue
            if method == "exponential":
                p = np.exp(w[:, 0][place == k]).sum()
                pmf[k] = -np.log(p)
            elif method == "maclaurin":
                pmf[k] = -np.log(sum((beta * inside) ** j / math.factorial(j) for j in range(order + 1)).sum())
            else:
                mean, square, cube = inside.mean(), (inside ** 2).mean(), (inside ** 3).mean()
                c = [beta * mean, beta ** 2 * (square - mean ** 2) / 2, beta ** 3 * (cube - 3 * square * mean + 2 * mean ** 3) / 6]
                pmf[k] = -np.log(len(inside)) - sum(c[:order])
        pmf = (pmf - np.nanmin(pmf)) * KT
        with h5py.File(stem + ".h5") as f:
            ours = f["pmf"][:]
        assert np.array_equal(np.isnan(pmf), np.isnan(ours)), method
        assert np.nanmax(np.abs(pmf - ours)) < 1e-5, (method, order, np.nanmax(np.abs(pmf - ours)))  # ten digits of weights.dat
    edges = np.loadtxt(stem + ".xvg", comments=("#", "@"))
    assert np.allclose(edges[:, 0], -180 + 10 * np.arange(bins)) and np.allclose(edges[:, 1][~np.isnan(ours)] * KCAL, ours[~np.isnan(ours)], atol=1e-5)


def several_runs_and_unbiased_ones_go_together(scratch):
    stage = "  - {name: only, time: 500 ps}"
    one, two = (run(write(scratch, name, stage), "--set", f"dynamics.seed={seed}")[0] for name, seed in (("one", 1), ("two", 2)))
    counts = []
    for runs in ([one], [two], [one, two]):
        stem = os.path.join(scratch, "plain")
        uplift("reweight", *runs, "--cv", "phi=phi(2)", PSI, "--bins", "12", "10", "--cutoff", "1", "-o", stem)
        with h5py.File(stem + ".h5") as f:
            assert f.attrs["method"] == "none" and f["pmf"].shape == (12, 10) and f["collective_variables/1"].attrs["name"] == "psi"
            counts.append(f["counts"][:])
    assert np.array_equal(counts[0] + counts[1], counts[2]) and counts[2].sum() == 2 * 5001
    for arguments, message in ((["--stage", "nowhere"], "it has only"), (["--temperature", "310K"], "only --method mbar"), (["--discard", "1 ns"], "beyond what --discard"),
                               (["--method", "magic"], "is none of"), (["--range", "1"], "LOW:HIGH")):
        done = uplift("reweight", one, "--cv", PHI, *arguments, "-o", os.path.join(scratch, "bad"), expect=2)
        assert message in done.stderr, done.stderr
    assert "no such run" in uplift("reweight", os.path.join(scratch, "nothing"), "--cv", PHI, expect=2).stderr
    assert "atoms are 0 to 21" in uplift("reweight", one, "--cv", "dihedral(1,2,3,22)", expect=2).stderr


def keys_that_decide_nothing_are_refused(scratch):
    protocol = "  - {name: b, time: 1 ps, collect: energies%s}\n  - {name: a, time: 2 ps, bias: {method: %s, boost: %s, %s}}"
    for method, boost, parameters, key in (("amd", "total", "parameters: {from: b, rule: residues, k: 3}", "k"), ("amd", "dual", "parameters: {from: b, rule: deviations, per_atom: 1 kJ/mol}", "per_atom"),
                                           ("amd", "total", "parameters: {from: b, per_residue: 9 kJ/mol}", "per_residue"), ("gamd", "total", "parameters: {from: b, sigma0_dihedral: 9 kJ/mol}", "sigma0_dihedral"),
                                           ("amd", "total", "parameters: {total: {threshold: 0 kJ/mol, alpha: 9 kJ/mol}, rule: residues}", "rule"), ("gamd", "total", "parameters: {total: {threshold: 0 kJ/mol, k: 0.01 mol/kJ}, bound: upper}", "bound")):
        said = uplift("validate", write(scratch, "idle", protocol % ("", method, boost, parameters)), expect=2).stderr
        assert f"stages.a.bias.parameters.{key}: decides nothing here" in said, said
    # What is allowed, but hardly meant.
    for more, bias, warning in ((", temperature: 400 K", "parameters: {from: b}", "dynamics.temperature: 400 K"), (", restraints: {positions: all, k: 9 kJ/mol/nm^2}", "parameters: {from: b}", "here restraints.positions: none"),
                                ("", "update_every: 10 ps, parameters: {from: b}", "never change")):
        said = uplift("validate", write(scratch, "doubt", protocol % (more, "gamd", "total", bias))).stderr
        assert "warning: stage a: " in said and warning in said, said
    assert not uplift("validate", write(scratch, "fine", protocol % ("", "gamd", "total", "parameters: {from: b, sigma0_total: 9 kJ/mol}"))).stderr


def boosts_that_make_no_sense_are_named(scratch):
    # Water has no torsions: said before anything runs, not after the baseline.
    path = write(scratch, "water", "  - {name: baseline, time: 4 fs, collect: energies}\n  - {name: accelerate, time: 2 fs, bias: {method: amd, boost: dual, parameters: {from: baseline, rule: deviations}}}")
    water = os.path.join(INPUTS, "water-tip3p-small", "system")
    with open(path) as f:
        plain = f.read()
    with open(path, "w") as f:
        f.write(re.sub("system: .*", f"system: {{topology: {water}.prmtop.gz, coordinates: {water}.inpcrd.gz}}", plain).replace("nonbonded: no-cutoff", "nonbonded: pme, cutoff: 0.8 nm"))
    for command in (["validate", path], ["run", path, "--quiet"]):
        assert "accelerate.bias.boost: the system has no torsions" in uplift(*command, expect=2).stderr
    # A threshold below every energy, and a k that turns the potential over.
    stage = "  - {name: a, time: 0.2 ps, bias: {method: %s, boost: total, parameters: {total: {threshold: %s kJ/mol, %s}}}}"
    folder, _ = run(write(scratch, "low", stage % ("amd", "-5000", "alpha: 20 kJ/mol"), energies="0.02 ps"))
    assert "stage a: the total boost never acted: no energy of 11 rows was below its threshold of -5000" in text(folder, "run.log")
    path = write(scratch, "steep", stage % ("gamd", "1000", "k: 0.1 mol/kJ"))
    subprocess.run([UPLIFT, "run", path, "--quiet"], capture_output=True)  # whether it lives is another matter
    assert re.search(r"stage a: the total boost begins with forces times -\d+, turned round", text(scratch, "steep", "run.log"))
    folder, _ = run(write(scratch, "good", stage % ("amd", "0", "alpha: 60 kJ/mol")))
    assert not re.search("never acted|begins with forces|of the forces", text(folder, "run.log"))


if __name__ == "__main__":
    run_all(keys_that_decide_nothing_are_refused, boosts_that_make_no_sense_are_named, the_protocol_writes_what_it_promises, derived_parameters_can_be_pasted_back, bits_do_not_depend_on_threads_strides_or_interruptions, single_points_have_the_boost, single_points_have_the_forces_of_the_stage_of_their_bias, frames_have_boosted_forces,
            others_find_the_same_surface_in_weights_dat, several_runs_and_unbiased_ones_go_together)
