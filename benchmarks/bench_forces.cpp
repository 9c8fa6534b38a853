// Time of each force term on the project's own inputs: bench_forces --benchmark_filter=pairs
// Arguments of a case: threads, precision (0 mixed, 1 double), energies (1: as at every step of a total boost, 2: with the
// virial, as for a row). Positions move by 1 pm between calls, so that lists are renewed as in a run. Cases of pairs with a
// third name are of the same atoms with other settings: what a cell that is not rectangular, a switching function or a pair of
// types with parameters of its own costs.
#include <benchmark/benchmark.h>

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "uplift/backend/cpu/force_term.hpp"
#include "uplift/backend/pme_setup.hpp"
#include "uplift/core/random.hpp"
#include "uplift/io/amber.hpp"

namespace uplift {
namespace {

struct Case {
  System system;
  std::vector<Vec3d> x;
  Box box;
  PmeParameters pme;
};

/// What a case changes in its input.
using Change = std::function<void(ForceField&, ForceSettings&, Box&)>;

const Case& load(const std::string& name, NonbondedMethod method, const std::string& variant, const Change& change) {
  static std::map<std::string, std::unique_ptr<Case>> loaded;
  std::unique_ptr<Case>& c = loaded[name + variant];
  if (c) return *c;
  const std::string folder = std::string(UPLIFT_SOURCE_DIR) + "/inputs/" + name;
  AmberTopology amber = read_prmtop(folder + "/system.prmtop.gz");
  Coordinates coordinates = read_amber_coordinates(folder + "/system.inpcrd.gz");
  ForceSettings settings;
  settings.nonbonded = method;
  if (method == NonbondedMethod::no_cutoff) settings.implicit_solvent = ImplicitSolventSettings{};
  c = std::make_unique<Case>();
  if (method != NonbondedMethod::no_cutoff) c->box = *choose_box(amber, coordinates);
  if (change) change(amber.force_field, settings, c->box);
  c->system = make_system(std::move(amber.topology), std::move(amber.force_field), settings);
  c->x = std::move(coordinates.x);
  if (method == NonbondedMethod::pme) c->pme = resolve_pme(c->system.forces, c->box);
  return *c;
}

using Maker = std::function<std::unique_ptr<cpu::ForceTerm>(const Case&, Precision, const cpu::Threads&)>;

void run(benchmark::State& state, const Case& c, const Maker& make) {
  const cpu::Threads threads(static_cast<int>(state.range(0)));
  const auto term = make(c, state.range(1) ? Precision::double_ : Precision::mixed, threads);
  if (!term) return state.SkipWithError("this system has no such term");
  cpu::ForceSums sums;
  sums.force.resize(3 * c.x.size());
  std::vector<Vec3d> x = c.x;
  std::int64_t step = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] += 1e-3 * gaussian3(1, NoisePurpose::initial_velocities, static_cast<std::uint64_t>(step), static_cast<int>(i));
    ++step;
    sums.clear();
    state.ResumeTiming();
    const auto energies = state.range(2);
    term->evaluate({x, c.box, energies > 0, energies == 2, energies == 1}, sums);
    benchmark::DoNotOptimize(sums.force.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(c.x.size()) * state.iterations());
}

void add(const std::string& name, const std::string& input, NonbondedMethod method, const Maker& make,
         const std::string& variant = "", const Change& change = nullptr) {
  benchmark::RegisterBenchmark((name + "/" + input + (variant.empty() ? "" : "/" + variant)).c_str(),
                               [=](benchmark::State& s) { run(s, load(input, method, variant, change), make); })
      ->ArgNames({"threads", "double", "energies"})
      ->ArgsProduct({{1, 2}, {0, 1}, {0, 1, 2}})
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace
}  // namespace uplift

int main(int argc, char** argv) {
  using namespace uplift;
  const Maker pairs = [](const Case& c, Precision p, const cpu::Threads& t) {
    return cpu::make_nonbonded_term(c.system, c.pme, p, t);
  };
  const Maker excluded = [](const Case& c, Precision p, const cpu::Threads& t) {
    return cpu::make_excluded_term(c.system, c.pme, p, t);
  };
  const Maker pme = [](const Case& c, Precision p, const cpu::Threads& t) { return cpu::make_pme_term(c.system, c.pme, p, t); };
  const Maker bonded = [](const Case& c, Precision p, const cpu::Threads& t) { return cpu::make_bonded_term(c.system, p, t); };
  const Maker implicit = [](const Case& c, Precision p, const cpu::Threads& t) {
    return cpu::make_implicit_solvent_term(c.system, p, t);
  };
  for (const char* input : {"water-tip3p", "sdf1-tip3p"}) {
    add("pairs", input, NonbondedMethod::pme, pairs);
    add("excluded", input, NonbondedMethod::pme, excluded);
    add("pme", input, NonbondedMethod::pme, pme);
  }
  const std::map<std::string, Change> variants = {
      {"triclinic", [](ForceField&, ForceSettings&, Box& box) { box.b.x = 1e-9; }},
      {"geometric",
       [](ForceField& ff, ForceSettings&, Box&) {
         const auto n = static_cast<std::size_t>(ff.lj_types);
         for (std::vector<double>* table : {&ff.lj_c6, &ff.lj_c12})
           for (std::size_t k = 0; k < n * n; ++k)
             if (k / n != k % n) (*table)[k] = std::sqrt((*table)[k / n * (n + 1)] * (*table)[k % n * (n + 1)]);
       }},
      {"switched", [](ForceField&, ForceSettings& settings, Box&) { settings.switch_distance = settings.cutoff - 0.1; }},
      {"nbfix",
       [](ForceField& ff, ForceSettings&, Box&) { ff.lj_c6[1] = ff.lj_c6[static_cast<std::size_t>(ff.lj_types)] *= 1.1; }}};
  for (const auto& [variant, change] : variants) add("pairs", "sdf1-tip3p", NonbondedMethod::pme, pairs, variant, change);
  add("bonded", "sdf1-tip3p", NonbondedMethod::pme, bonded);
  add("pairs", "sdf1-implicit", NonbondedMethod::no_cutoff, pairs);
  add("implicit_solvent", "sdf1-implicit", NonbondedMethod::no_cutoff, implicit);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
