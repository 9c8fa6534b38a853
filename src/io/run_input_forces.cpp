#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "run_input_parts.hpp"

namespace uplift::yaml {
namespace {

/// What the FFT does well: no prime factor above 13.
bool has_small_factors(int n) {
  for (const int p : {2, 3, 5, 7, 11, 13})
    while (n > 1 && n % p == 0) n /= p;
  return n == 1;
}

/// The nearest mesh size, the larger one of two, that is at least the order of the splines and has small factors.
int nearest_grid(int wanted, int order) {
  for (int off = 0;; ++off)
    for (const int n : {wanted + off, wanted - off})
      if (n >= order && has_small_factors(n)) return n;
}

PmeSettings read_pme(const Values& v) {
  PmeSettings s;
  s.tolerance = v.number("forces.pme.tolerance");
  s.order = static_cast<int>(v.count("forces.pme.order"));
  const std::string alpha = "forces.pme.alpha", grid = "forces.pme.grid", tolerance = "forces.pme.tolerance";
  if (v.good(alpha) && v.good(grid) && v.given(alpha) != v.given(grid))
    v.problem(v.given(alpha) ? alpha : grid,
              std::string("given without forces.pme.") + (v.given(alpha) ? "grid" : "alpha") +
                  " (one without the other has an accuracy nobody chose); give both, or a tolerance alone");
  if (v.given(alpha) && v.own(tolerance))
    v.problem(tolerance, "sets alpha and grid, which are given too; keep either the tolerance or alpha and grid");
  if (v.given(alpha)) s.alpha = v.quantity(alpha);
  if (v.given(grid)) {
    const std::vector<std::string> items = v.list(grid);
    std::array<int, 3> n{};
    std::string better;
    for (std::size_t k = 0; k < 3; ++k) {
      n[k] = std::atoi(items[k].c_str());
      better += (k ? ", " : "") + std::to_string(nearest_grid(n[k], s.order));
    }
    if (std::any_of(n.begin(), n.end(), [&](int m) { return m < s.order || !has_small_factors(m); }))
      v.problem(grid, "mesh sizes need to be at least the order (" + std::to_string(s.order) +
                          ") and products of 2, 3, 5, 7, 11 and 13 (for the FFT); the nearest that fit are [" + better + "]");
    s.grid = n;
  }
  return s;
}

ImplicitSolventSettings read_implicit_solvent(const Values& v) {
  ImplicitSolventSettings s;
  s.model = v.choice<GbModel>("forces.implicit_solvent.model");
  s.solute_dielectric = v.number("forces.implicit_solvent.solute_dielectric");
  s.solvent_dielectric = v.number("forces.implicit_solvent.solvent_dielectric");
  s.salt = v.quantity("forces.implicit_solvent.salt");
  s.surface = v.choice<SurfaceModel>("forces.implicit_solvent.surface");
  return s;
}

bool has_cutoff(const ForceSettings& f, const DynamicsSettings&) { return f.nonbonded != NonbondedMethod::no_cutoff; }
bool has_mesh(const ForceSettings& f, const DynamicsSettings&) { return f.nonbonded == NonbondedMethod::pme; }
bool has_field(const ForceSettings& f, const DynamicsSettings&) { return f.nonbonded == NonbondedMethod::reaction_field; }
bool has_bath(const ForceSettings&, const DynamicsSettings& d) { return d.integrator != IntegratorKind::verlet; }
bool rescales(const ForceSettings&, const DynamicsSettings& d) {
  return d.pressure && d.pressure->barostat == BarostatKind::c_rescale;
}

constexpr MethodKey method_keys[] = {
    {"forces.cutoff", "forces.nonbonded", "nonbonded: pme or reaction-field", has_cutoff},
    {"forces.switch_distance", "forces.nonbonded", "nonbonded: pme or reaction-field", has_cutoff},
    {"forces.pme", "forces.nonbonded", "nonbonded: pme", has_mesh},
    {"forces.reaction_field", "forces.nonbonded", "nonbonded: reaction-field", has_field},
    {"dynamics.friction", "dynamics.integrator", "integrator: langevin, v-rescale or nose-hoover", has_bath},
    {"dynamics.pressure.relaxation_time", "dynamics.pressure.barostat", "barostat: c-rescale", rescales},
    {"dynamics.pressure.compressibility", "dynamics.pressure.barostat", "barostat: c-rescale", rescales},
};

}  // namespace

std::span<const MethodKey> keys_of_methods() { return method_keys; }

bool is_idle(const ForceSettings& f, const DynamicsSettings& d, std::string_view key) {
  return std::any_of(std::begin(method_keys), std::end(method_keys),
                     [&](const MethodKey& k) { return k.key == key && !k.used(f, d); });
}

ForceSettings read_forces(const Values& v) {
  ForceSettings f;
  f.nonbonded = v.choice<NonbondedMethod>("forces.nonbonded");
  f.cutoff = v.quantity("forces.cutoff");
  if (v.given("forces.switch_distance")) {
    f.switch_distance = v.quantity("forces.switch_distance");
    if (v.good("forces.cutoff") && !(*f.switch_distance < f.cutoff))
      v.problem("forces.switch_distance",
                "must be smaller than the cutoff (" + format_quantity(f.cutoff, dimension::length) + ")");
  }
  f.dispersion_correction = v.flag("forces.dispersion_correction");
  f.pme = read_pme(v);
  f.reaction_field_dielectric = v.number("forces.reaction_field.dielectric");
  if (v.given("forces.implicit_solvent")) {
    f.implicit_solvent = read_implicit_solvent(v);
    if (v.good("forces.nonbonded") && f.nonbonded != NonbondedMethod::no_cutoff)
      v.problem("forces.implicit_solvent",
                "needs nonbonded: no-cutoff, not " + v.text("forces.nonbonded") +
                    " (the continuum takes the place of a periodic solvent); set that, or remove this block");
  }
  f.constraints = v.choice<ConstraintMode>("forces.constraints");
  f.rigid_water = v.flag("forces.rigid_water");
  if (v.given("forces.hydrogen_mass")) f.hydrogen_mass = v.quantity("forces.hydrogen_mass");
  return f;
}

PressureSettings read_pressure(const Values& v) {
  PressureSettings p;
  p.barostat = v.choice<BarostatKind>("dynamics.pressure.barostat");
  p.pressure = v.quantity("dynamics.pressure.pressure");
  p.every = static_cast<int>(v.count("dynamics.pressure.every"));
  p.coupling = v.choice<PressureCoupling>("dynamics.pressure.coupling");
  p.relaxation_time = v.quantity("dynamics.pressure.relaxation_time");
  p.compressibility = v.quantity("dynamics.pressure.compressibility");
  return p;
}

DynamicsSettings read_dynamics(const Values& v) {
  DynamicsSettings s;
  s.integrator = v.choice<IntegratorKind>("dynamics.integrator");
  s.timestep = v.quantity("dynamics.timestep");
  s.temperature = v.quantity("dynamics.temperature");
  s.friction = v.quantity("dynamics.friction");
  s.seed = static_cast<std::uint64_t>(v.count("dynamics.seed"));
  s.constraint_tolerance = v.number("dynamics.constraint_tolerance");
  if (v.good("dynamics.integrator") && s.integrator == IntegratorKind::nose_hoover) {
    if (v.good("dynamics.friction") && s.friction == 0)
      v.problem("dynamics.friction", "its inverse is the relaxation time of nose-hoover, so it must be above 0");
    if (v.good("dynamics.temperature") && s.temperature == 0)
      v.problem("dynamics.temperature", "nose-hoover has no chain for 0 K; use another integrator, or a temperature above 0");
  }
  s.com_removal_every = static_cast<int>(v.count("dynamics.com_removal_every"));
  if (v.given("dynamics.pressure")) {
    s.pressure = read_pressure(v);
    if (v.good("forces.nonbonded") && v.text("forces.nonbonded") == "no-cutoff")
      v.problem("dynamics.pressure", "there is no pressure without a periodic box (nonbonded: no-cutoff); remove this block");
    else if (v.good("dynamics.integrator") && s.integrator == IntegratorKind::verlet && !v.given("minimize"))
      v.problem(
          "dynamics.pressure",
          "needs a thermostat (the volume is drawn for a temperature); use integrator: langevin, v-rescale or nose-hoover");
  }
  return s;
}

// Of water at 2 fs: a chain of 6.7 fs holds its temperature and one of 5 fs tears molecules apart; stochastic rescaling every
// fifth of its relaxation time has the fluctuations of the volume right, every half of it they are twice as large, and beyond
// that boxes grow without an end.
void check_relaxation(const Values& v, const StageSettings& stage) {
  const DynamicsSettings& d = stage.dynamics;
  if (stage.minimize) return;
  const double step = d.timestep / d.inner_steps();
  if (d.integrator == IntegratorKind::nose_hoover && v.good("dynamics.friction") && d.friction * step > 0.26)
    v.problem(
        "dynamics.friction",
        fmt::format("a relaxation time of {:.4g} fs (its inverse), and the chain of nose-hoover needs four steps of {:.4g} "
                    "fs at least; 1 /ps is usual",
                    1000 / d.friction, 1000 * step));
  if (!d.pressure || d.pressure->barostat != BarostatKind::c_rescale) return;
  const double interval = d.pressure->every * d.timestep;
  if (v.good("dynamics.pressure.relaxation_time") && interval > 0.26 * d.pressure->relaxation_time)
    v.problem("dynamics.pressure.relaxation_time",
              fmt::format("{:.4g} ps, and the volume changes every {:.4g} ps (every: {}): it would overshoot, and not be "
                          "distributed as it should; make it four times that at least, or every smaller",
                          d.pressure->relaxation_time, interval, d.pressure->every));
}

std::string doubt_of_switch(const StageSettings& stage) {
  const ForceSettings& f = stage.forces;
  if (f.nonbonded == NonbondedMethod::no_cutoff || !f.switch_distance || *f.switch_distance >= 0.4 * f.cutoff) return {};
  return fmt::format(
      "stage {}: Lennard-Jones is switched off from {:.4g} nm on, among nearest neighbours; switch_distance is where the "
      "switch begins, not how wide it is (for one of {:.4g} nm: {:.4g} nm)",
      stage.name, *f.switch_distance, *f.switch_distance, f.cutoff - *f.switch_distance);
}

}  // namespace uplift::yaml
