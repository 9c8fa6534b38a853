"""OpenMM as the peer of gpu_side_by_side.py: the same system, copies and mesh, timed in this process."""
import math
import os
import time

CUTOFF, HYDROGEN_MASS, TEMPERATURE, FRICTION = 0.9, 3.024, 300.0, 1.0  # nm, Da, K, 1/ps
PLUGINS = "/usr/lib/x86_64-linux-gnu/openmm/plugins"  # of Debian's OpenMM, which does not look there by itself


def openmm_system(case):
    """System and positions [nm], with the case's mesh. Copies are made here: OpenMM reads no file of a million atoms in reasonable time."""
    import numpy as np
    import openmm as mm
    from openmm import app, unit as u
    prmtop, inpcrd = app.AmberPrmtopFile(case.prmtop), app.AmberInpcrdFile(case.inpcrd)
    system = prmtop.createSystem(nonbondedMethod=app.PME, nonbondedCutoff=CUTOFF * u.nanometer, constraints=app.HBonds, rigidWater=True,
                                 removeCMMotion=True, hydrogenMass=HYDROGEN_MASS * u.dalton)
    make_water_rigid(system, prmtop.topology)
    system.setDefaultPeriodicBoxVectors(*inpcrd.boxVectors)
    x = np.array(inpcrd.positions.value_in_unit(u.nanometer))
    if case.copies != [1, 1, 1]:
        system, x = copied(system, whole(prmtop.topology, x, inpcrd.boxVectors.value_in_unit(u.nanometer)), case.copies)
    (nonbonded,) = (f for f in system.getForces() if isinstance(f, mm.NonbondedForce))
    nonbonded.setPMEParameters(case.pme["alpha"], *case.pme["grid"])
    return system, x


def make_water_rigid(system, topology):
    """OpenMM fixes the angle of an Amber file's water only where the file has a bond between the hydrogens. Where it has an angle instead, as
    ParmEd writes it, that becomes the constraint here: else it would not be the same simulation."""
    import openmm as mm
    from openmm import unit as u
    length = {}
    for k in range(system.getNumConstraints()):
        i, j, r = system.getConstraintParameters(k)
        length[i, j] = length[j, i] = r.value_in_unit(u.nanometer)
    waters = {}  # hydrogens -> oxygen, of those that are not rigid yet
    for residue in topology.residues():
        atoms = sorted((a for a in residue.atoms() if a.element is not None), key=lambda a: a.element.symbol)
        if [a.element.symbol for a in atoms] == ["H", "H", "O"] and (atoms[0].index, atoms[1].index) not in length:
            waters[frozenset((atoms[0].index, atoms[1].index))] = atoms[2].index
    if not waters:
        return
    (number,) = (k for k, f in enumerate(system.getForces()) if isinstance(f, mm.HarmonicAngleForce))
    old, kept = system.getForce(number), mm.HarmonicAngleForce()
    for k in range(old.getNumAngles()):
        i, j, l, angle, stiffness = old.getAngleParameters(k)
        if waters.pop(frozenset((i, l)), None) == j:
            a, b = length[i, j], length[l, j]
            system.addConstraint(i, l, math.sqrt(a * a + b * b - 2 * a * b * math.cos(angle.value_in_unit(u.radian))))
        else:
            kept.addAngle(i, j, l, angle, stiffness)
    if waters:
        raise RuntimeError(f"{len(waters)} water molecules have neither a bond nor an angle that tells their shape")
    system.removeForce(number)
    system.addForce(kept)


def whole(topology, x, box):
    """Molecules of a rectangular box in one piece: every atom at the image nearest to the one that its bond comes from."""
    import numpy as np
    edges = np.array([box[d][d] for d in range(3)])
    x = x.copy()
    for bond in topology.bonds():
        i, j = sorted((bond[0].index, bond[1].index))
        x[j] -= edges * np.round((x[j] - x[i]) / edges)
    return x


def copied(small, x, copies):
    import numpy as np
    import openmm as mm
    from openmm import unit as u
    a, b, c = (np.array(v.value_in_unit(u.nanometer)) for v in small.getDefaultPeriodicBoxVectors())
    offsets = [i * a + j * b + k * c for i in range(copies[0]) for j in range(copies[1]) for k in range(copies[2])]
    n, plain = small.getNumParticles(), lambda values: [v.value_in_unit_system(u.md_unit_system) if u.is_quantity(v) else v for v in values]
    big = mm.System()
    big.setDefaultPeriodicBoxVectors(*(mm.Vec3(*(m * v)) for m, v in zip(copies, (a, b, c))))
    masses = plain(small.getParticleMass(i) for i in range(n))
    constraints = [plain(small.getConstraintParameters(k)) for k in range(small.getNumConstraints())]
    for copy in range(len(offsets)):
        for m in masses:
            big.addParticle(m)
        for i, j, length in constraints:
            big.addConstraint(i + copy * n, j + copy * n, length)
    for force in small.getForces():
        if isinstance(force, mm.NonbondedForce):
            big.addForce(copied_nonbonded(force, n, len(offsets), plain))
        elif isinstance(force, mm.CMMotionRemover):
            big.addForce(mm.CMMotionRemover(force.getFrequency()))
        elif any(getattr(force, "getNum" + kind, lambda: 0)() for kind in ("Bonds", "Angles", "Torsions")):
            raise RuntimeError("only rigid water can be copied here")
    return big, np.concatenate([x + o for o in offsets])


