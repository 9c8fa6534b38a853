#!/usr/bin/python3
"""Runs several replicas of a small system, together and exchanging, and looks at what they leave.

  ensemble_test.py UPLIFT      exit status 77 (skip) when h5py is missing
"""
import glob
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

from checks import INPUTS, UPLIFT, run_all
from hdf5 import datasets, h5py, np

PATIENCE = float(os.environ.get("UPLIFT_PATIENCE", "1"))  # sanitizers and busy machines want more of it
K = 0.00831446261815324  # kJ/mol/K


def write_input(folder, name, stages, system="alanine-dipeptide-vacuum", forces="{nonbonded: no-cutoff}", dynamics="", every="0.1 ps", extra="", output=""):
    suffix = "" if "vacuum" in system else ".gz"
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {INPUTS}/{system}/system.prmtop{suffix}, coordinates: {INPUTS}/{system}/system.inpcrd{suffix}}}
forces: {forces}
dynamics: {{integrator: langevin, timestep: 2 fs, temperature: 300 K, friction: 5 /ps, seed: 11{dynamics}}}
stages: {stages}
output: {{trajectory: {{every: {every}, velocities: true}}, energies: {{every: {every}}}, report: false{output}}}
{extra}
""")
    return path


def run(path, *options, expect=0, launcher=()):
    done = subprocess.run([*launcher, UPLIFT, "run", path, *options], capture_output=True, text=True, timeout=300 * PATIENCE)
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return path[: -len(".yaml")], done


def contents(folder):
    """Every dataset of every file but what tells of the input itself."""
    found = {}
    for where, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith((".h5", ".h5md")):
                label = os.path.relpath(os.path.join(where, name), folder) + ":"
                found.update(datasets(os.path.join(where, name), label, but="parameters/"))
    return found


def same(found, wanted, what):
    assert found.keys() == wanted.keys(), (what, found.keys() ^ wanted.keys())
    for key in wanted:
        assert np.array_equal(found[key], wanted[key]), f"{what}: {key} differs"


REX = "[{name: warm, time: 0.4 ps}, {name: rex, time: 2 ps, exchange: {temperatures: [300 K, 330 K, 365 K], every: 0.04 ps, after: 0.2 ps}}, {name: after, time: 0.2 ps}]"


def replicas_have_the_bits_of_single_runs(scratch):
    path = write_input(scratch, "plain", "[{name: minimise, minimize: {max_steps: 10}}, {name: go, time: 1 ps}]", extra="compute: {replicas: 3}")
    folder, done = run(path, "--threads", "2")
    assert "3 replicas" in done.stdout and "ns/day together" in done.stdout, done.stdout
    with open(os.path.join(folder, "replicas.json")) as f:
        replicas = json.load(f)["replicas"]
    assert len({r["seed"] for r in replicas}) == 3
    everything = contents(folder)
    for k, r in enumerate(replicas):
        alone = os.path.join(scratch, f"alone{k}")
        run(path, "--quiet", "--threads", "1", "--set", "compute.replicas=1", "--set", f"dynamics.seed={r['seed']}", "--set", f"output.directory={alone}")
        same({key: v for key, v in contents(alone).items()}, {key[len(r["directory"]) + 1 :]: v for key, v in everything.items() if key.startswith(r["directory"])}, f"replica {k + 1}")
        for name in ("run.log", "checkpoint.upc", "stages.json", "topology.pdb", "performance.json"):
            assert os.path.exists(os.path.join(folder, r["directory"], name)), name
    x = [everything[r["directory"] + "/trajectory.h5md:particles/trajectory/position/value"][-1] for r in replicas]
    assert not np.array_equal(x[0], x[1]) and not np.array_equal(x[1], x[2])


def same_bits_for_any_number_of_threads_and_ranks(scratch):
    path = write_input(scratch, "rex", REX)
    folder, done = run(path, "--threads", "1")
    wanted = contents(folder)
    accepted = wanted["exchange.h5:stages/rex/accepted"]
    assert accepted.shape == (45, 2) and np.sum(accepted == 1) > 5 and np.sum(accepted == 0) > 0, accepted
    assert "round trips" in done.stdout
    for threads in (2, 5):
        shutil.rmtree(folder)
        run(path, "--quiet", "--threads", str(threads))
        same(contents(folder), wanted, f"{threads} threads")
    mpirun = shutil.which("mpirun")
    if not mpirun or "libmpi" not in subprocess.run(["ldd", UPLIFT], capture_output=True, text=True).stdout:
        print("        (no MPI: ranks are not tried)")
        return
    for ranks in (2, 3, 4):
        shutil.rmtree(folder)
        _, done = run(path, "--threads", "1", launcher=(mpirun, "--allow-run-as-root", "--oversubscribe", "-n", str(ranks)))
        same(contents(folder), wanted, f"{ranks} ranks")
        assert done.stdout.count("ns/day together") >= 1 and "replicas: 7.8 ps" in done.stdout, done.stdout


def wait_for_checkpoints(job, folder, count):
    """Until the run has written so many: a measure of how far it is, which the load of the machine leaves alone."""
    before, seen, limit = None, 0, time.time() + 120 * PATIENCE
    while job.poll() is None and seen < count and time.time() < limit:
        now = [os.stat(p).st_mtime_ns for p in glob.glob(os.path.join(folder, "**", "checkpoint.upc"), recursive=True) if os.path.exists(p)]
        seen += before is not None and max(now, default=0) != before
        before = max(now, default=0)
        time.sleep(0.002)


def interrupted_replicas_go_on_with_the_same_bits(scratch):
    rng = random.Random(int.from_bytes(os.urandom(4), "little"))
    dynamics = ", multiple_time_step: [{forces: [pme-reciprocal], every: 2}, {forces: [bonded, nonbonded], every: 1}]"
    stages = "[{name: warm, time: 0.08 ps}, {name: rex, time: 0.8 ps, exchange: {temperatures: [300 K, 303 K, 306 K], every: 0.04 ps}}, {name: more, time: 0.4 ps, exchange: {temperatures: [300 K, 302 K, 304 K], every: 0.04 ps}}, {name: after, time: 0.04 ps}]"
    path = write_input(scratch, "kill", stages, "alanine-dipeptide-tip3p", "{nonbonded: pme, cutoff: 0.8 nm}", dynamics, "0.04 ps", output=", checkpoint: {every: 0.05 s}")
    folder, _ = run(path, "--quiet")
    wanted = contents(folder)
    assert np.sum(wanted["exchange.h5:stages/rex/accepted"] == 1) > 1
    shutil.rmtree(folder)
    statuses = []
    for attempt in range(40):
        how = rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, None]) if attempt < 9 else None
        job = subprocess.Popen([UPLIFT, "run", path, "--quiet", "--resume", "--threads", str(rng.choice([1, 2, 4])), *(["--max-time", "0.3 s"] if how is None and attempt < 9 else [])], stderr=subprocess.PIPE, text=True)
        if how:
            wait_for_checkpoints(job, folder, rng.choice([1, 2, 4]))
            time.sleep(rng.uniform(0, 0.05))
            job.send_signal(how)
        error = job.communicate(timeout=300 * PATIENCE)[1]
        statuses.append(job.returncode)
        assert job.returncode in (0, 3, -signal.SIGKILL, -signal.SIGTERM), (job.returncode, error)
        if job.returncode == 0:
            break
    assert statuses[-1] == 0 and len(statuses) > 2, statuses
    same(contents(folder), wanted, f"after {statuses}")


def energies_are_those_of_independent_runs(scratch):
    """The mean potential energy at each temperature, exchanging and not, within four standard errors from blocks; and ln(p_low/p_high) is linear in the energy, with the difference of 1/kT as its slope."""
    temperatures = [300, 360, 430]
    rex = write_input(scratch, "physical", "[{name: rex, time: 400 ps, exchange: {temperatures: [300 K, 360 K, 430 K], every: 0.1 ps}}]", every="0.2 ps")
    folder, _ = run(rex, "--quiet")

    def potential(directory):
        with h5py.File(os.path.join(directory, "energies.h5")) as f:
            conserved, u = f["conserved_quantity"][:], f["potential"][:]
        assert np.all(np.isfinite(conserved))
        return u[len(u) // 10 :]

    def mean_and_error(u, blocks=20):
        parts = np.array([np.mean(part) for part in np.array_split(u, blocks)])
        return parts.mean(), parts.std(ddof=1) / blocks**0.5

    exchanged = [potential(os.path.join(folder, f"replica-{k:03}")) for k in (1, 2, 3)]
    alone = []
    for k, t in enumerate(temperatures):
        path = write_input(scratch, f"alone{t}", f"[{{name: go, time: 400 ps, temperature: {t} K}}]", every="0.2 ps")
        alone.append(potential(run(path, "--quiet", "--set", f"dynamics.seed={100 + k}")[0]))
    for t, a, b in zip(temperatures, exchanged, alone):
        (m, e), (n, f) = mean_and_error(a), mean_and_error(b)
        print(f"        {t} K: potential {m:.2f} +- {e:.2f} exchanging, {n:.2f} +- {f:.2f} alone")
        assert abs(m - n) < 4 * (e * e + f * f) ** 0.5, (t, m, e, n, f)
    for low, high in ((0, 1), (1, 2)):
        a, b = exchanged[low], exchanged[high]
        slope, error = ensemble_ratio(a, b)
        wanted = 1 / (K * temperatures[high]) - 1 / (K * temperatures[low])
        print(f"        ln(p_low/p_high): slope {slope:.4f} +- {error:.4f} mol/kJ, {wanted:.4f} expected")
        assert abs(slope - wanted) < 4 * error, (slope, error, wanted)
        assert error < 0.15 * abs(wanted)


def configurations_can_be_followed(scratch):
    """As the documentation has it: no atom is elsewhere in the next frame, also where that is of the step of an attempt."""
    folder, done = run(write_input(scratch, "followed", "[{name: rex, time: 2 ps, exchange: {temperatures: [300 K, 310 K, 320 K], every: 0.04 ps}}]", every="0.02 ps"))
    assert int(re.search(r"300 K, 310 K +\d+ +(\d+)", done.stdout).group(1)) > 5, done.stdout
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "ensembles.md")) as f:
        recipe = next(code for code in re.findall(r"```python\n(.*?)```", f.read(), re.DOTALL) if "walker" in code)
    names = {"h5py": h5py, "np": np}
    exec(recipe.replace("villin", folder), names)
    x = []
    for k in range(3):
        with h5py.File(os.path.join(folder, f"replica-00{k + 1}", "trajectory.h5md")) as f:
            x.append(f["particles/trajectory/position/value"][:])
    followed = np.array(x)[names["place"], np.arange(len(x[0]))]
    assert np.abs(np.diff(followed, axis=0)).max() < 0.15, np.abs(np.diff(followed, axis=0)).max()


def ensemble_ratio(a, b):
    """Maximum-likelihood slope of ln(p_a/p_b) (Shirts, J. Chem. Theory Comput. 9, 909 (2013)): a logistic fit; error by bootstrap over blocks."""

    def fit(a, b):
        u = np.concatenate([a, b])
        y = np.concatenate([np.ones(len(a)), np.zeros(len(b))])
        x = np.stack([np.ones(len(u)), u - u.mean()], 1)
        c = np.zeros(2)
        for _ in range(50):
            p = 1 / (1 + np.exp(-x @ c))
            c += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x, x.T @ (y - p))
        return c[1]

    rng = np.random.default_rng(1)
    block = lambda u: np.concatenate([part for k in rng.integers(0, 40, 40) for part in [np.array_split(u, 40)[k]]])
    return fit(a, b), np.std([fit(block(a), block(b)) for _ in range(60)])


def the_conserved_energy_does_not_jump(scratch):
    folder, _ = run(write_input(scratch, "conserved", REX.replace("time: 2 ps", "time: 20 ps").replace("0.04 ps", "0.1 ps"), dynamics=", constraint_tolerance: 1e-8"), "--quiet", "--set", "dynamics.timestep=1 fs")
    with h5py.File(os.path.join(folder, "exchange.h5")) as f:
        rows, accepted, potential = f["stages/rex/step"][:], f["stages/rex/accepted"][:], f["stages/rex/potential"][:]
    with h5py.File(os.path.join(folder, "replica-001", "energies.h5")) as f:
        step, conserved, u = f["step"][:], f["conserved_quantity"][:], f["potential"][:]
    swaps = rows[accepted[:, 0] == 1]
    assert len(swaps) > 20
    place = np.searchsorted(step, swaps)
    place = place[place + 1 < len(step)]
    jumps, others = np.abs(conserved[place + 1] - conserved[place]), np.abs(np.diff(conserved))
    assert np.median(jumps) < 3 * np.median(others), (np.median(jumps), np.median(others))
    assert np.allclose(u[np.searchsorted(step, rows)], potential[:, 0], rtol=0, atol=1e-9), "energies of the table are not those that decided"


def volumes_move_with_configurations(scratch):
    forces, pressure = "{nonbonded: pme, cutoff: 0.8 nm}", ", pressure: {barostat: monte-carlo, every: 10}"
    stages = "[{name: warm, time: 0.2 ps}, {name: rex, time: 0.8 ps, exchange: {temperatures: [300 K, 303 K, 306 K], every: 0.1 ps}}]"
    path = write_input(scratch, "npt", stages, "water-tip3p-small", forces, pressure)
    folder, _ = run(path, "--quiet", "--threads", "2")
    wanted = contents(folder)
    accepted = wanted["exchange.h5:stages/rex/accepted"]
    assert np.sum(accepted == 1) > 3, accepted
    volumes = [wanted[f"replica-{k:03}/energies.h5:volume"] for k in (1, 2)]
    assert np.ptp([v[-1] for v in volumes]) > 0
    shutil.rmtree(folder)
    while (done := subprocess.run([UPLIFT, "run", path, "--quiet", "--resume", "--threads", "1", "--max-time", f"{1.5 * PATIENCE} s"], capture_output=True, text=True)).returncode == 3:
        pass
    assert done.returncode == 0, done.stderr
    same(contents(folder), wanted, "with a barostat, interrupted")
    fixed = write_input(scratch, "fixed", stages.replace("time: 0.2 ps", "time: 0.2 ps" + pressure), "water-tip3p-small", forces)
    folder_of_fixed, done = run(fixed, "--quiet", expect=2)
    assert "stage warm leaves each replica with a box of its own" in done.stderr and not os.path.exists(folder_of_fixed), done.stderr
    # Where the input does not say so any more, the boxes themselves do.
    exchange = ", exchange: {temperatures: [300 K, 303 K, 306 K], every: 0.1 ps}"
    two = f"{{name: warm, time: 0.2 ps{exchange}{pressure}}}, {{name: rest, time: 0.02 ps}}"
    run(fixed, "--quiet", "--set", f"stages=[{two}]")
    rex = two.replace(pressure, "") + stages[stages.index(", {name: rex"):]
    _, done = run(fixed, "--quiet", "--resume", "--set", f"stages=[{rex}", expect=2)
    assert "boxes of replicas" in done.stderr, done.stderr
    page = subprocess.run([UPLIFT, "report", folder], capture_output=True, text=True)
    if page.returncode == 0:
        with open(os.path.join(folder, "report.html"), encoding="utf-8") as f:
            text = f.read()
        for what in ("<h2>Replicas</h2>", "replica-003", "<h2>Exchanges of rex</h2>", "303 K, 306 K"):
            assert what in text, what
    else:
        assert "matplotlib" in page.stderr, page.stderr


def one_that_fails_is_named(scratch):
    path = write_input(scratch, "fails", "[{name: go, time: 1 ps}]", extra="compute: {replicas: 3}")
    folder = path[: -len(".yaml")]
    os.makedirs(os.path.join(folder, "replica-002"))
    os.makedirs(os.path.join(folder, "replica-002", "energies.h5.tmp"))  # so that this one cannot write
    _, done = run(path, "--quiet", expect=1)
    assert "replica 2" in done.stderr and "replica 1 (" not in done.stderr and "--resume" in done.stderr, done.stderr
    os.rmdir(os.path.join(folder, "replica-002", "energies.h5.tmp"))
    run(path, "--quiet", "--resume")
    _, again = run(write_input(scratch, "whole", "[{name: go, time: 1 ps}]", extra="compute: {replicas: 3}"), "--quiet")
    same(contents(folder), contents(os.path.join(scratch, "whole")), "after a failure")


def one_that_cannot_save_stops_all_where_they_can_go_on(scratch):
    """Its checkpoint fails where the others have written theirs: these keep the one before, the only one that fits to what it has."""
    stages = REX.replace("time: 2 ps", "time: 40 ps")
    whole, _ = run(write_input(scratch, "undisturbed", stages), "--quiet", "--threads", "2")
    folder = (path := write_input(scratch, "unsaved", stages, output=", checkpoint: {every: 0.05 s}"))[: -len(".yaml")]
    job = subprocess.Popen([UPLIFT, "run", path, "--quiet", "--threads", "2"], stderr=subprocess.PIPE, text=True)
    in_the_way = os.path.join(folder, "replica-002", "checkpoint.upc.tmp")
    limit = time.time() + 120 * PATIENCE
    while job.poll() is None and time.time() < limit and not os.path.exists(os.path.join(folder, "exchange.h5")):
        time.sleep(0.002)
    wait_for_checkpoints(job, folder, 3)
    while job.poll() is None and not os.path.isdir(in_the_way):
        try:
            os.mkdir(in_the_way)
        except FileExistsError:  # it is being written
            pass
    error = job.communicate(timeout=300 * PATIENCE)[1]
    assert job.returncode == 1 and "replica 2 (" in error and "have stopped with checkpoints" in error, (job.returncode, error)
    os.rmdir(in_the_way)
    run(path, "--quiet", "--resume")
    same(contents(folder), contents(whole), "after a checkpoint that failed")


def checkpoints_are_written_before_the_first_exchange(scratch):
    stages = "[{name: rex, time: 40 ns, exchange: {temperatures: [300 K, 330 K], every: 1 ps, after: 30 ns}}]"
    path = write_input(scratch, "early", stages, every="100 ps", output=", checkpoint: {every: 0.05 s}")
    folder = path[: -len(".yaml")]
    job = subprocess.Popen([UPLIFT, "run", path, "--quiet", "--threads", "2"], stderr=subprocess.PIPE, text=True)
    wait_for_checkpoints(job, folder, 6)
    assert job.poll() is None, job.communicate()
    job.kill()
    job.communicate()
    run(path, "--quiet", "--resume", "--max-time", f"{PATIENCE} s", expect=3)
    with open(os.path.join(folder, "replica-001", "run.log")) as f:
        step = int(re.search(r"goes on from step (\d+)", f.read()).group(1))
    assert 0 < step < 15000000, step


def many_replicas_have_many_files(scratch):
    """More than the limit that a process begins with, as far as it may be raised."""
    path = write_input(scratch, "many", "[{name: rex, time: 0.2 ps, exchange: {from: 300 K, to: 500 K, count: 24, every: 0.1 ps}}]")
    limited = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1])); os.execv(sys.argv[1], sys.argv[1:])"
    run(path, "--quiet", launcher=(sys.executable, "-c", limited))


def one_by_itself_leaves_other_runs_alone(scratch):
    path = write_input(scratch, "here", "[{name: go, time: 0.2 ps}]")
    folder, _ = run(path, "--quiet")
    _, done = run(path, "--resume", "--replica", "2", "--set", "compute.replicas=3", expect=2)
    assert "holds a run of one replica" in done.stderr, done.stderr
    run(path, "--quiet", "--resume")  # it is what it was
    four = ["--quiet", "--resume", "--set", f"output.directory={scratch}/four", "--set"]
    run(path, *four, "compute.replicas=4")
    _, done = run(path, *four, "compute.replicas=2", "--replica", "1", expect=2)
    assert "has 4, and here are 2" in done.stderr, done.stderr


def pools_and_refuses(scratch):
    extra = 'compute: {replicas: 2}\nfree_energy: [{name: pmf, variables: ["phi=phi(2)"], bins: [12], bootstrap: 0, cutoff: 1}]'
    path = write_input(scratch, "pool", "[{name: go, time: 100 ps}]", extra=extra)
    folder, _ = run(path, "--quiet")
    with h5py.File(os.path.join(folder, "pmf.h5")) as f:
        assert f.attrs["frames"] == 2 * 1001, f.attrs["frames"]
        counts = f["counts"][:]
    done = subprocess.run([UPLIFT, "reweight", folder, "--cv", "phi=phi(2)", "--bins", "12", "--bootstrap", "0", "--cutoff", "1", "-o", os.path.join(scratch, "other")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with h5py.File(os.path.join(scratch, "other.h5")) as f:
        assert np.array_equal(f["counts"][:], counts)
    _, done = run(path, "--quiet", expect=2)
    assert "--resume" in done.stderr
    _, done = run(path, "--quiet", "--resume", "--set", "compute.replicas=1", expect=2)
    assert "replicas" in done.stderr, done.stderr
    with open(os.path.join(folder, "replicas.json")) as f:
        listed = f.read()
    _, done = run(path, "--quiet", "--resume", "--set", "dynamics.seed=99", "--set", "stages=[{name: go, time: 101 ps}]", expect=2)
    assert "dynamics.seed" in done.stderr, done.stderr
    with open(os.path.join(folder, "replicas.json")) as f:
        assert f.read() == listed
    run(path, "--quiet", "--resume", "--set", "compute.replicas=3")
    assert os.path.exists(os.path.join(folder, "replica-003", "trajectory.h5md"))
    _, done = run(path, "--quiet", "--resume", "--set", "compute.replicas=2", expect=2)
    assert "compute.replicas" in done.stderr
    for interval in ("every: 1 ps", "every: 0.1 ps, after: 0.95 ps"):
        done = subprocess.run([UPLIFT, "validate", write_input(scratch, "never", f"[{{name: a, time: 1 ps, exchange: {{temperatures: [300 K, 310 K], {interval}}}}}]")], capture_output=True, text=True)
        assert done.returncode == 0 and "replicas never exchange" in done.stdout + done.stderr, (interval, done)
    assert "never exchange" not in run(write_input(scratch, "once", "[{name: a, time: 0.2 ps, exchange: {temperatures: [300 K, 310 K], every: 0.1 ps}}]"))[1].stdout
    for stages, what in (
        ("[{name: a, time: 1 ps, exchange: {temperatures: [300 K], every: 0.1 ps}}]", "two temperatures"),
        ("[{name: a, time: 1 ps, exchange: {temperatures: [310 K, 300 K], every: 0.1 ps}}]", "ascend"),
        ("[{name: a, time: 1 ps, exchange: {from: 300 K, to: 400 K, every: 0.1 ps}}]", "count is missing"),
        ("[{name: a, time: 1 ps, exchange: {temperatures: [300 K, 310 K], every: 0.001 ps}}]", "time steps"),
        ("[{name: a, time: 1 ps, integrator: verlet, exchange: {temperatures: [300 K, 310 K], every: 0.1 ps}}]", "thermostat"),
        ("[{name: a, time: 1 ps, temperature: 320 K, exchange: {temperatures: [300 K, 310 K], every: 0.1 ps}}]", "comes from exchange"),
    ):
        _, done = run(write_input(scratch, "wrong", stages), expect=2)
        assert what in done.stderr and re.search(r"wrong\.yaml:\d+", done.stderr), (what, done.stderr)


if __name__ == "__main__":
    run_all(replicas_have_the_bits_of_single_runs, same_bits_for_any_number_of_threads_and_ranks, interrupted_replicas_go_on_with_the_same_bits, energies_are_those_of_independent_runs, configurations_can_be_followed,
            the_conserved_energy_does_not_jump, volumes_move_with_configurations, one_that_fails_is_named, one_that_cannot_save_stops_all_where_they_can_go_on,
            checkpoints_are_written_before_the_first_exchange, many_replicas_have_many_files, one_by_itself_leaves_other_runs_alone, pools_and_refuses)
