#!/usr/bin/python3
"""docs/validation.md and its figures from benchmarks/results: the page shows what was measured and nothing else.

  tools/validation_page.py            writes docs/validation.md and docs/figures/*.svg (needs matplotlib);
                                      alanine-*.png there are links to the example's
  tools/validation_page.py --check    exit status 1 when the committed page is not what the results say (needs nothing)
"""
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "benchmarks", "results")
PAGE = os.path.join(ROOT, "docs", "validation.md")
FIGURES = os.path.join(ROOT, "docs", "figures")
BLUE, ORANGE = "#2364aa", "#d1632a"


def result(name):
    with open(os.path.join(RESULTS, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def table(head, rows):
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"


def made_by(record):
    return f"Made by `{record['command']}` on {record['date']}.\n"


def with_error(pair, digits):
    return f"{pair[0]:.{digits}f} ± {pair[1]:.{digits}f}"


def forces():
    double, mixed = result("forces-double"), result("forces-mixed")
    rows = [[d["system"], d["atoms"], d["setting"], f"{d['rms_force_error']:.1e}", f"{m['rms_force_error']:.1e}"]
            for d, m in zip(double["rows"], mixed["rows"])]
    return f"""## Forces and energies against an independent engine

Root mean square of the difference between uplift's forces and OpenMM's in double precision, as a fraction of the rms force; every term of the
energy is compared as well. The limits of the test, which runs with all others: 1e-6 in double precision; in mixed precision 5e-6 without a mesh and 5e-5 with PME.

![Force errors of all systems in both precisions](figures/forces.svg)

{table(["system", "atoms", "setting", "double", "mixed"], rows)}
Models of implicit solvent other than OBC2 differ by 2e-7 because OpenMM has an older Coulomb constant in them. {made_by(double)}"""


def conservation():
    rows = [[r["system"], f"{r['timestep_fs']:g} fs", r["hydrogen_mass"] or "own", r["slow_every"], f"{r['drift_kT_per_ns_per_dof']:.1e} ± {r['standard_error']:.1e}",
             f"{r['fitted_ps']:g} ps"] for r in result("nve-drift")]
    return f"""## Energy conservation

Drift of the total energy in constant-energy runs, mixed precision, in kT per nanosecond and degree of freedom; ± is the standard error of the fit.

{table(["system", "step", "hydrogen mass [Da]", "PME mesh every", "drift", "fitted"], rows)}
Made by `benchmarks/nve_drift.py`; the commands are in `benchmarks/results/nve-drift.json`.
"""


def ensembles():
    record = result("physical-validation")
    rows = []
    for case in record["cases"]:
        found = case["deviations_in_standard_errors"]
        worst = max(found, key=lambda k: abs(found[k]))
        rows.append([case["case"], len(found), f"{found[worst]:+.2f}", worst, "yes" if case["passed"] else "NO"])
    return f"""## Ensembles

Kinetic energies (mean, width, and how they are shared among translation and rotation) and the ratio of the distributions of pairs of neighbouring temperatures or pressures,
tested with physical_validation {record['physical_validation']} (Merz and Shirts, PLoS ONE 13, e0202764 (2018)) on runs of water. A deviation is in standard errors: 1 is usual, {record['limit_standard_errors']:g} is the limit.

![Deviations of all checks from statistical mechanics](figures/ensembles.svg)

{table(["thermostat, barostat", "checks", "largest deviation", "of", "within the limit"], rows)}
{made_by(record)}"""


def water():
    record = result("water")
    rows = [[name, with_error(r["density_g_per_cm3"], 4), with_error(r["diffusion_1e-5_cm2_per_s"], 2), f"{r['temperature_K']:.1f}"] for name, r in record["results"].items()]
    return f"""## Water

TIP3P at 300 K and 1 bar. The test takes densities from 0.975 to 0.990 g/cm³, and self-diffusion from 5.0 to 6.5·10⁻⁵ cm²/s, the range of the literature for this model
(Price and Brooks, J. Chem. Phys. 121, 10096 (2004); Vega and Abascal, Phys. Chem. Chem. Phys. 13, 19663 (2011)); diffusion is corrected for the size of the box.

{table(["step", "density [g/cm³]", "self-diffusion [10⁻⁵ cm²/s]", "temperature [K]"], rows)}
{made_by(record)}"""


def free_energy():
    record = result("alanine-dipeptide-vacuum")[0]
    rows = [[{"amd": "aMD", "gamd": "GaMD"}[name], r["runs"], r["transitions"], f"{r['phi_60']:.2f}", f"{r['phi_psi_30']['rms']:.2f}", f"{r['phi_psi_60']['rms']:.2f}"]
            for name, r in record["results"].items()]
    return f"""## Free energy from boosted runs

Alanine dipeptide in vacuum: boosted runs, reweighted, against {record['truth']}. Rms difference below 15 kJ/mol, in {record['units']}.

![Free energy of phi](figures/alanine-phi.png)
![Free energy of phi and psi](figures/alanine-ramachandran.png)

{table(["method", "runs", "transitions over phi", "phi, 60 bins", "phi and psi, 30 x 30 bins", "60 x 60 bins"], rows)}
{made_by(record)}"""


def beside_peers():
    record = result("cpu-side-by-side")
    def speed(found):
        return f"{sorted(found['ns_per_day'])[len(found['ns_per_day']) // 2]:.1f}" if found else ""
    rows = [[s["system"], *(speed(s["engines"].get(e)) for e in ("uplift", "gromacs", "openmm")), *(f"{s['ratios'][k]:.2f}" if k in s["ratios"] else "" for k in ("uplift/gromacs", "uplift/openmm"))]
            for s in record["systems"]]
    engines = record["systems"][0]["engines"]
    return f"""## Speed on a CPU

Median of alternating runs in one session on {record['threads']} cores of an {record['machine']['processor']}, steps of {record['timestep_fs']} fs, in ns/day. GROMACS is {engines['gromacs']['version']} as packaged, for
{engines['gromacs']['detail']['simd']}; OpenMM {engines['openmm']['version'].split('-')[0]} as packaged, {engines['openmm']['detail']['pme']}.

{table(["system", "uplift", "GROMACS", "OpenMM", "uplift/GROMACS", "uplift/OpenMM"], rows)}
{made_by(record)}"""


def beside_peers_on_gpu():
    record = result("gpu-side-by-side")
    version = next(e["version"] for e in record["systems"][0]["engines"].values() if e["version"].startswith("OpenMM")).split(",")[0]
    rows = []
    for s in record["systems"]:
        speed = {name: e["median_ns_per_day"] for name, e in s["engines"].items()}
        error = s["engines"]["uplift"].get("force_error"), s["engines"]["openmm-mixed"].get("force_error")
        rows.append([s["system"], s["atoms"], *(f"{speed[e]:.4g}" if e in speed else "-" for e in ("uplift", "uplift-mts", "openmm-mixed", "openmm-single")),
                     *(f"{s['ratios'][r]['of_medians']:.2f}" if r in s["ratios"] else "-" for r in ("uplift/openmm-mixed", "uplift/openmm-single")),
                     " and ".join(f"{e:.2e}" for e in error) if all(error) else "-"])
    return f"""## Speed on a GPU

Engines in turns on one {record["machine"]["gpu"]["name"]}, in ns/day: steps of 4 fs with hydrogens of {record["hydrogen_mass_da"]:g} Da, cutoff {record["cutoff_nm"]:g} nm, PME with the same mesh for all, Langevin at 300 K, no output; uplift in mixed
precision, "mesh every 2nd" with the PME mesh every second of these steps. {version} on CUDA. The force error is that of uplift and of OpenMM (mixed), as a fraction of the rms force, against a mesh
that leaves 1e-6: equal accuracy.

{table(["system", "atoms", "uplift", "mesh every 2nd", "OpenMM mixed", "OpenMM single", "uplift/mixed", "uplift/single", "force error"], rows)}
Made by `benchmarks/gpu_side_by_side.py` on {record["date"]}; commands and all that was measured are in `benchmarks/results/gpu-side-by-side.json`.
"""


def page():
    parts = [forces(), conservation(), ensembles(), water(), free_energy(), beside_peers(), beside_peers_on_gpu()]
    return "# Validation\n\nWhat was measured, by which command. This page is written by `tools/validation_page.py` from the files of `benchmarks/results`.\n\n" + "\n".join(parts)


def draw():
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "uplift"  # the same file for the same numbers
    import matplotlib.pyplot as plt

    def save(figure, name):
        figure.tight_layout()
        figure.savefig(os.path.join(FIGURES, name), metadata={"Date": None})
        plt.close(figure)

    double, mixed = result("forces-double")["rows"], result("forces-mixed")["rows"]
    figure, axes = plt.subplots(figsize=(8, 4.6))
    for rows, colour, marker, label in ((double, BLUE, "o", "double"), (mixed, ORANGE, "s", "mixed")):
        axes.plot([r["rms_force_error"] for r in rows], range(len(rows)), marker, color=colour, label=label)
    axes.set_yticks(range(len(double)), [f"{r['system']}, {r['setting']}" for r in double], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(1e-6, color=BLUE, linewidth=0.8, linestyle=":", label="limit, double")
    axes.axvline(5e-6, color=ORANGE, linewidth=0.8, linestyle=":", label="limit, mixed, no mesh")
    axes.set(xscale="log", xlabel="rms force error / rms force")
    axes.legend(fontsize=8)
    save(figure, "forces.svg")

    record = result("physical-validation")
    figure, axes = plt.subplots(figsize=(8, 3.4))
    for k, case in enumerate(record["cases"]):
        found = [abs(v) for v in case["deviations_in_standard_errors"].values()]
        axes.plot(found, [k] * len(found), "o", color=BLUE, alpha=0.6, markersize=5)
    axes.set_yticks(range(len(record["cases"])), [c["case"] for c in record["cases"]], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(record["limit_standard_errors"], color=ORANGE, linewidth=0.8, linestyle=":", label="limit")
    axes.set(xlim=(0, None), xlabel="deviation [standard errors]")
    axes.legend(fontsize=8)
    save(figure, "ensembles.svg")



def main():
    if sys.argv[1:] not in ([], ["--check"]):
        print(__doc__)
        return 2
    if sys.argv[1:]:
        with open(PAGE, encoding="utf-8") as f:
            if f.read() == page():
                return 0
        print("docs/validation.md is not what benchmarks/results says: tools/validation_page.py")
        return 1
    os.makedirs(FIGURES, exist_ok=True)
    draw()
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
