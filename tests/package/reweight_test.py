#!/usr/bin/python3
"""`uplift reweight` on frames whose answer is known, and on runs as they should not be.

  reweight_test.py UPLIFT      exit status 77 (skip) when h5py is missing

Frames of models are put into the files of a short real run: what is tested is all that users see, the reading of files included.
"""
import itertools
import json
import os
import shutil
import subprocess

from checks import UPLIFT, run_all, uplift
from hdf5 import h5py, np

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
INPUT = os.path.join(ROOT, "inputs", "alanine-dipeptide-vacuum", "system")
R = 0.00831446261815324
STRIDE = 50
SEEDS = itertools.count()
DISTANCE = "d=distance(0,1)"
HEAD = f"""version: 1
system: {{topology: {INPUT}.prmtop, coordinates: {INPUT}.inpcrd}}
forces: {{nonbonded: no-cutoff}}
dynamics: {{timestep: 1 fs, temperature: 300 K}}
stages:
"""


def skeleton(scratch):
    """Files of a run of one frame, for frames of others."""
    path = os.path.join(scratch, "skeleton.yaml")
    if not os.path.exists(path):
        with open(path, "w") as f:
            f.write(f"""{HEAD}  - {{name: a, time: 1 fs}}
output: {{trajectory: {{every: 1 fs}}, energies: {{every: 1 fs}}, report: false}}
""")
        uplift("run", path, "--quiet")
    return os.path.join(scratch, "skeleton", "trajectory.h5md")


def stage_entry(name, frames, bias=None, temperature=300.0, **more):
    return {"name": name, "first_step": 0, "last_step": frames * STRIDE, "timestep": 0.002, "temperature": float(temperature), "bias": bias, **more}


def make_run(scratch, name, x, observed=None, table=None, stages=None, edges=None):
    """`observed`: boost_dihedral, boost_total, dihedral_energy, total_energy of each frame; `table`: columns of energies.h5."""
    folder = os.path.join(scratch, name)
    os.makedirs(folder)
    n = len(x)
    steps = np.arange(n) * STRIDE
    with h5py.File(skeleton(scratch)) as old, h5py.File(os.path.join(folder, "trajectory.h5md"), "w") as new:
        for part in ("h5md", "parameters", "connectivity"):
            old.copy(part, new)
        position = new.create_group("particles/trajectory/position")
        position["value"], position["step"] = np.asarray(x, dtype=np.float32), steps
        if edges is not None:
            new["particles/trajectory/box/edges/value"] = edges
        for key, values in (observed or {}).items():
            new[f"observables/{key}/value"] = np.broadcast_to(np.asarray(values, dtype=float), (n,))
    if table is not None:
        with h5py.File(os.path.join(folder, "energies.h5"), "w") as f:
            f["step"] = steps
            for key, values in table.items():
                f[key] = np.broadcast_to(np.asarray(values, dtype=float), (n,))
    with open(os.path.join(folder, "stages.json"), "w") as f:
        json.dump({"version": 1, "stages": stages or [stage_entry("a", n)]}, f)
    return folder


def at_distance(d):
    """Frames whose atoms 0 and 1 are d [nm] apart; others are anywhere, and elsewhere at each call."""
    x = np.random.default_rng(next(SEEDS)).random((len(d), 22, 3))
    x[:, :2] = 0
    x[:, 1, 0] = d
    return x


def at_dihedral(phi):
    """Frames whose dihedral(4,6,8,14) is phi [degrees]."""
    x = np.random.default_rng(2).random((len(phi), 22, 3))
    angle = np.radians(phi)
    x[:, 4], x[:, 6], x[:, 8] = [-0.05, 0.14, 0], [0, 0, 0], [0.15, 0, 0]
    x[:, 14, 0], x[:, 14, 1], x[:, 14, 2] = 0.2, 0.14 * np.cos(angle), 0.14 * np.sin(angle)
    return x


def surface(stem):
    with h5py.File(stem + ".h5") as f:
        return {k: f[k][:] for k in ("pmf", "error", "counts")} | {"edges": f["collective_variables/0/edges"][:], "warnings": f.attrs["warnings"], "stages": f.attrs["stages"]}


# ---- mbar, against an implementation of its own -----------------------------------------------------------------------------


def dihedral_energy(d):
    return 10000 * (d - 0.5) ** 2 + 3 * np.cos(40 * d) + 3


