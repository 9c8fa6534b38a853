#!/usr/bin/python3
"""Random combinations of settings: runs of a few dozen steps that have to agree with each other, whatever they are.

  combinations_test.py [--cases N] [--first K] [--only PROPERTY,...] [--keep FOLDER] UPLIFT [MPIRUN [OPTIONS]]      exit status 77 (skip) when h5py or cbor2 is missing

Case K is always the same input. One that fails is printed, and `--first K --cases 1 --keep FOLDER` makes it again and leaves its files.
"""
import argparse
import collections
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from combinations import UNIT, Draw, prepare
from hdf5 import datasets, np

try:
    import cbor2  # what checkpoints are written in
except ImportError:
    print("skipped: there is no cbor2 for Python (apt install python3-cbor2)")
    sys.exit(77)

PATIENCE = float(os.environ.get("UPLIFT_PATIENCE", "1"))


class Wrong(Exception):
    pass


class Refused(Exception):
    pass


NOTHING = "nothing to look at"


def checkpoint(folder):
    with open(os.path.join(folder, "checkpoint.upc"), "rb") as f:
        return cbor2.loads(f.read()[24:])


SETTLED = ("version", "input", "settings", "past")  # texts of the input, in which the number of threads and the directory stand


def leaves(folder):
    """All that a run has left and that has to be the same."""
    found = {}
    for where, _, names in os.walk(folder):
        part = os.path.relpath(where, folder) + "/"
        for name in names:
            path = os.path.join(where, name)
            if name in ("trajectory.h5md", "energies.h5", "exchange.h5"):
                found.update(datasets(path, part + name + "/"))
            elif name in ("amd.log", "stages.json", "topology.pdb"):
                with open(path) as f:
                    found[part + name] = f.read()
            elif name == "checkpoint.upc":
                found.update({f"{part}{name}/{k}": v for k, v in checkpoint(where).items() if k not in SETTLED})
    return found


def same(a, b):
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return a == b


def differing(a, b):
    return sorted(a.keys() ^ b.keys()) or [k for k in a if not same(a[k], b[k])]


