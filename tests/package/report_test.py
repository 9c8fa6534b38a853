#!/usr/bin/python3
"""Pictures and the page of a run, looked at as a user would: in a browser.

  report_test.py UPLIFT      exit status 77 (skip) when h5py or Chromium is missing
"""
import os
import re
import resource
import shutil
import struct
import subprocess
import sys

from checks import INPUTS, run_all, uplift
from hdf5 import h5py, np

HERE = os.path.dirname(os.path.abspath(__file__))
CHROMIUM = next((c for c in ("chromium", "chromium-browser", "google-chrome") if shutil.which(c)), None)
if not CHROMIUM:
    print("skipped: there is no Chromium")
    sys.exit(77)


def write_input(path, rest):
    """Of alanine dipeptide in vacuum."""
    with open(path, "w") as f:
        f.write(f"""version: 1
system: {{topology: {INPUTS}/alanine-dipeptide-vacuum/system.prmtop, coordinates: {INPUTS}/alanine-dipeptide-vacuum/system.inpcrd}}
forces: {{nonbonded: no-cutoff}}
{rest}""")


def biased_run(folder, title="two <script>wells</script> & more", **environment):
    path = os.path.join(folder, "run.yaml")
    write_input(path, f"""title: "{title}"
dynamics: {{timestep: 2 fs, friction: 2 /ps, seed: 3}}
stages:
  - {{name: baseline, time: 5 ps, collect: energies}}
  - {{name: accelerate, time: 50 ps, bias: {{method: amd, boost: dihedral, parameters: {{from: baseline, rule: deviations, k: 3}}}}}}
free_energy:
  - {{name: surface, variables: ["phi=phi(2)", "psi=psi(2)"], bins: [24], cutoff: 1, bootstrap: 10}}
output: {{trajectory: {{every: 0.1 ps}}, energies: {{every: 0.1 ps}}}}
""")
    done = uplift("run", path, "--quiet", env={**os.environ, **environment})
    return path[: -len(".yaml")], done


def png_size(path):
    with open(path, "rb") as f:
        head = f.read(24)
    assert head[:8] == b"\x89PNG\r\n\x1a\n", path
    return struct.unpack(">II", head[16:24])


def browser(folder, page, *options):
    done = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile", "--virtual-time-budget=10000", *options,
                           "file://" + page], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def the_page_of_a_run_opens_in_a_browser(scratch):
    folder, done = biased_run(scratch)
    page = os.path.join(folder, "report.html")
    with open(page, encoding="utf-8") as f:
        source = f.read()
    assert not re.search(r'(src|href)\s*=\s*"(?!data:|#)', source) and "@import" not in source, "the page needs another file"
    assert "<script" not in source, "a title came through unescaped"
    # A copy asks the browser itself what it has drawn.
    probe = os.path.join(scratch, "probe.html")
    with open(probe, "w", encoding="utf-8") as f:
        f.write(source.replace("</body>", """<script>window.addEventListener("load", () => {
          const images = [...document.images];
          document.body.dataset.drawn = images.filter(i => i.complete && i.naturalWidth > 200 && i.naturalHeight > 100).length + " of " + images.length;
        })</script></body>"""))
    dom = browser(scratch, probe, "--dump-dom")
    drawn = re.search(r'data-drawn="(\d+) of (\d+)"', dom)
    assert drawn and drawn[1] == drawn[2] and int(drawn[1]) >= 6, drawn and drawn[0]
    for heading in ("Stages", "Free energy of phi, psi", "Boost", "Energies", "Temperature", "Speed by phase", "Input"):
        assert f">{heading}</h2>" in dom, heading
    assert "two &lt;script&gt;wells&lt;/script&gt; &amp; more</h1>" in dom
    for cell in ("baseline", "accelerate", "50 ps", "300 K", "boosted torsions"):
        assert f"<td>{cell}</td>" in dom, cell
    assert re.search(r"<td>amd; dihedral; amber; dihedral: E [\d.]+ kJ/mol, alpha [\d.]+ kJ/mol</td>", dom)
    assert "dynamics:" in dom[dom.index("<pre>"):], "the resolved input is missing"
    shot = os.path.join(scratch, "page.png")
    browser(scratch, page, f"--screenshot={shot}", "--window-size=1100,3000")
    assert png_size(shot) == (1100, 3000) and os.path.getsize(shot) > 30000, os.path.getsize(shot)  # a blank page has 10 kB


def surfaces_of_one_to_three_variables_become_pictures(scratch):
    for n in (1, 2, 3):
        stem, shape = os.path.join(scratch, f"pmf{n}"), (40, 30, 20)[:n]
        with h5py.File(stem + ".h5", "w") as f:
            grid = np.meshgrid(*(np.linspace(-3, 3, k) for k in shape), indexing="ij")
            pmf = sum(3 * (1 - np.cos(2 * g)) for g in grid)
            pmf[pmf > 9] = np.nan
            f["pmf"], f["error"], f["counts"] = pmf, 0.3 * np.ones(shape), np.ones(shape, int)
            f["probability"] = np.nan_to_num(np.exp(-pmf))
            for name, value in dict(creator="test", version="0", method="exponential", order=0, temperature=300.0, frames=1e4, effective_sample_size=321.0, warnings="").items():
                f.attrs[name] = value
            for k in range(n):
                g = f.create_group(f"collective_variables/{k}")
                for name, value in (("name", ("phi", "psi", "r")[k]), ("definition", "x"), ("unit", "nm" if k == 2 else "deg")):
                    g.attrs[name] = value
                g["edges"] = np.linspace(-180, 180, shape[k] + 1)
                g["centers"] = 0.5 * (g["edges"][1:] + g["edges"][:-1])
        os.makedirs(os.path.join(scratch, f"run{n}"), exist_ok=True)
        with open(os.path.join(scratch, f"run{n}", "run.log"), "w") as f:
            f.write("nothing else of a run\n")
        os.rename(stem + ".h5", os.path.join(scratch, f"run{n}", "pmf.h5"))
        uplift("report", os.path.join(scratch, f"run{n}"))
        width, height = png_size(os.path.join(scratch, f"run{n}", "pmf.png"))
        assert width > 900 and height > 600, (n, width, height)
        with open(os.path.join(scratch, f"run{n}", "pmf.svg")) as f:
            assert "<svg" in f.read()
        assert os.path.getsize(os.path.join(scratch, f"run{n}", "report.html")) > 20000


