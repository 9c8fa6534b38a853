"""Draws what uplift hands over as JSON on stdin. Exit status 77: matplotlib is missing."""
import base64
import contextlib
import html
import io
import json
import os
import sys

os.environ.setdefault("MPLBACKEND", "Agg")
try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)

BLUE, ORANGE, GREY = "#1f5c99", "#d1661c", "#6b7280"
matplotlib.rcParams.update({
    "font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "svg.fonttype": "path", "figure.dpi": 100,
    "axes.prop_cycle": matplotlib.cycler(color=[BLUE, ORANGE, "#2a9d64", "#8b5cb5", "#b5486b"]), "axes.titlesize": 10, "svg.hashsalt": "uplift"})


def array(values, shape=None):
    """JSON has null where a number is missing."""
    a = np.array([np.nan if v is None else v for v in values], dtype=float)
    return a if shape is None else a.reshape(shape)


def label(axis):
    names = {"phi": "φ", "psi": "ψ", "omega": "ω", "chi1": "χ₁", "chi2": "χ₂"}
    unit = {"deg": "degrees"}.get(axis["unit"], axis["unit"])
    return names.get(axis["name"], axis["name"]) + (f" [{unit}]" if unit else "")


def ticks(ax, axis, which):
    edges = axis["edges"]
    if goes_round(axis):
        values = np.arange(np.ceil(edges[0] / 90) * 90, edges[-1] + 1e-6, 90)
        (ax.set_xticks if which == "x" else ax.set_yticks)(values)


def goes_round(axis):
    return axis["unit"] == "deg" and abs(axis["edges"][-1] - axis["edges"][0] - 360) < 1e-6


def contours(figure, ax, x_axis, y_axis, f):
    """f [x][y]"""
    top = np.nanmax(f) if np.isfinite(f).any() else 1
    top = min(max(4.0, np.ceil(top / 4) * 4), 60.0)
    levels = np.arange(0, top + 1e-9, 2.0 if top <= 40 else 4.0)
    x, y = array(x_axis["centers"]), array(y_axis["centers"])
    if goes_round(x_axis):  # up to the edge, where it meets itself
        x, f = np.concatenate([[x[-1] - 360], x, [x[0] + 360]]), np.concatenate([f[-1:], f, f[:1]], axis=0)
    if goes_round(y_axis):
        y, f = np.concatenate([[y[-1] - 360], y, [y[0] + 360]]), np.concatenate([f[:, -1:], f, f[:, :1]], axis=1)
    filled = ax.contourf(x, y, f.T, levels=levels, cmap="viridis", extend="max")
    ax.contour(x, y, f.T, levels=levels[::2], colors="white", linewidths=0.5, alpha=0.7)
    ax.set_xlim(x_axis["edges"][0], x_axis["edges"][-1])
    ax.set_ylim(y_axis["edges"][0], y_axis["edges"][-1])
    ax.set_xlabel(label(x_axis))
    ax.set_ylabel(label(y_axis))
    ticks(ax, x_axis, "x")
    ticks(ax, y_axis, "y")
    bar = figure.colorbar(filled, ax=ax, label="free energy [kJ/mol]")
    bar.outline.set_visible(False)