def amd(v, threshold, alpha):
    below = np.maximum(threshold - v, 0)
    return below**2 / (alpha + below)


def draw(energy, temperature, n, seed):
    grid = np.linspace(0.3, 0.7, 100001)
    v = energy(grid)
    total = np.cumsum(np.exp(-(v - v.min()) / (R * temperature)))
    return np.interp(np.random.default_rng(seed).random(n), total / total[-1], grid)


def solve_mbar(u, counts):
    """u [states][frames] in kT; free energies of the states by the self-consistent equations."""
    f = np.zeros(len(u))
    for _ in range(5000):
        mixture = np.log((counts[:, None] * np.exp(f[:, None] - u)).sum(0))
        new = -np.log(np.exp(-u - mixture).sum(1))
        new -= new[0]
        if np.abs(new - f).max() < 1e-12:
            return mixture
        f = new
    raise AssertionError("no convergence")


def pmf_of(d, weights, edges, temperature=300):
    p = np.histogram(d, bins=edges, weights=weights)[0]
    with np.errstate(divide="ignore"):
        pmf = -R * temperature * np.log(p)
    return pmf - pmf.min()


BIN = ["--cv", DISTANCE, "--bins", "24", "--range", "0.46:0.54", "--cutoff", "5", "--bootstrap", "5"]
BIASES = [None, (12.0, 4.0), (25.0, 8.0)]


def biased_runs(scratch):
    runs, all_d = [], []
    for k, (bias, n) in enumerate(zip(BIASES, (1500, 2500, 2000))):
        boost = (lambda v: 0 * v) if bias is None else (lambda v: amd(v, *bias))
        d = draw(lambda x: dihedral_energy(x) + boost(dihedral_energy(x)), 300, n, k).astype(np.float32).astype(float)
        v = dihedral_energy(d)
        entry = bias and {"method": "amd", "boost": "dihedral", "convention": "amber", "dihedral": {"threshold": bias[0], "alpha": bias[1]}}
        observed = {"boost_dihedral": boost(v), "boost_total": 0, "dihedral_energy": v, "total_energy": v - 7} if bias else None
        runs.append(make_run(scratch, f"run{k}", at_distance(d), observed, {"dihedral": v, "potential": v - 7} if not bias else None, [stage_entry("a", n, entry)]))
        all_d.append(d)
    return runs, all_d


def plain_and_boosted_runs_go_together(scratch):
    """A run without a bias stores no energies with its frames: they come from energies.h5, or it is refused."""
    runs, all_d = biased_runs(scratch)
    stem = os.path.join(scratch, "pmf")
    uplift("reweight", *runs, *BIN, "-o", stem)
    s, d = surface(stem), np.concatenate(all_d)
    v = dihedral_energy(d)
    u = np.array([0 * v if bias is None else amd(v, *bias) for bias in BIASES]) / (R * 300)
    mixture = solve_mbar(u, np.array([len(x) for x in all_d], dtype=float))
    assert np.abs(pmf_of(d, np.exp(-mixture), s["edges"]) - s["pmf"]).max() < 1e-5
    os.remove(os.path.join(runs[0], "energies.h5"))
    assert "has no potential and dihedral energy" in uplift("reweight", *runs, *BIN, "-o", stem, expect=2).stderr
    uplift("reweight", *runs[1:], *BIN, "-o", stem)
    assert "for one bias" in uplift("reweight", *runs[1:], *BIN, "-o", stem, "--weights", stem + ".dat", expect=2).stderr


def mbar_takes_frames_to_another_temperature(scratch):
    d = draw(dihedral_energy, 300, 4000, 7).astype(np.float32).astype(float)
    v, stem = dihedral_energy(d), os.path.join(scratch, "pmf")
    run = make_run(scratch, "run", at_distance(d), table={"dihedral": v, "potential": v})
    uplift("reweight", run, *BIN, "--method", "mbar", "--temperature", "330 K", "-o", stem)
    s = surface(stem)
    differences = np.abs(pmf_of(d, np.exp(v / (R * 300) - v / (R * 330)), s["edges"], 330) - s["pmf"])[s["counts"] >= 5]
    assert len(differences) > 15 and differences.max() < 1e-5
    weights = os.path.join(scratch, "weights.dat")
    assert "boosts alone" in uplift("reweight", run, *BIN, "--method", "mbar", "--temperature", "330 K", "--weights", weights, "-o", stem, expect=2).stderr
    assert not os.path.exists(weights)
    os.remove(os.path.join(run, "energies.h5"))  # once the frames were taken as they are
    assert "has no potential" in uplift("reweight", run, *BIN, "--method", "mbar", "--temperature", "330 K", "-o", stem, expect=2).stderr


