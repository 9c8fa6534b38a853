#!/usr/bin/python3
"""What several ranks cost, as a model: held against what measure.py found here, then asked about up to 1,024 GPUs.

  model.py [--measured ../results/scaling.json] [--gpu ../results/gpu-side-by-side.json] [--json ../results/scaling-model.json] [--figure scaling.svg]

README.md says what is in it. The geometry of halos and meshes is that of the program (src/domain, src/backend/cpu/mesh_ranks.hpp) and is
checked against bytes that were counted; CPU times are fitted here; the time of a step on one GPU is a line through what was measured on one; times of networks
are assumptions, named below with where they come from.
Needs numpy; matplotlib for the figure.
"""
import argparse
import json
import os
from dataclasses import dataclass

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DENSITY = 100.0  # atoms in a cubic nanometre of water
ORDER = 5        # of the splines
SPACING = 0.111  # of the mesh [nm], as the program chooses it for a cutoff of 0.9 nm


@dataclass
class Parts:
    """What a rank has to do and to send in a step."""
    home: float
    halo: float
    halo_bytes: float      # positions there, forces back
    halo_messages: float
    # Of the mesh. Charges go to the ranks that transform, and potentials come back; in between there are two transposes.
    mesh_sent: float       # bytes, mean over all ranks
    mesh_points: float     # of a rank that transforms, which is the busiest:
    mesh_bytes: float      # that it sends or receives, round after round
    mesh_messages: float