def draw_surface(s):
    axes = s["axes"]
    shape = [len(a["centers"]) for a in axes]
    f, error = array(s["pmf"], shape), array(s["error"], shape)
    note = f"{s['method']}{', order %d' % s['order'] if s['order'] else ''}, {s['temperature']:g} K, {s['frames']:.0f} frames, effectively {s['effective']:.0f}"
    if len(axes) == 1:
        figure, ax = plt.subplots(figsize=(6, 4))
        x = array(axes[0]["centers"])
        ax.fill_between(x, f - error, f + error, color=BLUE, alpha=0.25, linewidth=0, label="± one standard error")
        ax.plot(x, f, color=BLUE, linewidth=1.6)
        ax.set_xlim(axes[0]["edges"][0], axes[0]["edges"][-1])
        ax.set_ylim(bottom=min(0, np.nanmin(f - np.nan_to_num(error))))
        ax.set_xlabel(label(axes[0]))
        ax.set_ylabel("free energy [kJ/mol]")
        ticks(ax, axes[0], "x")
        ax.legend(frameon=False)
    elif len(axes) == 2:
        figure, ax = plt.subplots(figsize=(5.8, 4.7))
        contours(figure, ax, axes[0], axes[1], f)
        if all(a["unit"] == "deg" for a in axes):
            ax.set_aspect("equal")
    else:
        # Every pair of variables, the third one summed over.
        figure, panels = plt.subplots(1, 3, figsize=(14, 4.2))
        p = np.nan_to_num(array(s["probability"], shape))
        for ax, (i, j, gone) in zip(panels, ((0, 1, 2), (0, 2, 1), (1, 2, 0))):
            with np.errstate(divide="ignore"):
                g = -s["kt"] * np.log(p.sum(gone))
            g[~np.isfinite(g)] = np.nan
            contours(figure, ax, axes[i], axes[j], g - np.nanmin(g))
    figure.suptitle(note, fontsize=8, color=GREY, y=0.02, va="bottom")
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    return figure


@contextlib.contextmanager
def whole(path):
    """A name to write to, which becomes `path` at the end; nothing of it stays where there is no room."""
    fresh = path + ".tmp"
    try:
        yield fresh
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(fresh)
        raise


def save(figure, path, kind):
    with whole(path) as fresh:
        figure.savefig(fresh, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)


def inline(figure):
    """An image element that needs no file."""
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)
    return f'<img alt="figure" src="data:image/svg+xml;base64,{base64.b64encode(out.getvalue()).decode()}">'


def series(columns, names, stages, ylabel, zero=None):
    figure, ax = plt.subplots(figsize=(8, 2.6))
    time = array(columns["time"])
    unit, scale = ("ns", 1e-3) if time.size and time[-1] >= 2000 else ("ps", 1)
    for name in names:
        ax.plot(time * scale, array(columns[name]), linewidth=0.8, label=name.replace("_", " "))
    for s in stages[1:]:
        ax.axvline(s["begin"] * scale, color=GREY, linewidth=0.6, linestyle=":")
    ax.set_xlabel(f"time [{unit}]")
    ax.set_ylabel(ylabel)
    if len(names) > 1:
        ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return inline(figure)


def table(rows, head):
    cells = lambda row, tag: "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in row)
    return f"<table><thead><tr>{cells(head, 'th')}</tr></thead><tbody>" + "".join(f"<tr>{cells(r, 'td')}</tr>" for r in rows) + "</tbody></table>"


def number(x, digits=4):
    return "" if x is None else f"{x:.{digits}g}"


def temperature_text(stage, exchanges):
    for e in exchanges:
        if e["stage"] == stage["name"] and e["pairs"]:
            return f"{e['pairs'][0]['low']:g} to {e['pairs'][-1]['high']:g} K"
    if stage.get("constant_energy"):
        return "no thermostat"
    return ("to " if stage.get("ramp") else "") + f"{stage['temperature']:g} K"


def bias_text(bias):
    if not bias:
        return ""
    parts = [bias["method"], bias["boost"], bias["convention"]]
    for which in ("dihedral", "total"):
        if which in bias:
            p = bias[which]
            shape = f"alpha {p['alpha']:.6g} kJ/mol" if "alpha" in p else f"k {p['k']:.4g} mol/kJ"
            parts.append(f"{which}: E {p['threshold']:.6g} kJ/mol, {shape}")
    return "; ".join(parts) + (" (updating)" if bias.get("updating") else "")