def volumes_weigh_at_any_pressure(scratch):
    """Under tension, too, and a pressure of nothing is one."""
    d, stem = draw(dihedral_energy, 300, 4000, 12).astype(np.float32).astype(float), os.path.join(scratch, "pmf")
    v, volume = dihedral_energy(d), 27 + 40 * (d - 0.5)
    edges = np.cbrt(volume)[:, None, None] * np.eye(3)
    for pressure in (-400.0, 0.0, 400.0):
        run = make_run(scratch, f"at{pressure:g}", at_distance(d), table={"dihedral": v, "potential": v}, stages=[stage_entry("a", 4000, pressure=pressure)], edges=edges)
        uplift("reweight", run, *BIN, "--method", "mbar", "--temperature", "330 K", "-o", stem)
        s, enthalpy = surface(stem), v + pressure / 16.605390671738466 * volume
        differences = np.abs(pmf_of(d, np.exp(enthalpy / (R * 300) - enthalpy / (R * 330)), s["edges"], 330) - s["pmf"])[s["counts"] >= 5]
        assert len(differences) > 15 and differences.max() < 1e-5, (pressure, differences.max())
    for a, b in (("-400", "400"), ("-400", "0")):
        said = uplift("reweight", *(os.path.join(scratch, f"at{p}") for p in (a, b)), *BIN, "-o", stem, expect=2).stderr
        assert f"at {a} and at {b} bar" in said, said


def surfaces_are_at_the_temperature_of_the_last_stage(scratch):
    """Annealing comes first, and nobody wants a surface at its temperature."""
    d = np.concatenate([draw(dihedral_energy, t, 1000, 8) for t in (330, 300)])
    v, stem = dihedral_energy(d), os.path.join(scratch, "pmf")
    hot, cold = stage_entry("anneal", 1000, temperature=330), stage_entry("production", 2000)
    cold["first_step"] = hot["last_step"]
    run = make_run(scratch, "run", at_distance(d), table={"dihedral": v, "potential": v}, stages=[hot, cold])
    assert "at 300 K" in uplift("reweight", run, *BIN, "-o", stem).stdout
    assert "at 300 K" in uplift("reweight", run, *BIN, "--stage", "production", "--stage", "anneal", "-o", stem).stdout
    assert "at 310 K" in uplift("reweight", run, *BIN, "--temperature", "310 K", "-o", stem).stdout