def domains(ranks, box, reach):
    """The grid that the program takes: smallest halo among those that are wide enough. None: too many ranks."""
    best = None
    for x in range(1, ranks + 1):
        for y in range(1, ranks // x + 1):
            if ranks % x or ranks // x % y:
                continue
            n = (x, y, ranks // x // y)
            width = np.array(box) / n
            if any(c > 1 and w < reach for c, w in zip(n, width)):
                continue
            size = halo_volume(width, n, reach)
            if best is None or size < best[0]:
                best = (size, n)
    return best and best[1]


def halo_volume(width, n, reach):
    """Of an eighth shell: positions come from the upper side alone."""
    return np.prod([w + (reach if c > 1 else 0) for w, c in zip(width, n)]) - np.prod(width)


def parts(atoms, box, ranks, reach, mesh, grown=1.0, transforming=None):
    """`transforming`: ranks that the mesh is cut over; None: all. `grown`: halo as counted, beside that of the geometry: groups that reach into it are kept whole."""
    n = domains(ranks, box, reach)
    if n is None:
        return None
    width = np.array(box) / n
    halo = grown * halo_volume(width, n, reach) * atoms / np.prod(box)
    neighbours = np.prod([2 if c > 1 else 1 for c in n]) - 1
    transforming = min(transforming or ranks, ranks, mesh[0], mesh[1])
    points = np.prod(mesh) / transforming
    extent = [min(m, m / c + ORDER) if c > 1 else m for m, c in zip(mesh, n)]  # of what a rank's atoms are spread on
    # Planes of x of it that a rank transforms itself, if it does; mean over all of points that it does not.
    own = min(1.0, mesh[0] / transforming / extent[0])
    away = np.prod(extent) * (1 - own * transforming / ranks) if ranks > 1 else 0.0
    crowd = ranks / transforming
    half = np.prod(mesh) * (mesh[2] / 2 + 1) / mesh[2] / transforming
    transposes = 2 * 8 * half * (1 - 1 / transforming)
    partners = min(transforming, extent[0] * transforming / mesh[0] + 1)  # ranks whose planes a rank's charges are on
    return Parts(atoms / ranks, halo, 48 * halo, 2 * neighbours, 2 * 4 * away + transposes / crowd, points, 2 * 4 * away * crowd + transposes, 2 * (crowd * partners - 1) + 2 * (transforming - 1))


# ---- held against what was measured here ----

COMMUNICATION = ("halo positions", "halo forces", "PME mesh between ranks", "sums over ranks", "migration")


def predict_sent(row):
    edge = (18.01528 / 0.997 / 602.214076) ** (1 / 3)
    box = [edge * n for n in row["waters"]]
    sent = row["sent"]
    counted = sent["halo_atoms"] / sent["ideal_halo_atoms"]
    found = None
    for reach in np.arange(0.9, 1.6, 0.005):  # cutoff and the list's buffer, which the program chooses
        width = np.array(box) / sent["domains"]
        if halo_volume(width, sent["domains"], reach) * row["atoms"] / np.prod(box) >= sent["ideal_halo_atoms"]:
            found = reach
            break
    return found, counted


def check(rows):
    """Volumes counted, beside the model's; CPU times fitted."""
    single = [r for r in rows if r["ranks"] == 1 and "ms_per_step" in r]
    several = [r for r in rows if r["ranks"] > 1 and "sent" in r]
    atoms = np.array([r["atoms"] for r in single], float)
    ms = np.array([np.median(r["ms_per_step"]) for r in single])
    slope, start = np.polyfit(atoms, ms, 1)
    volumes = []
    for r in several:
        reach, grown = predict_sent(r)
        sent = r["sent"]
        edge = (18.01528 / 0.997 / 602.214076) ** (1 / 3)
        box = [edge * n for n in r["waters"]]
        transforming = r.get("mesh_ranks", r["ranks"])
        p = parts(r["atoms"], box, r["ranks"], reach, [round(b / SPACING) for b in box], transforming=transforming)
        volumes.append({"atoms": r["atoms"], "ranks": r["ranks"], "mesh_ranks": transforming, "domains": sent["domains"], "reach_nm": round(float(reach), 3), "halo_counted_to_slab": round(grown, 3),
                        "position_bytes_per_halo_atom": round(sent["bytes_per_step"]["positions"] / sent["halo_atoms"], 2),
                        "force_bytes_per_halo_atom": round(sent["bytes_per_step"]["forces"] / sent["halo_atoms"], 2), "mesh_bytes_counted_to_model": round(sent["bytes_per_step"]["mesh"] / p.mesh_sent, 2), "messages": sent["messages_per_step"]})
    timed = [r for r in several if "ms_per_step" in r]
    shares = []
    for r in timed:
        phases = r["phases_ms_per_step"]
        talk = sum(phases.get(p, 0) for p in COMMUNICATION)
        one = start + slope * r["atoms"]
        now = float(np.median(r["ms_per_step"]))
        shares.append({"kind": r["kind"], "atoms": r["atoms"], "ranks": r["ranks"], "mesh_ranks": r.get("mesh_ranks", r["ranks"]), "ms_per_step": round(now, 3), "one_rank_fit_ms": round(float(one), 3),
                       "speedup": round(float(one) / now, 3), "communication_and_waiting_ms": round(talk, 3),
                       "bytes": round(sum(r["sent"]["bytes_per_step"].values()))})
    return {"cpu_us_per_atom": round(float(1e3 * slope), 4), "cpu_start_ms": round(float(start), 4), "volumes": volumes, "two_ranks": shares,
            "halo_counted_to_slab": round(float(np.mean([v["halo_counted_to_slab"] for v in volumes])), 3),
            "reach_nm": round(float(np.mean([v["reach_nm"] for v in volumes])), 3)}


# ---- asked about GPUs ----

@dataclass
class Device:
    name: str
    source: str
    start_us: float     # of a step, whatever its size
    ns_per_atom: float  # of a step on one GPU, mesh included
    mesh_share: float   # of the latter


@dataclass
class Network:
    """Bandwidths are what a GPU sees in one direction; a message's cost is paid once for all that leave together, and `each` for each of them."""
    node: int = 8
    nvlink: float = 300e9
    between: float = 40e9
    latency_us: float = 8.0
    each_us: float = 0.7


TARGET = Device("our target", "straight line through 60 us and 1.8 ms for DHFR and a million atoms; measured by nobody", 21.0, 1.67, 0.25)


def measured_device(path):
    """A line through the smallest and the largest system that gpu_side_by_side.py timed on one GPU; the mesh's share is twice what a mesh every second step saves the largest."""
    with open(path) as f:
        found = json.load(f)
    us = sorted((s["atoms"], s["engines"]["uplift"]["us_per_step"], s["engines"]["uplift-mts"]["us_per_step"]) for s in found["systems"])
    (few, quick, _), (many, slow, half_mesh) = us[0], us[-1]
    each = (slow - quick) / (many - few)
    start = quick - each * few
    between = "; ".join(f"{atoms} atoms come out at {start + each * atoms:.0f} us where {t:.0f} were measured" for atoms, t, _ in us[1:-1])
    gpu = found["machine"]["gpu"]["name"]
    return Device("as measured", f"{os.path.basename(path)}: straight line through {quick:.1f} us at {few} atoms and {slow:.0f} us at {many} ({gpu}, revision {found['uplift_revision']}); {between}",
                  start, 1e3 * each, 2 * (slow - half_mesh) / (each * many))


DESIGNS = {
    "nothing overlaps": "and the mesh is cut over all ranks",
    "overlapped": "pairs hide what is sent",
    "as built": "pairs hide what is sent, and the mesh is cut over as many ranks as suits best",
}


def best_step_us(atoms, ranks, device, network, reach, grown, design, mesh_every):
    choices = [None] if design != "as built" else [2**k for k in range(11) if 2**k <= ranks]
    steps = [step_us(atoms, ranks, device, network, reach, grown, design != "nothing overlaps", mesh_every, c) for c in choices]
    return min((s for s in steps if s), key=lambda s: s["step"], default=None)


def step_us(atoms, ranks, device, network, reach, grown, overlap, mesh_every, transforming):
    edge = (atoms / DENSITY) ** (1 / 3)
    points = [int(round(edge / SPACING))] * 3
    p = parts(atoms, [edge] * 3, ranks, reach, points, grown, transforming)
    if p is None:
        return None
    direct = 1e-3 * device.ns_per_atom * (1 - device.mesh_share) * (p.home + 0.15 * p.halo)
    mesh = 1e-3 * device.ns_per_atom * device.mesh_share * (0.6 * p.home + 0.4 * p.mesh_points / (DENSITY**-1 / SPACING**3))
    if ranks == 1:
        return {"step": device.start_us + direct + mesh / mesh_every, "halo": 0.0, "mesh talk": 0.0, "direct": direct, "mesh": mesh / mesh_every}
    # Of what is sent, so much leaves the node: of a transpose all that goes to other nodes, of a halo about half.
    leaves = 0.0 if ranks <= network.node else 1 - network.node / ranks
    def seconds(size, outside):
        return size * ((1 - outside) / network.nvlink + outside / network.between)
    halo = 2 * network.latency_us + network.each_us * p.halo_messages + 1e6 * seconds(p.halo_bytes, min(0.5, leaves))
    talk = 4 * network.latency_us + network.each_us * p.mesh_messages + 1e6 * seconds(p.mesh_bytes, leaves)
    sums = 2 * network.latency_us * np.log2(ranks) / 10  # energies, one step in ten
    parts_us = {"direct": direct, "mesh": mesh / mesh_every, "halo": halo, "mesh talk": talk / mesh_every, "ranks with mesh": min(transforming or ranks, points[0])}
    if overlap:  # pairs hide what is sent; work on one GPU hides no other work
        step = device.start_us + mesh / mesh_every + max(direct, halo + talk / mesh_every) + sums
    else:
        step = device.start_us + direct + mesh / mesh_every + halo + talk / mesh_every + sums
    return {"step": step, **parts_us}


def predict(devices, reach, grown):
    network, tables = Network(), []
    for device in devices:
        for design in DESIGNS:
            for mesh_every in (1, 2):
                def at(atoms, ranks):
                    return best_step_us(atoms, ranks, device, network, reach, grown, design, mesh_every)
                about = {"device": device.name, "design": design, "mesh_every": mesh_every}
                for atoms in (1e6, 1e7, 1e8):
                    one, rows = at(atoms, 1)["step"], []
                    for ranks in (2**k for k in range(11)):
                        if got := at(atoms, ranks):
                            rows.append({"gpus": ranks, "us": round(got["step"], 1), "ns_per_day": round(86400e6 * 4e-6 / got["step"], 2), "efficiency": round(one / ranks / got["step"], 3),
                                         "parts_us": {k: round(float(v), 1) for k, v in got.items() if k != "step"}})
                    tables.append({"kind": "strong", **about, "atoms": int(atoms), "rows": rows})
                for each in (1e5, 1e6):
                    one = at(each, 1)["step"]
                    rows = [{"gpus": r, "us": round((got := at(each * r, r))["step"], 1), "efficiency": round(one / got["step"], 3)} for r in (1, 8, 64, 512, 1024)]
                    tables.append({"kind": "weak", **about, "atoms_per_gpu": int(each), "rows": rows})
    return {"network": vars(network), "devices": [vars(d) for d in devices], "designs": DESIGNS, "tables": tables}


def draw(devices, tables, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "uplift"
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
    for ax, device in zip(axes, devices):
        for atoms, colour in ((10**6, "#2364aa"), (10**7, "#d1632a"), (10**8, "#3b8f4a")):
            for design, style in zip(DESIGNS, (":", "--", "-")):
                rows = next(t for t in tables if (t["kind"], t["device"], t["design"], t["mesh_every"], t.get("atoms")) == ("strong", device.name, design, 1, atoms))["rows"]
                ax.loglog([r["gpus"] for r in rows], [r["ns_per_day"] for r in rows], style, color=colour, label=f"{atoms // 10**6} M atoms, {design}")
        ax.set(title=device.name, xlabel="GPUs")
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("ns/day at 4 fs (predicted)")
    axes[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--measured", default=os.path.join(HERE, "..", "results", "scaling.json"))
    p.add_argument("--gpu", default=os.path.join(HERE, "..", "results", "gpu-side-by-side.json"))
    p.add_argument("--json", default=os.path.join(HERE, "..", "results", "scaling-model.json"))
    p.add_argument("--figure", default=os.path.join(HERE, "scaling.svg"))
    o = p.parse_args()
    with open(o.measured) as f:
        here = check(json.load(f)[-1]["rows"])
    devices = [measured_device(o.gpu), TARGET]
    there = predict(devices, here["reach_nm"], here["halo_counted_to_slab"])
    print(json.dumps({k: v for k, v in here.items()}, indent=1))
    for t in there["tables"]:
        if t["kind"] == "strong" and t["mesh_every"] == 1:
            print(f"{t['device']}, {t['atoms'] / 1e6:g} M atoms, {t['design']}: " + ", ".join(f"{r['gpus']}: {r['ns_per_day']:g} ({100 * r['efficiency']:.0f} %)" for r in t["rows"]))
    with open(o.json, "w") as f:
        json.dump({"command": "benchmarks/scaling/model.py", "measured": ["benchmarks/results/scaling.json", "benchmarks/results/gpu-side-by-side.json"], "measured_here": here, "predicted": there}, f)
        f.write("\n")
    draw(devices, there["tables"], o.figure)


if __name__ == "__main__":
    main()