def the_page_says_what_stages_were_at(scratch):
    """Which stage the distribution of boosts is of, with the rows that had none; and the temperatures of a ramp, of an exchange, of none."""
    path = os.path.join(scratch, "in.yaml")
    write_input(path, """dynamics: {timestep: 2 fs, friction: 2 /ps, seed: 3}
stages:
  - {name: warm, time: 2 ps, temperature_ramp: {from: 100 K, to: 300 K}}
  - {name: often, time: 5 ps, bias: {method: amd, boost: dihedral, parameters: {dihedral: {threshold: 100 kJ/mol, alpha: 20 kJ/mol}}}}
  - {name: now and then, time: 20 ps, bias: {method: amd, boost: dihedral, parameters: {dihedral: {threshold: 50 kJ/mol, alpha: 20 kJ/mol}}}}
  - {name: free, time: 1 ps, integrator: verlet}
output: {trajectory: {every: 0 ps}, energies: {every: 0.1 ps}}
""")
    uplift("run", path, "--quiet")
    with open(os.path.join(scratch, "in", "report.html"), encoding="utf-8") as f:
        page = f.read()
    with h5py.File(os.path.join(scratch, "in", "energies.h5")) as f:
        boost = f["bias/boost_dihedral"][:][(f["step"][:] > 3500) & (f["step"][:] <= 13500)]
    zero = 100 * (boost == 0).mean()
    assert zero > 5 and f"<p>Stage now and then: 200 rows, mean {boost.mean():.2f}, deviation {boost.std(ddof=1):.2f} kJ/mol; none in {zero:.0f} % of them.</p>" in page, (zero, re.findall("<p>.*?</p>", page))
    for cell in ("to 300 K", "300 K", "no thermostat"):
        assert f"<td>{cell}</td>" in page, cell
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text[: text.index("stages:")] + "stages: [{name: rex, time: 2 ps, exchange: {temperatures: [300 K, 320 K, 350 K], every: 0.5 ps}}]\noutput: {directory: rex, energies: {every: 0.1 ps}}\n")
    uplift("run", path, "--quiet")
    with open(os.path.join(scratch, "rex", "report.html"), encoding="utf-8") as f:
        assert "<td>300 to 350 K</td>" in f.read()


def the_page_says_how_far_a_stopped_run_is(scratch):
    path = os.path.join(scratch, "long.yaml")
    write_input(path, """stages: [{name: first, time: 0.2 ps}, {name: long, time: 1 us}]
""")
    uplift("run", path, "--quiet", "--max-time", "3s", expect=3)
    uplift("report", path[: -len(".yaml")])
    with open(os.path.join(scratch, "long", "report.html")) as f:
        page = f.read()
    assert re.search(r"<td>first</td><td[^>]*>100</td><td[^>]*>0.2 ps</td>", page), page[:3000]
    assert re.search(r"<td>long</td><td[^>]*>[1-9]\d* of 500000000</td><td[^>]*>[\d.e+]+ of 1e\+06 ps</td>", page), page[:3000]


def without_matplotlib_only_pictures_are_missing(scratch):
    wrapper = os.path.join(scratch, "bare-python")
    with open(wrapper, "w") as f:
        f.write('#!/bin/sh\nexec /usr/bin/python3 -S -I "$@"\n')  # no site packages
    os.chmod(wrapper, 0o755)
    folder, done = biased_run(scratch, UPLIFT_PYTHON=wrapper)
    assert os.path.exists(os.path.join(folder, "surface.h5")) and not os.path.exists(os.path.join(folder, "report.html"))
    with open(os.path.join(folder, "run.log")) as f:
        assert "install it (apt install python3-matplotlib" in f.read()
    assert "python3-matplotlib" in uplift("report", folder, expect=1, env={**os.environ, "UPLIFT_PYTHON": wrapper}).stderr
    assert "uplift report" in uplift("report", folder, expect=1, env={**os.environ, "UPLIFT_PYTHON": "/nowhere/python3"}).stderr
    uplift("report", folder)
    assert os.path.exists(os.path.join(folder, "report.html")) and os.path.exists(os.path.join(folder, "surface.svg"))
    assert "holds no run" in uplift("report", scratch, expect=2).stderr


def a_page_without_room_leaves_nothing(scratch):
    folder, _ = biased_run(scratch)
    before = sorted(os.listdir(folder))
    for size in (0, 20000):
        said = uplift("report", folder, expect=1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))).stderr
        assert "File too large" in said, said
        assert sorted(os.listdir(folder)) == before, os.listdir(folder)


if __name__ == "__main__":
    run_all(the_page_of_a_run_opens_in_a_browser, the_page_says_what_stages_were_at, the_page_says_how_far_a_stopped_run_is, surfaces_of_one_to_three_variables_become_pictures, without_matplotlib_only_pictures_are_missing, a_page_without_room_leaves_nothing)