def states_apart_are_refused_and_soon(scratch):
    """A bias and a run without whose frames have nothing in common: nothing says how they weigh against each other."""
    d = np.linspace(0.46, 0.475, 2000)
    v = 60000 * (d - 0.46)
    bias = {"method": "amd", "boost": "dihedral", "convention": "amber", "dihedral": {"threshold": 4000.0, "alpha": 10.0}}
    boosted = make_run(scratch, "boosted", at_distance(d), {"boost_dihedral": amd(v, 4000.0, 10.0), "boost_total": 0, "dihedral_energy": v, "total_energy": v}, stages=[stage_entry("a", 2000, bias)])
    high = np.linspace(4100, 4200, 2000)
    plain = make_run(scratch, "plain", at_distance(d), table={"dihedral": high, "potential": high})
    done = subprocess.run([UPLIFT, "reweight", plain, boosted, *BIN, "-o", os.path.join(scratch, "pmf")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "hardly overlap" in done.stderr, done.stderr


# ---- ranges of angles, defaults ---------------------------------------------------------------------------------------------


def ranges_of_angles_go_across_180_degrees(scratch):
    phi = (np.degrees(np.random.default_rng(4).vonmises(np.pi, 2, 3000)) + 180) % 360 - 180
    run, stem = make_run(scratch, "run", at_dihedral(phi)), os.path.join(scratch, "pmf")
    with h5py.File(os.path.join(run, "trajectory.h5md")) as f:
        x = f["particles/trajectory/position/value"][:].astype(float)
    b = [x[:, j] - x[:, i] for i, j in ((4, 6), (6, 8), (8, 14))]
    m, n = np.cross(b[0], b[1]), np.cross(b[1], b[2])
    phi = np.degrees(np.arctan2((np.cross(m, n) * b[1]).sum(1) / np.linalg.norm(b[1], axis=1), (m * n).sum(1)))
    for low, high in ((100, 260), (-260, -100), (170, 190), (-90, 270)):
        said = uplift("reweight", run, "--cv", "phi=dihedral(4,6,8,14)", "--bins", "8", f"--range={low}:{high}", "--cutoff", "1", "--bootstrap", "0", "-o", stem).stdout
        inside = (phi - low) % 360 + low
        counts = np.histogram(inside, bins=8, range=(low, high))[0]
        assert np.array_equal(surface(stem)["counts"], counts), (low, high, counts)
        assert counts.sum() == len(phi) or f"{len(phi) - counts.sum()} frames" in said, said
    assert "more than a whole turn" in uplift("reweight", run, "--cv", "phi=dihedral(4,6,8,14)", "--range=-180:540", "-o", stem, expect=2).stderr


def equilibration_is_not_taken_for_production(scratch):
    """By default, of a run without a bias: no stage with restraints or a changing temperature, if there is another."""
    d = draw(dihedral_energy, 300, 3000, 8)
    n = len(d)
    thirds = [{**stage_entry(name, n, **more), "first_step": k * n // 3 * STRIDE, "last_step": (k + 1) * n // 3 * STRIDE} for k, (name, more) in enumerate((("heat", {"ramp": True}), ("settle", {"restraints": True}), ("produce", {})))]
    run, stem = make_run(scratch, "run", at_distance(d), stages=thirds), os.path.join(scratch, "pmf")
    uplift("reweight", run, *BIN, "-o", stem)
    assert surface(stem)["stages"] == "produce" and surface(stem)["counts"].sum() <= n // 3
    for name, warning in (("heat", "temperature changed"), ("settle", "restraints")):
        assert warning in uplift("reweight", run, "--stage", name, *BIN, "-o", stem).stderr
    for k, pressure in enumerate((1.0, 500.0)):
        make_run(scratch, f"pressure{k}", at_distance(d), stages=[stage_entry("a", n, pressure=pressure)])
    assert "500 bar" in uplift("reweight", *(os.path.join(scratch, f"pressure{k}") for k in (0, 1)), *BIN, "-o", stem, expect=2).stderr


def what_is_of_two_ensembles_is_said(scratch):
    """Another potential, volumes that are free in one stage only, no thermostat."""
    d, stem = draw(dihedral_energy, 300, 500, 11), os.path.join(scratch, "pmf")
    entry = lambda **more: [stage_entry("a", len(d), **more)]
    make = lambda name, **more: make_run(scratch, name, at_distance(d), stages=entry(**more))
    vacuum, solvent, boxed = make("vacuum", potential="no cutoff"), make("solvent", potential="no cutoff, obc2"), make("boxed", potential="no cutoff", pressure=1.0)
    assert uplift("reweight", vacuum, *BIN, "-o", stem).stderr == ""
    said = uplift("reweight", vacuum, solvent, *BIN, "-o", stem).stderr
    assert "the potential of these stages differs (no cutoff; no cutoff, obc2)" in said, said
    said = uplift("reweight", vacuum, boxed, *BIN, "-o", stem).stderr
    assert "at constant pressure, others at constant volume" in said and "potential" not in said, said
    for edge, told in ((3.02, False), (3.1, True)):
        runs = [make_run(scratch, f"edge{edge}{k}", at_distance(d), stages=entry(), edges=np.tile((length * np.eye(3)).ravel(), (len(d), 1))) for k, length in enumerate((3.0, edge))]
        assert ("at constant volumes which differ by 10 % (27 and 29.79 nm^3)" in uplift("reweight", *runs, *BIN, "-o", stem).stderr) == told, edge
    one, other = ({"charges": 1, "angles": angles} for angles in (5, 6))
    said = uplift("reweight", make("one", parameters=one), make("other", parameters=other), vacuum, *BIN, "-o", stem).stderr
    assert "the force fields of these runs differ (angles)" in said, said
    for noise, same in ((5, True), (6, False)):
        said = uplift("reweight", make(f"five{noise}", noise=5), make(f"noise{noise}", noise=noise), *BIN, "-o", stem).stderr
        assert ("the same seed (5)" in said) == same, said
    free = make("free", constant_energy=True)
    assert "had no thermostat; give --temperature" in uplift("reweight", free, *BIN, "-o", stem, expect=2).stderr
    assert "had no thermostat" in uplift("reweight", free, *BIN, "--temperature", "290 K", "-o", stem).stderr
    with h5py.File(stem + ".h5") as f:
        assert abs(f.attrs["temperature"] - 290) < 1e-9


def stages_say_what_reweighting_needs_of_them(scratch):
    path = os.path.join(scratch, "run.yaml")
    with open(path, "w") as f:
        f.write(f"""{HEAD}  - {{name: long, time: 100 ns}}
  - {{name: solvent, time: 2 fs, forces: {{implicit_solvent: {{model: gbn2}}}}}}
  - {{name: free, time: 2 fs, integrator: verlet}}
output: {{trajectory: {{every: 1 ps}}, energies: {{every: 1 ps}}, report: false}}
""")
    uplift("run", path, "--quiet", "--max-time", "2s", expect=3)
    uplift("run", path, "--quiet", "--resume", "--set", "stages.long.time=1 fs")
    with open(os.path.join(scratch, "run", "stages.json")) as f:
        long, solvent, free = json.load(f)["stages"]
    assert long["last_step"] == solvent["first_step"] > 1, long  # none of what was there is taken back
    assert long["potential"] == free["potential"] == "no cutoff" and "gbn2" in solvent["potential"], (long, solvent)
    assert long["parameters"] == free["parameters"] and "charges" in free["parameters"] and "masses" not in free["parameters"], free
    assert free["constant_energy"] is True and "constant_energy" not in solvent, free
    assert long["noise"] == 2026 and "noise" not in free, long


# ---- what is wrong with files -----------------------------------------------------------------------------------------------


def damaged_and_doubled_runs_are_refused(scratch):
    d, stem = draw(dihedral_energy, 300, 500, 9), os.path.join(scratch, "pmf")
    run = make_run(scratch, "run", at_distance(d))
    for again in (run, run + os.sep, os.path.join(run, "trajectory.h5md")):
        assert "named twice" in uplift("reweight", run, again, *BIN, "-o", stem, expect=2).stderr
    copy = os.path.join(scratch, "copy")
    shutil.copytree(run, copy)
    assert "the same frames" in uplift("reweight", run, copy, *BIN, "-o", stem, expect=2).stderr
    longer = make_run(scratch, "longer", np.concatenate([one := at_distance(d), at_distance(d)]))
    assert "the same frames" in uplift("reweight", longer, make_run(scratch, "part", one), *BIN, "-o", stem, expect=2).stderr
    alike = make_run(scratch, "alike", at_distance(d))
    uplift("reweight", run, alike, *BIN, "-o", stem)
    x = at_distance(d)
    x[40:44] = np.nan
    assert "at step 2000" in uplift("reweight", make_run(scratch, "blown", x), *BIN, "-o", stem, expect=2).stderr
    boost = np.where(np.arange(500) == 3, np.nan, 1)
    bias = {"method": "amd", "boost": "dihedral", "convention": "amber", "dihedral": {"threshold": 20.0, "alpha": 5.0}}
    lost = make_run(scratch, "lost", at_distance(d), {"boost_dihedral": boost, "boost_total": 0, "dihedral_energy": 1, "total_energy": 1}, stages=[stage_entry("a", 500, bias)])
    assert "boost of the frame at step 150" in uplift("reweight", lost, *BIN, "-o", stem, expect=2).stderr
    # Indices of residues and bonds that lead nowhere, atoms that positions do not have, and half a file.
    for name, change in (("residue", "parameters/topology/atom_residue"), ("bond", "connectivity/bonds")):
        broken = make_run(scratch, name, at_distance(d))
        with h5py.File(os.path.join(broken, "trajectory.h5md"), "r+") as f:
            values = f[change][:]
            values.flat[1] = 1 << 29
            f[change][...] = values
        assert "do not fit" in uplift("reweight", broken, *BIN, "-o", stem, expect=2).stderr
    # Another molecule, whose atoms have the same numbers.
    other = make_run(scratch, "other", at_distance(d))
    with h5py.File(os.path.join(other, "trajectory.h5md"), "r+") as f:
        names = f["parameters/topology/residue_name"]
        names[1] = b"GLY"
    assert "has other atoms than" in uplift("reweight", run, other, *BIN, "-o", stem, expect=2).stderr
    assert "is the name of a folder" in uplift("reweight", run, *BIN, "-o", run + os.sep, expect=2).stderr
    assert "is damaged" in uplift("reweight", make_run(scratch, "atoms", at_distance(d)[:, :20]), *BIN, "-o", stem, expect=2).stderr
    with open(os.path.join(run, "trajectory.h5md"), "r+b") as f:
        f.truncate(os.path.getsize(f.name) // 2)
    assert "damaged" in uplift("reweight", run, *BIN, "-o", stem, expect=2).stderr


def gyration_weighs_atoms_as_they_are(scratch):
    """Heavier hydrogens are a means to longer steps: the radius of gyration is that of the molecule."""
    x = np.random.default_rng(3).random((500, 22, 3))
    run = make_run(scratch, "run", x)
    with h5py.File(os.path.join(run, "trajectory.h5md"), "r+") as f:
        mass = f["parameters/topology/mass_input"][:]
        hydrogen = f["parameters/topology/atom_element"][:] == 1
        f["parameters/topology/mass"][...] = np.where(hydrogen, 3 * mass, mass)
    stem = os.path.join(scratch, "g")
    uplift("reweight", run, "--cv", "gyration(all)", "--bins", "20", "--cutoff", "1", "--force", "--bootstrap", "0", "-o", stem)
    s = surface(stem)
    x = x.astype(np.float32).astype(float)
    centre = np.einsum("a,fad->fd", mass / mass.sum(), x)
    radius = np.sqrt(np.einsum("a,fad->f", mass / mass.sum(), (x - centre[:, None]) ** 2))
    assert np.array_equal(s["counts"], np.histogram(radius, s["edges"])[0]) and s["counts"].sum() == 500, (s, radius)


def runs_have_one_reference_for_rmsd(scratch):
    """Frames of two runs that are alike are of one bin, wherever each run began."""
    rng = np.random.default_rng(4)
    x = rng.random((22, 3)) + 0.002 * rng.normal(size=(2, 100, 22, 3))
    x[1, 0] += 0.1 * rng.normal(size=(22, 3))
    stem = os.path.join(scratch, "rmsd")
    runs = [make_run(scratch, name, x[k]) for k, name in enumerate(("one", "two"))]
    uplift("reweight", *runs, "--cv", "rmsd(all)", "--bins", "2", "--range", "0:0.1", "--cutoff", "1", "--force", "--bootstrap", "0", "-o", stem)
    assert surface(stem)["counts"][0] == 199, surface(stem)["counts"]


def atoms_of_a_reference_are_found_by_their_names(scratch):
    """Every program has an order of its own within a residue: here all but each residue's own order is kept."""
    x = np.random.default_rng(13).random((50, 22, 3))
    x[1:] = x[0] + 0.01 * (x[1:] - 0.5)
    run, stem, file = make_run(scratch, "run", x), os.path.join(scratch, "rmsd"), os.path.join(scratch, "ref.pdb")
    with open(os.path.join(scratch, "skeleton", "topology.pdb")) as f:
        lines = [line for line in f if line.startswith(("ATOM", "HETATM"))]
    lines = [line[:30] + "".join(f"{10 * r:8.3f}" for r in x[0, i]) + line[54:] for i, line in enumerate(lines)]
    heavy = [line for line in lines if not line[12:16].strip().startswith("H")]
    for some, selection in ((lines, "all"), (lines, "heavy"), (heavy, "heavy")):
        some = sorted(reversed(some), key=lambda line: int(line[22:26]))
        with open(file, "w") as f:
            f.writelines(some)
        uplift("reweight", run, "--cv", f"rmsd({selection}, {file})", "--bins", "2", "--range", "0:0.02", "--cutoff", "1", "--force", "--bootstrap", "0", "-o", stem)
        assert surface(stem)["counts"].sum() == 50, (selection, surface(stem)["counts"])
    with open(file, "w") as f:
        f.writelines(line.replace(" CB ", " CX ") for line in some)
    said = uplift("reweight", run, "--cv", f"rmsd(heavy, {file})", "-o", stem, expect=2).stderr
    assert "among those that are wanted is" in said, said


def columns_have_a_row_a_frame_and_a_file_a_run(scratch):
    d, stem = draw(dihedral_energy, 300, 400, 10), os.path.join(scratch, "pmf")
    runs = [make_run(scratch, name, at_distance(d)) for name in ("one", "two")]
    common = os.path.join(scratch, "common.dat")
    options = ["--bins", "6", "--cutoff", "1", "--bootstrap", "0", "-o", stem]
    np.savetxt(common, d)
    uplift("reweight", runs[0], "--cv", f"column({common},0)", *options)
    assert "several runs" in uplift("reweight", *runs, "--cv", f"column({common},0)", *options, expect=2).stderr
    for run in runs:
        np.savetxt(os.path.join(run, "own.dat"), d)
    uplift("reweight", *runs, "--cv", "column(own.dat,0)", *options)
    np.savetxt(common, np.r_[d, d])
    assert "has 800 rows" in uplift("reweight", runs[0], "--cv", f"column({common},0)", *options, expect=2).stderr
    assert "order 3 is left aside" in uplift("reweight", runs[0], "--cv", DISTANCE, "--method", "pooled", "--order", "3", *options).stderr
    for wrong, message in ((["--temperature", "0 K"], "is no temperature"), (["--discard", "-5 ps"], "--discard")):
        assert message in uplift("reweight", runs[0], "--cv", DISTANCE, *wrong, *options, expect=2).stderr


def surfaces_of_an_input_are_checked_before_it_runs(scratch):
    path = os.path.join(scratch, "run.yaml")

    def write(surfaces, atoms="all"):
        with open(path, "w") as f:
            f.write(f"""{HEAD}  - {{name: m, minimize: {{max_steps: 1}}}}
  - {{name: b, time: 3 fs, collect: energies}}
  - {{name: u, time: 2 fs, bias: {{method: gamd, boost: total, update_every: 1 fs, parameters: {{from: b}}}}}}
  - {{name: a, time: 0.2 ps}}
free_energy: [{surfaces}]
output: {{trajectory: {{every: 1 fs, atoms: {atoms}}}, report: false}}
""")

    one = '{name: pmf, variables: ["phi(2)"], %s}'
    for wrong, message in ((one % "stages: [nowhere]", "no stage 'nowhere'"), (one % "stages: [m]", "is a minimisation"), (one % "stages: [u]", "changes while it runs"), (one % "bins: [3, 4]", "one for each"),
                           (one % "method: cumulant, order: 4", "goes to order 3"), (one % "method: mbar, order: 2", "has no order"), (one % "bins: [3]" + "," + one % "bins: [4]", "name of another surface"),
                           ('{name: pmf, variables: ["phi(7)"]}', "free_energy.pmf.variables: variable 'phi(7)': there is no residue 7"), ('{name: pmf, variables: ["rmsd(all, ref.pdb)"]}', "there is no file ref.pdb")):
        write(wrong)
        for command in ("validate", "run"):
            assert message in uplift(command, path, expect=2).stderr, (command, wrong)
        assert not os.path.exists(os.path.join(scratch, "run", "trajectory.h5md"))
    # Atoms count as they are stored: six of them, one residue.
    write('{name: pmf, variables: ["distance(0,6)"]}', atoms="resname ACE")
    assert "atoms are 0 to 5" in uplift("validate", path, expect=2).stderr
    # Files are beside the input, wherever the program is started; columns are written later.
    write('{name: pmf, variables: ["rmsd(all, ref.pdb)"], bins: [3], cutoff: 1, bootstrap: 0, stages: [a]}, {name: later, variables: ["column(later.dat, 0)"]}')
    with open(os.path.join(os.path.dirname(skeleton(scratch)), "topology.pdb")) as f, open(os.path.join(scratch, "ref.pdb"), "w") as g:
        g.write(f.read())
    uplift("run", path, "--quiet")
    with open(os.path.join(scratch, "run", "run.log")) as f:
        log = f.read()
    assert "free energy of rmsd(all, ref.pdb)" in log or "cannot be trusted" in log, log
    assert "no free energy later: variable 'column(later.dat, 0)': there is no file later.dat" in log, log


if __name__ == "__main__":
    run_all(gyration_weighs_atoms_as_they_are, atoms_of_a_reference_are_found_by_their_names, volumes_weigh_at_any_pressure, surfaces_are_at_the_temperature_of_the_last_stage, runs_have_one_reference_for_rmsd, plain_and_boosted_runs_go_together, mbar_takes_frames_to_another_temperature, states_apart_are_refused_and_soon, ranges_of_angles_go_across_180_degrees,
            equilibration_is_not_taken_for_production, what_is_of_two_ensembles_is_said, stages_say_what_reweighting_needs_of_them, damaged_and_doubled_runs_are_refused, surfaces_of_an_input_are_checked_before_it_runs, columns_have_a_row_a_frame_and_a_file_a_run)
