"""Random valid inputs of a few dozen steps: what is drawn, for combinations_test.py. The same seed draws the same input."""
import json
import math
import os
import random
import re
import subprocess

INPUTS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "inputs"))
DYNAMICS = ("integrator", "timestep", "temperature", "friction", "seed", "com_removal_every", "pressure", "multiple_time_step", "constraint_tolerance")
UNIT = 0.5  # [fs] every time step is a multiple of this


class System:
    def __init__(self, name, topology, coordinates, solute, dihedral, total, periodic, cutoffs=(0.6, 0.9), weight=1, more=None):
        self.name, self.topology, self.coordinates, self.solute = name, topology, coordinates, solute
        self.dihedral, self.total = dihedral, total  # about the largest of these energies [kJ/mol], for thresholds
        self.periodic, self.cutoffs, self.weight, self.more = periodic, cutoffs, weight, more or {}


def shipped(name, gz=".gz"):
    return f"{INPUTS}/{name}/system.prmtop{gz}", f"{INPUTS}/{name}/system.inpcrd{gz}"


def systems(made):
    """Those that come with the source, and some that prepare() makes in a folder."""
    alanine = shipped("alanine-dipeptide-vacuum", "")
    cell = {"box": ["2.3 nm", "2.4 nm", "2.5 nm"]}
    skewed = {"box": ["2.6 nm", "2.6 nm", "2.6 nm", "70.53 deg", "109.47 deg", "70.53 deg"]}
    return [
        System("vacuum", *alanine, True, 60, 20, False, weight=4),
        System("implicit", *alanine, True, 60, -60, False, weight=3),
        System("chignolin", *shipped("chignolin-extended", ""), True, 400, -1500, False),
        System("lonely", *alanine, True, 60, 20, True, weight=3, more=cell),
        System("skewed", *alanine, True, 60, 20, True, weight=3, more=skewed),
        System("exception", f"{made}/exception.prmtop", alanine[1], True, 60, 20, True, weight=2, more=cell),
        System("water", *shipped("water-tip3p-small"), False, 0, -8000, True, cutoffs=(0.6, 0.8), weight=4),
        System("octahedron", f"{made}/octahedron.prmtop", f"{made}/relax/checkpoint.upc", True, 50, -15500, True, cutoffs=(0.6, 0.8), weight=2),
        System("octahedron", f"{made}/octahedron.prmtop", f"{made}/relax/trajectory.h5md", True, 50, -15500, True, cutoffs=(0.6, 0.8)),
        System("solvated", *shipped("alanine-dipeptide-tip3p"), True, 60, -26000, True),
    ]


def prepare(name, made, uplift):
    """Makes what a system of this name needs: a pair of Lennard-Jones types with parameters of its own; four-site water and ions in a truncated octahedron, after a run."""
    if name == "exception" and not os.path.exists(f"{made}/exception.prmtop"):
        with open(f"{INPUTS}/alanine-dipeptide-vacuum/system.prmtop") as f:
            text = f.read()
        second = re.search(r"%FLAG LENNARD_JONES_BCOEF *\n%FORMAT[^\n]*\n.{16}(.{16})", text)
        with open(f"{made}/exception.prmtop", "w") as f:
            f.write(text[:second.start(1)] + f"{0.5 * float(second[1]):16.8E}" + text[second.end(1):])
    if name == "octahedron" and not os.path.exists(f"{made}/relax"):
        subprocess.run([uplift, "build", "--sequence", "ACE ALA NME", "--water", "tip4pew", "--shape", "octahedron", "--edge", "2.5 nm", "--salt", "0.15 mol/L", "--forcefield", "amber99sb-ildn",
                        "--prmtop", f"{made}/octahedron.prmtop", "-o", f"{made}/octahedron"], check=True, capture_output=True)
        with open(f"{made}/relax.yaml", "w") as f:
            f.write("version: 1\nsystem: {topology: octahedron.prmtop, coordinates: octahedron.inpcrd}\nforces: {cutoff: 0.8 nm}\nstages:\n  - {name: down, minimize: {max_steps: 100}}\n"
                    "  - {name: warm, time: 0.4 ps, friction: 20 /ps, pressure: {barostat: c-rescale, every: 5, relaxation_time: 0.5 ps}}\n"
                    "output: {trajectory: {every: 0.4 ps, velocities: true}, energies: {every: 0.1 ps}, report: false}\n")
        subprocess.run([uplift, "run", f"{made}/relax.yaml", "--quiet", "--threads", "1"], check=True, capture_output=True)


