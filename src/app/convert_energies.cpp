// Energies of a run as a table of text: .csv for spreadsheets and pandas, .xvg for Grace and what reads files of gmx energy.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>

#include "commands.hpp"
#include "convert.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/io/replace_file.hpp"
#include "uplift/io/topology_file.hpp"
#include "uplift/io/units.hpp"

namespace uplift::app {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t rows_at_once = 4096;

struct Column {
  std::string name, unit;
  h5::Dataset values;
};

/// "kJ mol-1" as people write it.
std::string usual(const std::string& unit) {
  if (unit == "kJ mol-1") return "kJ/mol";
  if (unit == "nm+3") return "nm^3";
  return unit;
}

std::vector<Column> columns_of(const h5::File& file) {
  std::vector<std::string> names;
  for (const std::string& name : file.names())
    if (!file.is_group(name) && name != "step" && name != "time") names.push_back(name);
  if (file.contains("bias"))
    for (const std::string& name : file.open_group("bias").names()) names.push_back("bias/" + name);
  std::vector<Column> columns;
  for (const std::string& name : names) {
    Column c{name, "", file.dataset(name)};
    if (c.values.has("unit")) c.unit = usual(c.values.text("unit"));
    columns.push_back(std::move(c));
  }
  return columns;
}

std::string labelled(const Column& c, char open, char close) {
  return c.unit.empty() ? c.name : c.name + " " + open + c.unit + close;
}

std::string csv_head(const std::vector<Column>& columns) {
  std::string text = "step,time [ps]";
  for (const Column& c : columns) text += "," + labelled(c, '[', ']');
  return text + "\n";
}

std::string xvg_head(const std::string& input, const std::vector<Column>& columns) {
  std::string text =
      "# uplift convert " + fs::path(input).filename().string() +
      "\n@    title \"uplift energies\"\n@    xaxis  label \"Time (ps)\"\n@TYPE xy\n@ view 0.15, 0.15, 0.75, 0.85\n"
      "@ legend on\n@ legend box on\n@ legend loctype view\n@ legend 0.78, 0.8\n@ legend length 2\n";
  for (std::size_t k = 0; k < columns.size(); ++k)
    text += fmt::format("@ s{} legend \"{}\"\n", k, labelled(columns[k], '(', ')'));
  return text;
}

double time_of(const char* option, const std::string& text, double otherwise) {
  if (text.empty()) return otherwise;
  try {
    return parse_quantity(text, dimension::time);
  } catch (const std::exception& e) {
    throw InputError(std::string(option) + " " + text + ": " + e.what());
  }
}

}  // namespace

bool is_energy_table(const std::string& path) { return file_suffix(path) == "csv" || file_suffix(path) == "xvg"; }

int convert_energies(const ConvertOptions& options) {
  if (options.inputs.size() > 1)
    throw InputError(options.output + ": energies of one run at a time; name one energies.h5 and the output");
  const std::string& input = options.inputs.front();
  if (!fs::exists(input)) throw InputError(input + ": there is no such file");
  if (file_suffix(input) != "h5")
    throw InputError(input + ": holds no energies of a run; name the energies.h5 in its output directory");
  const h5::File file = h5::File::read(input);
  if (!file.contains("step") || !file.contains("time") || !file.contains("potential"))
    throw InputError(input + ": holds no energies of a run; name the energies.h5 in its output directory");
  const bool csv = file_suffix(options.output) == "csv";
  const std::vector<Column> columns = columns_of(file);
  const h5::Dataset steps = file.dataset("step"), times = file.dataset("time");
  std::uint64_t rows = std::min(steps.rows(), times.rows());
  for (const Column& c : columns) rows = std::min(rows, c.values.rows());
  const double begin = time_of("--begin", options.begin, -std::numeric_limits<double>::infinity()),
               end = time_of("--end", options.end, std::numeric_limits<double>::infinity());

  UnfinishedFile whole(options.output);
  std::ofstream out(whole.name());
  out << (csv ? csv_head(columns) : xvg_head(input, columns));
  std::uint64_t chosen = 0, written = 0;
  for (std::uint64_t first = 0; first < rows; first += rows_at_once) {
    const std::uint64_t count = std::min(rows_at_once, rows - first);
    const std::vector<std::int64_t> step = steps.read<std::int64_t>(first, count);
    const std::vector<double> time = times.read<double>(first, count);
    std::vector<std::vector<double>> values;
    for (const Column& c : columns) values.push_back(c.values.read<double>(first, count));
    for (std::size_t n = 0; n < count; ++n) {
      if (time[n] < begin - time_slack(begin) || time[n] > end + time_slack(end)) continue;
      if (chosen++ % static_cast<std::uint64_t>(options.stride) != 0) continue;
      std::string line = csv ? fmt::format("{},{:.10g}", step[n], time[n]) : fmt::format("{:.10g}", time[n]);
      for (const std::vector<double>& one : values) line += fmt::format("{}{:.10g}", csv ? "," : " ", one[n]);
      out << line << '\n';
      ++written;
    }
  }
  out.close();
  if (!out) throw InputError(options.output + ": cannot be written; choose another place, or make room");
  if (written == 0)
    throw InputError(input + ": no row " + (rows == 0 ? "is there yet" : "is between --begin and --end") +
                     "; look at the times with `uplift info`");
  whole.finish();
  std::cout << options.output << ": " << written << " rows, " << columns.size() << " columns\n";
  return finished;
}

}  // namespace uplift::app