def copied_nonbonded(force, n, copies, plain):
    import openmm as mm
    big = mm.NonbondedForce()
    big.setNonbondedMethod(force.getNonbondedMethod())
    big.setCutoffDistance(force.getCutoffDistance())
    big.setUseDispersionCorrection(force.getUseDispersionCorrection())
    particles = [plain(force.getParticleParameters(i)) for i in range(n)]
    exceptions = [plain(force.getExceptionParameters(k)) for k in range(force.getNumExceptions())]
    for copy in range(copies):
        for p in particles:
            big.addParticle(*p)
        for i, j, q, sigma, epsilon in exceptions:
            big.addException(i + copy * n, j + copy * n, q, sigma, epsilon)
    return big


def platform_named(name, plugins):
    import openmm as mm
    there = lambda: [mm.Platform.getPlatform(k).getName() for k in range(mm.Platform.getNumPlatforms())]
    for folder in (plugins, PLUGINS):
        if folder and name not in there():
            mm.Platform.loadPluginsFromDirectory(folder)
    if name not in there():
        raise RuntimeError(f"no {name} platform (it has {', '.join(there())}; failures: {'; '.join(mm.Platform.getPluginLoadFailures()) or 'none'})")
    return mm.Platform.getPlatformByName(name)


class OpenMM:
    def __init__(self, case, precision, built):
        import openmm as mm
        from openmm import unit as u
        self.case, self.options, self.rate = case, case.options, None
        system, self.x = built
        chosen = platform_named("CUDA" if case.options.backend == "cuda" else "CPU", case.options.openmm_plugins)
        properties = {"Precision": precision} if chosen.getName() == "CUDA" else {"Threads": str(case.options.threads or os.cpu_count())}
        self.integrator = mm.LangevinMiddleIntegrator(TEMPERATURE * u.kelvin, FRICTION / u.picosecond, case.options.timestep * u.femtosecond)
        self.integrator.setRandomNumberSeed(1)
        self.context = mm.Context(system, self.integrator, chosen, properties)
        self.context.setPositions(self.x)
        (nonbonded,) = (f for f in system.getForces() if isinstance(f, mm.NonbondedForce))
        try:
            alpha, *grid = nonbonded.getPMEParametersInContext(self.context)
            self.pme = {"alpha": getattr(alpha, "_value", alpha), "grid": [int(n) for n in grid], "order": 5}
        except mm.OpenMMException as e:  # seen now and then in 8.6: std::bad_cast. The force error tells whether it is the mesh asked for
            self.pme = {**case.pme, "note": f"as asked for; OpenMM did not tell ({e})"}
        self.version = f"OpenMM {mm.version.version}, {chosen.getName()}"
        if chosen.getName() == "CPU" and not chosen.supportsKernels(["CalcPmeReciprocalForce"]):
            self.version += ", PME by reference code"

    def forces(self):
        """Of the coordinates as given; to be called before anything is measured."""
        from openmm import unit as u
        state = self.context.getState(getForces=True)
        return state.getForces(asNumpy=True).value_in_unit(u.kilojoule_per_mole / u.nanometer)

    def start(self):
        import openmm as mm
        mm.LocalEnergyMinimizer.minimize(self.context, 10, 20)
        self.context.setVelocitiesToTemperature(TEMPERATURE, 1)

    def steps(self, n):
        began = time.perf_counter()
        self.integrator.step(n)
        self.context.getState(getEnergy=True)  # waits for the device
        return n / (time.perf_counter() - began)

    def measure(self, seconds):
        if self.rate is None:
            self.start()
            self.rate = self.steps(20)
        warm_up = time.perf_counter() + seconds / 5
        while time.perf_counter() < warm_up:
            self.rate = self.steps(max(10, int(self.rate * seconds / 20)))
        self.rate = self.steps(max(10, int(self.rate * seconds)))
        return self.rate * self.options.timestep * 1e-6 * 86400, {}