class Draw:
    """One case: `input` is what goes into the file; a few words on it are for those who choose what to check."""

    def __init__(self, seed, made):
        self.seed = seed
        self.rng = random.Random(f"combinations {seed}")
        there = systems(made)
        self.system = self.rng.choices(there, [s.weight for s in there])[0]
        self.implicit = self.system.name in ("implicit", "chignolin")
        self.potentials, self.integrators, self.lengths = {}, {}, {}  # of stages: what the potential depends on, what moves velocities, and steps
        self.input = self.draw()
        self.exchange = any("exchange" in s for s in self.input["stages"])
        self.replicas = self.input["compute"].get("replicas", 1)
        if self.exchange:
            self.replicas = next(len(s["exchange"]["temperatures"]) for s in self.input["stages"] if "exchange" in s)

    def chance(self, p):
        return self.rng.random() < p

    def text(self):
        return json.dumps(self.input, indent=1)

    def draw(self):
        self.units = self.rng.choice([1, 2, 2, 4])  # inner steps, in UNITs
        self.heavy = self.chance(0.4) and self.rng.choice(["2 amu", "3 amu", "3.024 amu"])
        top = {"forces": self.forces(), "dynamics": self.dynamics({}, top=True)}
        self.base = {**top["forces"], **top["dynamics"]}
        stages = self.stages()
        system = {"topology": self.system.topology, "coordinates": self.system.coordinates, **self.system.more}
        if self.system.periodic and self.system.more and self.chance(0.25):
            system["copies"] = self.rng.choice([[2, 1, 1], [1, 2, 2], [1, 1, 3], [2, 2, 2]])
        return {"version": 1, "title": f"case {self.seed}", "system": system, **top, "stages": stages, "output": self.output(), "compute": self.compute(stages)}

    def forces(self):
        f = {"constraints": self.rng.choice(["none", "h-bonds", "h-bonds", "all-bonds", "h-angles"]), "rigid_water": self.chance(0.8)}
        if self.units * UNIT > 1:
            f.update(constraints=self.rng.choice(["h-bonds", "all-bonds", "h-angles"]), rigid_water=True)
        if self.heavy:
            f["hydrogen_mass"] = self.heavy
        if not self.system.periodic:
            f["nonbonded"] = "no-cutoff"
            if self.implicit:
                f["implicit_solvent"] = self.solvent()
            return f
        f["nonbonded"] = self.rng.choice(["pme", "pme", "pme", "reaction-field"])
        f["cutoff"] = f"{self.cutoff():.4g} nm"
        if self.chance(0.4):
            f["switch_distance"] = f"{float(f['cutoff'].split()[0]) - self.rng.choice([0.05, 0.1, 0.2]):.4g} nm"
        if self.chance(0.3):
            f["dispersion_correction"] = self.chance(0.5)
        if f["nonbonded"] == "pme" and self.chance(0.7):
            f["pme"] = self.mesh()
        if f["nonbonded"] == "reaction-field" and self.chance(0.5):
            f["reaction_field"] = {"dielectric": self.rng.choice([1, 5, 78.5])}
        return f

    def cutoff(self):
        low, high = self.system.cutoffs
        return round(self.rng.uniform(low, high), 2)

    def mesh(self):
        order = self.rng.choice([4, 5, 6])
        if self.chance(0.5):
            return {"tolerance": self.rng.choice([2e-3, 5e-4, 1e-4]), "order": order}
        return {"alpha": f"{self.rng.uniform(2.5, 4):.3g} /nm", "grid": [self.rng.choice([20, 22, 24, 25, 27, 32]) for _ in range(3)], "order": order}

    def solvent(self):
        return {"model": self.rng.choice(["hct", "obc1", "obc2", "gbn", "gbn2"]), "salt": self.rng.choice(["0 mol/L", "0.15 mol/L"]), "surface": self.rng.choice(["none", "ace"])}

    def levels(self, units, groups):
        """Levels for these groups, and how many inner steps an outer one has. Periods [fs] are some that impulses do not heat up much."""
        most = {"bonded": 2, "nonbonded": 3, "restraints": 4, "implicit-solvent": 4, "pme-reciprocal": 6}
        every = self.rng.choice([[1], [1, 2], [1, 3], [1, 4], [1, 2, 4], [1, 3, 6], [1, 1], [2, 1], [1, 2, 2]])
        shares = [[] for _ in every]
        for g in self.rng.sample(groups, len(groups)):
            fits = [k for k, e in enumerate(every) if e == 1 or e * units * UNIT <= most[g]]
            shares[self.rng.choice(fits)].append(g)
        made = [{"forces": share, "every": e} for share, e in zip(shares, every) if share]
        if all(level["every"] > 1 for level in made):
            return [{"forces": groups, "every": 1}], 1
        made = [m for m in made if max(level["every"] for level in made) % m["every"] == 0]
        if sum(len(m["forces"]) for m in made) < len(groups):
            return [{"forces": groups, "every": 1}], 1
        return made, max(level["every"] for level in made)

    def groups(self, forces):
        all_of = ["bonded", "nonbonded"]
        if forces.get("nonbonded") == "pme":
            all_of.append("pme-reciprocal")
        if "implicit_solvent" in forces:
            all_of.append("implicit-solvent")
        return all_of + ["restraints"]

    def dynamics(self, forces, top=False):
        kind = self.rng.choice(["verlet", "langevin", "langevin", "nose-hoover", "v-rescale"])
        d = {"integrator": kind, "temperature": self.rng.choice(["300 K", "310 K", "150 K", "400 K"]), "seed": self.rng.randrange(1000)}
        friction = self.rng.choice(["1 /ps", "5 /ps", "20 /ps", "0 /ps"])
        if kind == "nose-hoover" and friction == "0 /ps":
            friction = "2 /ps"
        if (self.chance(0.7) or friction == "2 /ps") and kind != "verlet":
            d["friction"] = friction
        if self.chance(0.4):
            d["com_removal_every"] = self.rng.choice([0, 1, 3, 7, 10])
        if self.chance(0.3):
            d["constraint_tolerance"] = self.rng.choice([1e-4, 1e-6, 1e-8])
        if self.system.periodic and kind != "verlet" and self.chance(0.35):
            d["pressure"] = self.pressure()
        d["timestep"] = f"{self.units * UNIT:g} fs"
        return d

    def pressure(self):
        p = {"barostat": self.rng.choice(["monte-carlo", "c-rescale"]), "coupling": self.rng.choice(["isotropic", "semi-isotropic", "anisotropic"]), "every": self.rng.choice([1, 2, 5, 7, 25])}
        if self.chance(0.4):
            p["pressure"] = self.rng.choice(["1 bar", "0 bar", "500 bar", "1 atm"])
        if p["barostat"] == "c-rescale" and self.chance(0.4):
            p["relaxation_time"] = self.rng.choice(["1 ps", "5 ps"])
        return p

    def stages(self):
        """Each with the settings above or some of its own."""
        made = []
        self.steps = []  # of the stages, in UNITs
        if self.chance(0.4):
            made.append({"name": "down", "minimize": {"max_steps": self.rng.choice([0, 1, 5, 20]), "force_tolerance": self.rng.choice(["10 kJ/mol/nm", "1000 kJ/mol/nm"])}})
        for k in range(self.rng.choice([1, 1, 2, 2, 3, 4])):
            made.append(self.stage(f"s{k}", made))
        return made

    def stage(self, name, before):
        stage, own = {"name": name}, {}
        for key in ("integrator", "temperature", "friction", "seed", "com_removal_every", "pressure"):
            if before and self.chance(0.15):
                fresh = self.dynamics({})
                if key in fresh:
                    own[key] = fresh[key]
        if self.system.periodic and before and self.chance(0.2):
            fresh = self.forces()
            for key in self.rng.sample(["cutoff", "switch_distance", "pme", "nonbonded", "dispersion_correction", "constraints", "rigid_water"], 2):
                if key in fresh:
                    own[key] = fresh[key]
        elif self.implicit and before and self.chance(0.15):
            own["implicit_solvent"] = self.rng.choice(["none", self.solvent()])
        if before and self.chance(0.2) and self.units * UNIT <= 2:
            own["hydrogen_mass"] = self.rng.choice(["none", "3.024 amu", "2 amu"]) if self.heavy else "3.024 amu"
        for key in ("pressure", "switch_distance"):
            if key in self.base and before and self.chance(0.2):
                own[key] = "none"
        whole = {**self.base, **own}
        for key in [k for k in whole if whole[k] == "none" and k != "constraints"]:
            del whole[key]
        self.repair(whole, own)
        units = self.units
        if self.chance(0.25):
            units = self.rng.choice([u for u in (1, 2, 4) if u <= self.units] or [self.units])
        outer = 1
        if self.chance(0.4):
            groups = self.groups(whole)
            own["multiple_time_step"], outer = self.levels(units, groups)
        if units * outer != self.units or outer != 1:
            own["timestep"] = f"{units * outer * UNIT:g} fs"
        steps = self.rng.randint(3, 40)
        step = units * outer
        self.steps.append(step)
        stage["time"] = self.time(steps * step)
        thermostat = whole["integrator"] != "verlet"
        if self.chance(0.25):
            stage["restraints"] = {"positions": self.rng.choice(["all", "heavy", "not water", "resid 1"]) if self.system.solute else self.rng.choice(["all", "resid 1-20", "heavy"]), "k": self.rng.choice(["10 kJ/mol/nm^2", "1000 kJ/mol/nm^2", "5 kcal/mol/A^2"])}
        special = self.rng.choice(["none", "none", "ramp", "collect", "collect", "bias", "bias", "exchange"])
        if special == "ramp" and thermostat and "temperature" not in own:
            stage["temperature_ramp"] = {"from": self.rng.choice(["50 K", "300 K", "10 K"]), "to": self.rng.choice(["300 K", "20 K", "350 K"])}
        elif special == "collect":
            stage["collect"] = "energies"
        elif special == "bias":
            stage["bias"] = self.bias(before, step, whole)
            if self.chance(0.3):
                stage["collect"] = "energies"
        elif special == "exchange" and thermostat and not any("exchange" in b for b in before):
            own.pop("temperature", None)
            stage["exchange"] = {"temperatures": self.rng.choice([["300 K", "303 K"], ["300 K", "310 K", "320 K"], ["290 K", "350 K"]]), "every": self.time(step * self.rng.choice([1, 3, 5, 10]))}
            if self.chance(0.3):
                stage["exchange"]["after"] = self.time(step * self.rng.choice([2, 6, 9]))
        forces = {k: v for k, v in {**self.base, **own}.items() if k not in DYNAMICS}
        self.potentials[name] = json.dumps([forces, stage.get("restraints"), stage.get("bias")], sort_keys=True)
        self.integrators[name] = json.dumps([whole["integrator"] == "verlet", step, own.get("multiple_time_step")])
        self.lengths[name] = steps
        return self.place(stage, own)

    def repair(self, whole, own):
        """Takes out what the input's reader would refuse."""
        if whole["integrator"] == "verlet" and "pressure" in whole:
            own["pressure"] = "none"
            del whole["pressure"]
        if own.get("integrator") == "verlet":
            own.pop("friction", None)
        if whole["integrator"] == "nose-hoover" and whole.get("friction") == "0 /ps":
            own["friction"] = whole["friction"] = "2 /ps"
        if "switch_distance" in whole and float(whole["switch_distance"].split()[0]) >= float(whole["cutoff"].split()[0]):
            own["switch_distance"] = "none"
        if "tolerance" in own.get("pme", {}) and "alpha" in self.base.get("pme", {}):
            own["pme"] = {"order": own["pme"]["order"]}
        if self.units * UNIT > 1 and ("constraints" in own or "rigid_water" in own):
            if own.get("constraints") == "none":
                own["constraints"] = "h-bonds"
            if "rigid_water" in own:
                own["rigid_water"] = True

    def place(self, stage, own):
        """Directly, or in the blocks that the keys belong to."""
        for key, value in own.items():
            block = "dynamics" if key in DYNAMICS else "forces"
            if self.chance(0.5):
                stage[key] = value
            else:
                stage.setdefault(block, {})[key] = value
        return stage

    def bias(self, before, step, whole):
        amd = self.chance(0.5)
        boost = self.rng.choice(["dihedral", "total", "dual"] if self.system.solute or self.chance(0.1) else ["total"])
        bias = {"method": "amd" if amd else "gamd", "boost": boost, "convention": self.rng.choice(["amber", "namd"])}
        sources = [b for b in before if "collect" in b and "bias" not in b]
        adapted = [b for b in before if "bias" in b and "update_every" in b["bias"] and b["bias"]["method"] == "gamd"]
        if not amd and adapted and self.chance(0.7):
            source = self.rng.choice(adapted)
            bias.update(boost=source["bias"]["boost"], convention=source["bias"]["convention"])
            sources = [source]
        if sources and self.chance(0.9):
            parameters = {"from": self.rng.choice(sources)["name"]}
            if amd:
                parameters["rule"] = self.rng.choice(["residues", "deviations"])
                if parameters["rule"] == "deviations":
                    parameters["k"] = self.rng.choice([1, 4])
            else:
                parameters["bound"] = self.rng.choice(["lower", "upper"])
                if self.chance(0.5):
                    bias["update_every"] = self.time(step * self.rng.choice([1, 4, 7]))
        else:
            copies = math.prod(self.system.more.get("copies", [1]))
            parameters = {}
            for name, energy, width in (("dihedral", self.system.dihedral, 20 + abs(self.system.dihedral)), ("total", self.system.total, 50 + abs(self.system.total) / 4)):
                if boost in (name, "dual"):
                    shape = {"alpha": f"{self.rng.choice([0.2, 1, 3]) * width:g} kJ/mol"} if amd else {"k": f"{self.rng.choice([0.05, 0.2]) / width:.4g} mol/kJ"}
                    parameters[name] = {"threshold": f"{copies * energy + self.rng.uniform(-0.2, 0.3) * width:.5g} kJ/mol", **shape}
        bias["parameters"] = parameters
        return bias

    def time(self, units):
        return f"{units * UNIT:g} fs" if self.chance(0.7) else f"{units * UNIT * 1e-3:.12g} ps"

    def stride(self):
        return math.lcm(*self.steps) * self.rng.choice([1, 1, 2, 3, 5, 7]) if self.steps else 1

    def output(self):
        out = {"trajectory": {"every": self.time(self.stride())}, "energies": {"every": self.time(self.stride())}, "report": False}
        for key in ("trajectory", "energies"):
            if self.chance(0.05):
                out[key]["every"] = "0 ps"
        if self.chance(0.4):
            out["trajectory"]["velocities"] = True
        if self.seed % 3 == 0:
            out["trajectory"]["forces"] = True
        if self.chance(0.3):
            out["trajectory"]["atoms"] = self.rng.choice(["heavy", "resid 1-2", "not name H1"])
        if self.chance(0.3):
            out["trajectory"]["precision"] = self.rng.choice(["1e-4 nm", "1e-3 nm"])
        return out

    def compute(self, stages):
        c = {"backend": "cpu", "precision": self.rng.choice(["mixed", "mixed", "double"]), "threads": 1}
        if self.chance(0.15) and not any("exchange" in s for s in stages):
            c["replicas"] = self.rng.choice([2, 3])
        return c
