#include "uplift/io/phase_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <numeric>
#include <string_view>

#include "uplift/io/progress.hpp"

namespace uplift {
namespace {

double accounted(const RunTiming& timing) {
  return std::accumulate(timing.phases.begin(), timing.phases.end(), 0.0,
                         [](double sum, const PhaseTime& p) { return sum + p.seconds; });
}

/// Time of the phases of these names, which are those of the backends and of the run.
double time_of(const RunTiming& timing, std::initializer_list<std::string_view> names) {
  double sum = 0;
  for (const PhaseTime& phase : timing.phases)
    if (std::find(names.begin(), names.end(), phase.name) != names.end()) sum += phase.seconds;
  return sum;
}

std::string time_per_call(const PhaseTime& phase) {
  if (phase.calls <= 0) return "";
  const double each = phase.seconds / static_cast<double>(phase.calls);
  return each < 1e-3 ? fmt::format("{:.1f} us", each * 1e6)
         : each < 1  ? fmt::format("{:.2f} ms", each * 1e3)
                     : fmt::format("{:.2f} s", each);
}

}  // namespace

std::vector<PhaseTime> phases_since(const std::vector<PhaseTime>& before, std::vector<PhaseTime> now) {
  std::map<std::string, PhaseTime> earlier;
  for (const PhaseTime& p : before) earlier[p.name] = p;
  for (PhaseTime& p : now)
    if (const auto found = earlier.find(p.name); found != earlier.end()) {
      p.seconds -= found->second.seconds;
      p.calls -= found->second.calls;
    }
  std::erase_if(now, [](const PhaseTime& p) { return p.calls == 0; });
  return now;
}

std::vector<std::string> phase_advice(const RunTiming& timing) {
  std::vector<std::string> advice;
  if (timing.wall < 1) return advice;  // start-up dominates: nothing to learn
  const double output = time_of(timing, {"output"}), pairs = time_of(timing, {"pairs"}), lists = time_of(timing, {"pair list"});
  // On devices, and on the CPU in three parts. What ranks wait for each other's meshes is no matter of the cutoff.
  const double mesh = time_of(timing, {"PME", "PME spread", "PME FFT and solve", "PME gather"});
  const double rest = timing.wall - accounted(timing);
  const auto share = [&](double seconds) { return 100 * seconds / timing.wall; };
  if (share(output) > 10)
    advice.push_back(
        fmt::format("writing output takes {:.0f} % of the time: raise trajectory.every or energies.every, or store fewer atoms",
                    share(output)));
  if (share(mesh) > 20 && mesh > 2 * pairs)
    advice.push_back(
        fmt::format("the PME mesh takes {:.1f} times as long as the pairs: a longer cutoff (with a coarser mesh) balances them",
                    mesh / std::max(pairs, 1e-9)));
  if (share(pairs) > 20 && mesh > 0 && pairs > 6 * mesh)
    advice.push_back(
        fmt::format("the pairs take {:.1f} times as long as the PME mesh: a shorter cutoff (with a finer mesh) balances them",
                    pairs / mesh));
  if (share(lists) > 25)
    advice.push_back(fmt::format(
        "the pair list takes {:.0f} % of the time: the atoms move far between rebuilds; check timestep and temperature",
        share(lists)));
  if (share(rest) > 20)
    advice.push_back(fmt::format(
        "{:.0f} % of the time is spent outside all phases: start-up of a short run, or a machine shared with other jobs",
        share(rest)));
  return advice;
}

std::string phase_table(const RunTiming& timing) {
  std::vector<PhaseTime> rows = timing.phases;
  std::stable_sort(rows.begin(), rows.end(), [](const PhaseTime& a, const PhaseTime& b) { return a.seconds > b.seconds; });
  std::size_t width = 16;
  for (const PhaseTime& row : rows) width = std::max(width, row.name.size());
  const auto percent = [&](double seconds) { return timing.wall > 0 ? 100 * seconds / timing.wall : 0.0; };
  std::string text = fmt::format("{:<{}}  {:>10}  {:>12}  {:>6}  {:>10}\n", "phase", width, "calls", "seconds", "%", "a call");
  for (const PhaseTime& row : rows)
    text += fmt::format("{:<{}}  {:>10}  {:>12.3f}  {:>6.1f}  {:>10}\n", row.name, width, row.calls, row.seconds,
                        percent(row.seconds), time_per_call(row));
  const double rest = timing.wall - accounted(timing);
  text += fmt::format("{:<{}}  {:>10}  {:>12.3f}  {:>6.1f}\n", "everything else", width, "", rest, percent(rest));
  text += fmt::format("{:<{}}  {:>10}  {:>12.3f}  {:>6.1f}\n", "total", width, "", timing.wall, 100.0);
  if (timing.steps > 0 && timing.wall > 0)
    text += fmt::format("\n{} steps, {:.6g} ps in {}: {:.4g} ns/day\n", timing.steps, timing.simulated,
                        duration_text(timing.wall), timing.simulated * 1e-3 / timing.wall * 86400);
  for (const std::string& line : phase_advice(timing)) text += "hint: " + line + "\n";
  return text;
}

}  // namespace uplift