def head(r, title):
    under = f"{html.escape(r['directory'])} · uplift {html.escape(r['version'])}" + (f" · {html.escape(r['hardware'])}" if r["hardware"] else "")
    return f"<h1>{html.escape(title)}</h1><p class=sub>{under}</p>" + ("<h2>Warnings</h2>" + items(r["warnings"]) if r["warnings"] else "")


def items(texts):
    return "<ul>" + "".join(f"<li>{html.escape(t)}</li>" for t in texts) + "</ul>"


def stages(r):
    speed = {p["name"]: p for p in r["performance"]}
    rows = []
    for s in r["stages"]:
        p = speed.get(s["name"], {})
        planned = s["last_step"] - s["first_step"]
        done = planned if r["reached"] is None else min(max(r["reached"] - s["first_step"], 0), planned)
        steps, length = f"{done}", f"{done * s['timestep']:g}"
        if done < planned:  # of a run that was stopped
            steps, length = f"{steps} of {planned}", f"{length} of {planned * s['timestep']:g}"
        rows.append((s["name"], steps, f"{length} ps", f"{s['timestep'] * 1000:g} fs", temperature_text(s, r["exchanges"]),
                     f"{p['ns_per_day']:,.0f}" if p.get("ns_per_day") else "", bias_text(s["bias"])))
    return "<h2>Stages</h2>" + (table(rows, ("stage", "steps", "length", "time step", "temperature", "ns/day", "bias")) if rows else "<p>No stage of dynamics has begun.</p>")


def replicas(r):
    if not r["replicas"]:
        return ""
    text = f"<h2>Replicas</h2><p>{len(r['replicas'])} replicas" + (f", {r['speed_of_all']:,.4g} ns/day together" if r["speed_of_all"] else "") + ". Potential energies are of the last stage.</p>"
    text += table([(p["directory"], p["seed"], f"{number(p['temperature'], 6)} K", f"{p['mean']:.2f}" if p["mean"] is not None else "", p["rows"]) for p in r["replicas"]],
                  ("directory", "seed", "temperature", "mean potential [kJ/mol]", "rows"))
    if not r["replica_edges"]:
        return text
    figure, ax = plt.subplots(figsize=(8, 2.8))
    edges = array(r["replica_edges"])
    for k, p in enumerate(r["replicas"]):
        counts = array(p["counts"])
        if counts.sum():
            ax.stairs(counts / counts.sum() / np.diff(edges), edges, color=plt.get_cmap("viridis")(k / max(1, len(r["replicas"]) - 1)), linewidth=1)
    ax.set_xlabel("potential energy [kJ/mol]")
    ax.set_ylabel("density")
    return text + inline(figure)


def exchange(e):
    text = f"<h2>Exchanges of {html.escape(e['stage'])}</h2><p>{e['attempts']} attempts.</p>"
    text += table([(f"{p['low']:g} K, {p['high']:g} K", p["tried"], p["accepted"], f"{p['accepted'] / p['tried']:.3f}" if p["tried"] else "") for p in e["pairs"]], ("temperatures", "tried", "accepted", "ratio"))
    if len(e["time"]) < 2:
        return text
    figure, ax = plt.subplots(figsize=(8, 2.8))
    for k, where in enumerate(e["walkers"]):
        ax.step(array(e["time"]), array(where), where="post", linewidth=0.8, label=f"configuration {k + 1}")
    ax.set_xlabel("time [ps]")
    ax.set_ylabel("replica")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return text + inline(figure)


def surface(s):
    text = f"<h2>Free energy of {html.escape(', '.join(a['name'] for a in s['axes']))}</h2>" + inline(draw_surface(s))
    text += "<p>" + html.escape("; ".join(f"{a['name']} = {a['definition']}" for a in s["axes"])) + f". {html.escape(os.path.basename(s['stem']))}.h5, .csv</p>"
    return text + (items(s["warnings"]) if s["warnings"] else "")


