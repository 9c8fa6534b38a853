// What is written of a free-energy surface.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "uplift/core/constants.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/replace_file.hpp"
#include "uplift/io/text_file.hpp"
#include "uplift/sampling/free_energy.hpp"

namespace uplift {
namespace {

constexpr double kcal = constants::kilojoule_per_kilocalorie;

template <class T>
std::span<const T> view(const std::vector<T>& v) {
  return {v.data(), v.size()};
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : between) + part;
  return all;
}

/// Bin numbers along each axis of place `b`.
std::vector<std::size_t> place(const FreeEnergySurface& s, std::size_t b) {
  std::vector<std::size_t> at(s.axes.size());
  for (std::size_t k = s.axes.size(); k-- > 0; b /= s.axes[k].centers.size()) at[k] = b % s.axes[k].centers.size();
  return at;
}

}  // namespace

void write_surface(const std::string& stem, const FreeEnergySurface& s, const std::string& version) {
  replace_file(stem + ".h5", [&](const std::string& fresh) {
    h5::File file = h5::File::create(fresh);
    file.set("creator", "uplift");
    file.set("version", version);
    file.set("method", method_name(s.method));
    file.set("order", s.order);
    file.set("temperature", s.temperature);
    file.set("frames", static_cast<double>(s.frames));
    file.set("stages", joined(s.stages, ", "));
    file.set("statistical_inefficiency", s.inefficiency);
    file.set("effective_sample_size", s.independent());
    file.set("anharmonicity", s.anharmonicity);
    file.set("boost_mean", s.boost_mean);
    file.set("boost_deviation", s.boost_deviation);
    file.set("warnings", joined(s.warnings, "\n"));
    h5::Shape shape;
    for (std::size_t k = 0; k < s.axes.size(); ++k) {
      const auto& axis = s.axes[k];
      h5::Group group = file.group("collective_variables/" + std::to_string(k));
      group.set("name", axis.variable.name);
      group.set("definition", axis.variable.definition);
      group.set("unit", axis.variable.unit);
      group.set("periodic", axis.variable.periodic ? 1 : 0);
      group.write("edges", view(axis.edges));
      group.write("centers", view(axis.centers));
      shape.push_back(axis.centers.size());
    }
    file.write("pmf", view(s.pmf), shape).set("unit", "kJ mol-1");
    file.write("error", view(s.error), shape).set("unit", "kJ mol-1");
    file.write("probability", view(s.probability), shape);
    file.write("counts", view(s.counts), shape);
    if (!s.boost.counts.empty()) {
      file.write("boost/edges", view(s.boost.edges)).set("unit", "kJ mol-1");
      file.write("boost/counts", view(s.boost.counts));
    }
    if (!s.state_free_energies.empty()) file.write("state_free_energies", view(s.state_free_energies)).set("unit", "kJ mol-1");
    file.flush();
  });

  std::string csv;
  for (const auto& axis : s.axes)
    csv += axis.variable.name + (axis.variable.unit.empty() ? "" : " [" + axis.variable.unit + "]") + ",";
  csv += "pmf [kJ/mol],error [kJ/mol],frames\n";
  for (std::size_t b = 0; b < s.pmf.size(); ++b) {
    const std::vector<std::size_t> at = place(s, b);
    for (std::size_t k = 0; k < at.size(); ++k) csv += fmt::format("{:.8g},", s.axes[k].centers[at[k]]);
    csv += fmt::format("{:.6f},{:.6f},{}\n", s.pmf[b], s.error[b], s.counts[b]);
  }
  write_file(stem + ".csv", csv);
}

void write_weights(const std::string& path, const BiasedFrames& frames, double temperature) {
  const double kt = constants::boltzmann * temperature;
  std::string text = "# dV/kT  step  dV [kcal/mol]\n";
  for (std::size_t i = 0; i < frames.size(); ++i)
    text += fmt::format("{:.10f} {} {:.10f}\n", frames.boost[i] / kt, frames.step[i], frames.boost[i] / kcal);
  write_file(path, text);
}