class Case:
    def __init__(self, seed, uplift, mpirun, folder, made):
        self.draw, self.uplift, self.mpirun, self.folder = Draw(seed, made), uplift, mpirun, folder
        prepare(self.draw.system.name, made, uplift)
        self.rng = random.Random(f"checks {seed}")
        self.path = os.path.join(folder, "case.yaml")
        with open(self.path, "w") as f:
            f.write(self.draw.text())
        self.count = 0
        self.every_row = ["--set", f"output.energies.every={math.lcm(*self.draw.steps) * UNIT:g} fs"]

    def command(self, *arguments, ranks=1):
        return (self.mpirun + ["-n", str(ranks)] if ranks > 1 else []) + [self.uplift, *arguments]

    def call(self, *arguments, ranks=1):
        done = subprocess.run(self.command(*arguments, ranks=ranks), capture_output=True, text=True, timeout=300 * PATIENCE)
        if done.returncode not in (0, 1, 2, 3):
            raise Wrong(f"{arguments}: ended by {done.returncode}: {done.stderr[-2000:]}")
        return done

    def out(self):
        self.count += 1
        return os.path.join(self.folder, f"out{self.count}")

    def run(self, *options, ranks=1, statuses=(0,), out=None, path=None):
        out = out or self.out()
        done = self.call("run", path or self.path, "--quiet", "--set", "output.directory=" + out, *options, ranks=ranks)
        if done.returncode and any(words in done.stderr for words in ("do not fit this box", "use fewer ranks", "has other columns", "has no boost energies")):
            raise Refused(done.stderr)
        if done.returncode not in statuses:
            raise Wrong(f"run {options} on {ranks}: status {done.returncode}: {done.stderr[-2000:]}")
        return out

    def first(self):
        """The run that all others are compared with."""
        checked = self.call("validate", self.path)
        out = self.out()
        done = self.call("run", self.path, "--set", "output.directory=" + out)
        said = lambda d: {re.sub(r" \(stage \w+\)$|replica \d+ \(\S*\): ", "", line) for line in d.stderr.splitlines() if line and not line.startswith(("warning: ", "note: "))}
        if checked.returncode == 2 and done.returncode == 2:
            if not said(done) <= said(checked):  # validate tells of all problems, a run of the first
                raise Wrong(f"validate and run refuse with other words:\n{checked.stderr}\n{done.stderr}")
            raise Refused(" ".join(said(done)))
        if (checked.returncode, done.returncode) != (0, 0):
            raise Wrong(f"validate ends with {checked.returncode}, run with {done.returncode}:\n{checked.stderr}\n{done.stdout[-1500:]}\n{done.stderr}")
        self.base, self.wanted, self.text = out, leaves(out), done.stdout

    def compare(self, what, out, wanted=None, leave_out=()):
        wrong = differing(wanted or self.wanted, leaves(out))
        wrong = [w for w in wrong if not w.endswith(tuple(leave_out))] if leave_out else wrong
        if wrong:
            raise Wrong(f"{what}: {wrong} differ")

    # What has to hold.

    def numbers(self):
        for name, values in self.wanted.items():
            if isinstance(values, np.ndarray) and values.dtype.kind == "f" and not np.isfinite(values).all():
                raise Wrong(f"{name} holds {values[~np.isfinite(values)][0]}")

    def energy(self):
        """The conserved energy neither drifts nor jumps by much while the potential stays what it is, where the program has no doubts of the steps."""
        if "warning" in self.text:
            raise Refused(NOTHING)
        for name in [n for n in self.wanted if n.endswith("energies.h5/conserved_quantity")]:
            column = lambda key: self.wanted[name.replace("conserved_quantity", key)]
            rows, steps, kinetic = self.wanted[name], column("step"), column("kinetic")
            stages = json.loads(self.wanted[name.replace("energies.h5/conserved_quantity", "stages.json")])["stages"]
            last = kind = None
            for begun in stages:
                potential = self.draw.potentials[begun["name"]]
                here = (steps <= begun["first_step"] + self.draw.lengths[begun["name"]]) & (steps >= begun["first_step"] + (potential != last and begun["first_step"] > 0))
                integrator = self.draw.integrators[begun["name"]]
                if integrator != kind and not json.loads(integrator)[0]:  # a thermostat takes velocities for those of another time
                    here &= steps > begun["first_step"]
                last, kind = potential, integrator
                if here.sum() < 2:
                    continue
                off = np.ptp(rows[here])
                restless = json.loads(potential)[2] is not None or json.loads(integrator)[2]  # edges of boosts, impulses
                if off > (0.15 if restless else 0.03) * kinetic[here].max() + 3:
                    raise Wrong(f"{name} of stage {begun['name']} is between {rows[here].min():.6g} and {rows[here].max():.6g} (kinetic energy {kinetic[here].max():.4g}): {list(zip(steps[here], rows[here]))}")

    def threads(self):
        self.compare("2 threads", self.run("--threads", "2"))

    def strides(self):
        """Whatever is written, atoms move alike."""
        rare = self.rng.choice(["0 ps", None])
        every = [f"output.{part}.every=" + (rare or self.draw.time(self.draw.stride())) for part in ("trajectory", "energies")]
        out = self.run(*sum((["--set", e] for e in every), []), "--set", "output.checkpoint.every=1 us", "--set", f"output.trajectory.velocities={'false' if self.rng.random() < 0.5 else 'true'}")
        left = leaves(out)
        for k, v in self.wanted.items():
            if "checkpoint.upc/" in k and not k.endswith(("last_frame", "last_row")) and not same(v, left.get(k)):
                raise Wrong(f"with {every} {k} differs")
            if k.endswith("energies.h5/step") and k in left:
                self.rows(every, k, left)

    def rows(self, every, step, left):
        here, there = list(self.wanted[step]), list(left[step])
        both = [s for s in here if s in there]
        for k, v in self.wanted.items():
            if k.startswith(step[:-5]) and k in left and isinstance(v, np.ndarray) and v.shape[:1] == (len(here),):
                a, b = v[[here.index(s) for s in both]], left[k][[there.index(s) for s in both]]
                if not np.array_equal(a, b, equal_nan=True):
                    raise Wrong(f"with {every} rows of {k} differ: {a[(a != b)][:3]} {b[(a != b)][:3]}")

    def shorter(self):
        """Stopped at a step of each stage in turn, by an input that ends there, and gone on with."""
        stages = self.draw.input["stages"]
        out, started = self.out(), False
        for k, stage in enumerate(stages):
            if "time" not in stage or "temperature_ramp" in stage or self.rng.random() < 0.3:
                continue
            step, whole = self.draw.steps[int(stage["name"][1:])], self.draw.lengths[stage["name"]]
            for _ in range(self.rng.choice([1, 1, 2])):
                part = self.rng.randint(1, whole)
                path = self.variant([*stages[:k], {**stage, "time": f"{part * step * UNIT:g} fs"}])
                self.run(*(["--resume"] if started else []), "--threads", self.rng.choice("12"), out=out, path=path)
                started = True
        if not started:
            raise Refused(NOTHING)
        self.run("--resume", out=out)
        # Which convention is reported before a boost depends on the boosts to come.
        self.compare("made of parts", out, leave_out=("stages.json", "origin"))

    def stopped(self):
        """Killed or stopped at random times, and gone on with."""
        out, began = self.out(), time.time()
        self.run(out=self.out())
        whole = time.time() - began
        for attempt in range(4):
            job = subprocess.Popen(self.command("run", self.path, "--quiet", "--resume", "--set", "output.checkpoint.every=1 ns", "--threads", self.rng.choice("12"), "--set", "output.directory=" + out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            how = self.rng.choice([signal.SIGKILL, signal.SIGTERM])
            try:
                job.wait(whole * self.rng.uniform(0.3, 1.5))
            except subprocess.TimeoutExpired:
                job.send_signal(how)
            error = job.communicate(timeout=300 * PATIENCE)[1]
            if job.returncode not in (0, 3, -signal.SIGKILL, -signal.SIGTERM):
                raise Wrong(f"after {how.name} number {attempt}: status {job.returncode}: {error}")
            if job.returncode == 0:
                break
        self.run("--resume", out=out)
        self.compare("stopped and gone on with", out)

    def parted(self):
        """The first stage of dynamics as two with the same settings."""
        stages = self.draw.input["stages"]
        k = next(k for k, s in enumerate(stages) if "time" in s)
        stage, whole = stages[k], self.draw.lengths[stages[k]["name"]]
        own = {**self.draw.base, **stage, **stage.get("dynamics", {})}
        if "pressure" in own or any(key in stage for key in ("temperature_ramp", "exchange", "collect")) or "update_every" in stage.get("bias", {}) or whole < 2:
            raise Refused(NOTHING)
        part = self.rng.randint(1, min(10, whole - 1))
        time = lambda n: f"{n * self.draw.steps[0] * UNIT:g} fs"
        path = self.variant([*stages[:k], {**stage, "time": time(part)}, {**stage, "name": "second", "time": time(whole - part)}, *stages[k + 1:]])
        double = ["--set", "compute.precision=double", "--set", "dynamics.constraint_tolerance=1e-10", *self.every_row]
        self.near("in two stages", leaves(self.run(*double, path=path)), 1e-7, leaves(self.run(*double)), min(20, whole))

    def variant(self, stages):
        """The path of an input with these stages."""
        path = os.path.join(self.folder, "variant.yaml")
        with open(path, "w") as f:
            compute = {**self.draw.input["compute"], **({} if any("exchange" in s for s in stages) else {"replicas": self.draw.replicas})}
            f.write(json.dumps({**self.draw.input, "stages": stages, "compute": compute}))
        return path

    def replica(self):
        if self.draw.replicas == 1 or self.draw.exchange:
            raise Refused(NOTHING)
        k = self.rng.randint(1, self.draw.replicas)
        out = self.run("--replica", str(k))
        part = f"replica-{k:03d}/"
        self.compare(f"replica {k} alone", out, {n: v for n, v in self.wanted.items() if n.startswith(part)})

    def again(self):
        """To resume what is finished changes nothing."""
        copy = self.out()
        shutil.copytree(self.base, copy)
        self.run("--resume", out=copy)
        self.compare("resumed when done", copy)

    def ranks(self):
        if not self.mpirun or not self.draw.system.periodic:
            raise Refused(NOTHING)
        wide = {"solvated": "[1, 1, 1]", "octahedron": "[2, 1, 1]", "water": "[2, 2, 1]"}.get(self.draw.system.name, "[2, 2, 2]")  # domains are wider than cutoffs
        options = ["--set", "system.copies=" + wide, *self.every_row]
        each = ["--set", "compute.ranks_per_replica=2"] if self.draw.replicas > 1 else []
        two = leaves(self.run(*options, *each, ranks=2))
        mixed = self.draw.input["compute"]["precision"] == "mixed"
        if not (mixed and "minimize" in self.draw.input["stages"][0]):  # rounding decides between steps of a minimisation
            self.near("2 ranks", two, 5e-5 if mixed else 1e-7, leaves(self.run(*options)))
        if not each:
            n = self.rng.choice([3, 4])
            self.compare(f"{n} ranks and 2", self.run(*options, ranks=n), two)

    def simt(self):
        if self.draw.system.name == "solvated":  # takes too long
            raise Refused(NOTHING)
        double = ["--set", "compute.precision=double", "--set", "dynamics.constraint_tolerance=1e-10", *self.every_row]  # both within it, at places of their own
        cpu = leaves(self.run(*double))
        self.near("simt", leaves(self.run(*double, "--backend", "simt")), 1e-7, cpu)

    def near(self, what, left, tolerance, wanted=None, most=20):
        """The same at first: rounding grows by a factor a step."""
        wanted = wanted or self.wanted
        for name in [n for n in wanted if n.endswith("energies.h5/step")]:
            steps = wanted[name]
            for key in wanted:
                if not key.startswith(name[:-4]) or key.endswith(("step", "time", "input")) or not isinstance(wanted[key], np.ndarray) or wanted[key].dtype.kind != "f" or wanted[key].shape[:1] != steps.shape:
                    continue
                scale = np.abs(wanted[name[:-4] + "kinetic"]).max() + 0.01 * np.abs(wanted[key]).max() + 10
                if "pressure" in key:
                    scale = 1e4 + np.abs(wanted[key]).max()
                for s, a, b in zip(steps, wanted[key], left[key]):
                    if s <= most and not abs(a - b) <= tolerance * scale * 1.3 ** s:
                        raise Wrong(f"{what}: {key} at step {s}: {a!r} and {b!r}")


PROPERTIES = ("numbers", "energy", "threads", "strides", "shorter", "stopped", "again", "parted", "replica", "ranks", "simt")


def check(case, properties, held):
    """What is wrong, and why the input was refused (by validate and run alike). Counts which properties there were."""
    wrong = []
    for name in ("first", *properties):
        try:
            getattr(case, name)()
            held[name] += 1
        except Refused as e:
            if name == "first":
                return wrong, str(e)
        except (Wrong, AssertionError, OSError, KeyError, subprocess.TimeoutExpired) as e:
            wrong.append(f"{name}: {type(e).__name__} {e}")
            if name == "first":
                break
    return wrong, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", default=",".join(PROPERTIES), help="properties, by comma")
    parser.add_argument("--keep", help="a folder for the files of the last case, which are thrown away otherwise")
    parser.add_argument("uplift")
    parser.add_argument("mpirun", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    failures, refused, held = 0, 0, collections.Counter()
    with tempfile.TemporaryDirectory() as made:
        for seed in range(options.first, options.first + options.cases):
            with tempfile.TemporaryDirectory() as scratch:
                if options.keep:
                    shutil.rmtree(options.keep, ignore_errors=True)
                    os.makedirs(options.keep)
                case = Case(seed, os.path.abspath(options.uplift), options.mpirun, options.keep or scratch, made)
                wrong, why = check(case, options.only.split(","), held)
                failures += len(wrong)
                refused += why != ""
                print(f"{'FAILED ' if wrong else 'refused' if why else 'ok     '} {seed} {case.draw.system.name} {why}", *wrong, sep="\n    " if wrong else "", flush=True)
                if wrong:
                    print(case.draw.text())
    print(f"{options.cases} cases, {refused} of them refused, {failures} failures;", ", ".join(f"{name} {n}" for name, n in held.items()))
    sys.exit(1 if failures or refused > options.cases / 2 else 0)


if __name__ == "__main__":
    main()