def boost(r):
    c, b = r["energies"], r["boost"]
    if not any(c.get("boost_total", [])) and not any(c.get("boost_dihedral", [])):
        return ""
    text = "<h2>Boost</h2>" + series(c, ["boost_dihedral", "boost_total"], r["stages"], "boost [kJ/mol]")
    if not b:
        return text
    figure, ax = plt.subplots(figsize=(5, 2.8))
    edges, counts = array(b["edges"]), array(b["counts"])
    ax.stairs(counts / counts.sum() / np.diff(edges), edges, fill=True, color=ORANGE, alpha=0.7)
    ax.set_xlabel("boost [kJ/mol]")
    ax.set_ylabel("density")
    none = f"; none in {100 * b['zero'] / b['rows']:.0f} % of them" if b["zero"] else ""
    return text + inline(figure) + f"<p>Stage {html.escape(b['stage'])}: {b['rows']} rows, mean {b['mean']:.2f}, deviation {b['deviation']:.2f} kJ/mol{none}.</p>"


def energies(r):
    c = r["energies"]
    if not c.get("time"):
        return ""
    text = boost(r) + "<h2>Energies</h2>" + series(c, ["potential", "total"], r["stages"], "energy [kJ/mol]")
    text += series(c, ["conserved_quantity"], r["stages"], "conserved [kJ/mol]")
    text += "<h2>Temperature</h2>" + series(c, ["temperature"], r["stages"], "temperature [K]")
    if "pressure" in c:
        text += "<h2>Pressure and volume</h2>" + series(c, ["pressure"], r["stages"], "pressure [bar]") + series(c, ["volume"], r["stages"], "volume [nm³]")
    return text


def speed(r):
    """Of the last stage."""
    if not r["performance"]:
        return ""
    p, text = r["performance"][-1], "<h2>Speed by phase</h2>"
    phases = sorted(((k, v["seconds"], v["calls"]) for k, v in (p["phases"] or {}).items() if v["seconds"] > 0), key=lambda x: -x[1])
    named = sum(x[1] for x in phases)
    if p["seconds"] > named:
        phases.append(("everything else", p["seconds"] - named, 0))
    if phases and p["steps"]:
        figure, ax = plt.subplots(figsize=(7, 0.28 * len(phases) + 0.7))
        ax.barh([x[0] for x in phases][::-1], [x[1] / p["steps"] * 1e6 for x in phases][::-1], color=BLUE)
        ax.set_xlabel(f"µs a step, stage {p['name']}")
        text += inline(figure)
    return text + table([(k, number(s, 4), f"{100 * s / p['seconds']:.1f} %" if p["seconds"] else "", n or "") for k, s, n in phases], ("phase", "seconds", "share", "calls"))


def page(title, body):
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(title)}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1f2937; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; margin-bottom: 0; }} h2 {{ font-size: 1.1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #e5e7eb; }}
.sub {{ color: #6b7280; margin-top: .2rem; }} img {{ max-width: 100%; display: block; margin: .5rem 0; }}
table {{ border-collapse: collapse; font-size: 13px; }} th, td {{ text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #eef0f3; vertical-align: top; }}
pre {{ background: #f6f7f9; padding: .8rem; overflow-x: auto; font-size: 12px; }}
</style></head><body>
{body}
</body></html>
"""


def write_report(r):
    title = r["title"] or os.path.basename(r["directory"])
    sections = [head(r, title), stages(r), replicas(r), *map(exchange, r["exchanges"]), *map(surface, r["surfaces"]), energies(r), speed(r),
                "<h2>Input</h2><details><summary>the resolved input</summary><pre>" + html.escape(r["input"]) + "</pre></details>"]
    text = page(title, "\n".join(filter(None, sections)))
    with whole(r["path"]) as fresh, open(fresh, "w", encoding="utf-8") as f:
        f.write(text)


task = json.load(sys.stdin)
if task["task"] == "surface":
    figure = draw_surface(task)
    save(figure, task["stem"] + ".png", "png")
    save(figure, task["stem"] + ".svg", "svg")
else:
    write_report(task)