void write_xvg(const std::string& path, const FreeEnergySurface& s) {
  if (s.axes.size() != 1) throw InputError("--xvg: is for one collective variable");
  std::string text =
      fmt::format("#RC \tPMF(kcal/mol)\n@    xaxis  label \"{}\"\n@    yaxis  label \"PMF (kcal/mol)\"\n@TYPE xy\n",
                  s.axes[0].variable.name);
  double highest = 0;  // bins without a value stand at the top, as scripts expect it
  for (double p : s.pmf)
    if (std::isfinite(p)) highest = std::max(highest, p);
  for (std::size_t b = 0; b < s.pmf.size(); ++b)
    text += fmt::format("{:.6f}\t{:.6f}\n", s.axes[0].edges[b], (std::isfinite(s.pmf[b]) ? s.pmf[b] : highest) / kcal);
  write_file(path, text);
}

std::string surface_text(const FreeEnergySurface& s) {
  std::string text = fmt::format("free energy of");
  for (std::size_t k = 0; k < s.axes.size(); ++k)
    text += fmt::format("{} {} = {}", k ? "," : "", s.axes[k].variable.name, s.axes[k].variable.definition);
  text += fmt::format("\n  {:<28}{}{} at {:g} K\n", "method", method_name(s.method),
                      s.order > 0 ? fmt::format(", order {}", s.order) : "", s.temperature);
  if (!s.stages.empty()) text += fmt::format("  {:<28}{}\n", "stages", joined(s.stages, ", "));
  text += fmt::format("  {:<28}{}, worth {:.1f} independent ones ({:.1f} for one{})\n", "frames", s.frames, s.independent(),
                      s.inefficiency,
                      s.method == ReweightMethod::none || s.method == ReweightMethod::cumulant ? "" : ", and by their weights");
  if (s.outside > 0) text += fmt::format("  {:<28}{} frames\n", "outside of the range", s.outside);
  if (!s.boost.counts.empty())
    text += fmt::format("  {:<28}{:.3f} kJ/mol, deviation {:.3f}, anharmonicity {:.4f}\n", "boost", s.boost_mean,
                        s.boost_deviation, s.anharmonicity);
  const std::int64_t filled = std::count_if(s.pmf.begin(), s.pmf.end(), [](double p) { return std::isfinite(p); });
  text += fmt::format("  {:<28}{} of {}\n", "bins with a value", filled, s.pmf.size());
  // Local minima of surfaces of one or two variables, lowest first.
  std::vector<std::size_t> minima;
  for (std::size_t b = 0; s.axes.size() <= 2 && b < s.pmf.size(); ++b) {
    if (!std::isfinite(s.pmf[b])) continue;
    const std::vector<std::size_t> at = place(s, b);
    bool lowest = true;
    const int reach = s.axes.size() == 1 ? 0 : 1;
    for (int i = -1; i <= 1 && lowest; ++i)
      for (int j = -reach; j <= reach; ++j) {
        std::size_t other = 0;
        bool inside = true;
        for (std::size_t k = 0; k < at.size(); ++k) {
          const auto n = static_cast<std::ptrdiff_t>(s.axes[k].centers.size());
          std::ptrdiff_t p = static_cast<std::ptrdiff_t>(at[k]) + (k == 0 ? i : j);
          if (s.axes[k].closed()) p = (p + n) % n;
          inside = inside && p >= 0 && p < n;
          other = other * static_cast<std::size_t>(n) + static_cast<std::size_t>(p);
        }
        if (inside && s.pmf[other] < s.pmf[b]) lowest = false;
      }
    if (lowest) minima.push_back(b);
  }
  std::sort(minima.begin(), minima.end(), [&](std::size_t a, std::size_t b) { return s.pmf[a] < s.pmf[b]; });
  for (std::size_t n = 0; n < std::min<std::size_t>(minima.size(), 5); ++n) {
    const std::vector<std::size_t> at = place(s, minima[n]);
    std::string where;
    for (std::size_t k = 0; k < at.size(); ++k)
      where += fmt::format("{}{} {:.4g} {}", k ? ", " : "", s.axes[k].variable.name, s.axes[k].centers[at[k]],
                           s.axes[k].variable.unit);
    const double error = s.error[minima[n]];
    text += fmt::format("  {:<28}{}: {:.2f}{} kJ/mol\n", n == 0 ? "minima" : "", where, s.pmf[minima[n]],
                        std::isfinite(error) ? fmt::format(" +- {:.2f}", error) : "");
  }
  return text;
}

}  // namespace uplift
