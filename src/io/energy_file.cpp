#include "uplift/io/energy_file.hpp"

#include <algorithm>
#include <chrono>

#include "uplift/core/assert.hpp"
#include "uplift/core/error.hpp"

namespace uplift {
namespace {

constexpr double flush_interval = 1.0;      // [s]
constexpr std::size_t most_waiting = 1024;  // rows
constexpr std::uint64_t rows_per_chunk = 2048;
constexpr std::uint64_t rows_at_once = 4096;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

std::vector<EnergyWriter::Column> EnergyWriter::columns_for(const std::vector<EnergyTerm>& terms, bool periodic, bool bias) {
  std::vector<Column> columns;
  const auto add = [&](std::string name, std::string unit) { columns.push_back({std::move(name), std::move(unit), {}, {}}); };
  add("time", "ps");
  for (EnergyTerm term : terms) add(std::string(energy_term_names[static_cast<std::size_t>(term)]), "kJ mol-1");
  for (const char* name : {"potential", "kinetic", "total"}) add(name, "kJ mol-1");
  add("temperature", "K");
  if (periodic) {
    add("pressure", "bar");
    add("volume", "nm+3");
  }
  add("conserved_quantity", "kJ mol-1");
  if (bias) {
    for (const char* name : {"dihedral_energy", "total_energy", "boost_dihedral", "boost_total"})
      add(std::string("bias/") + name, "kJ mol-1");
    for (const char* name : {"factor_dihedral", "factor_total"}) add(std::string("bias/") + name, "");
  }
  return columns;
}

EnergyWriter EnergyWriter::create(const std::string& path, const std::vector<EnergyTerm>& terms, bool periodic,
                                  const Provenance& provenance, bool bias) {
  EnergyWriter writer;
  writer.terms_ = terms;
  writer.periodic_ = periodic;
  writer.bias_ = bias;
  writer.columns_ = columns_for(terms, periodic, bias);
  writer.file_ = h5::File::create(path);
  writer.file_.set("creator", "uplift");
  writer.file_.set("version", provenance.version);
  write_provenance(writer.file_, provenance);
  writer.file_.extendible<std::int64_t>("step", {}, {rows_per_chunk, 0});
  for (const Column& column : writer.columns_)
    if (h5::Dataset made = writer.file_.extendible<double>(column.name, {}, {rows_per_chunk, 0}); !column.unit.empty())
      made.set("unit", column.unit);
  writer.open_datasets();
  writer.flush();
  return writer;
}

EnergyWriter EnergyWriter::append(const std::string& path, const std::vector<EnergyTerm>& terms, bool periodic, bool bias) {
  EnergyWriter writer;
  writer.terms_ = terms;
  writer.periodic_ = periodic;
  writer.bias_ = bias;
  writer.columns_ = columns_for(terms, periodic, bias);
  writer.file_ = h5::File::append(path);
  std::vector<std::string> expected{"parameters", "step"};
  for (const Column& column : writer.columns_)
    if (!column.name.starts_with("bias/")) expected.push_back(column.name);
  if (bias) expected.push_back("bias");
  std::sort(expected.begin(), expected.end());
  if (writer.file_.names() != expected)
    throw InputError(path +
                     ": has other columns than this run writes (the continued run must be of the same system and forces); "
                     "choose another output directory");
  writer.open_datasets();
  return writer;
}

EnergyWriter::~EnergyWriter() {
  try {
    if (file_) flush();
  } catch (const std::exception&) {
    // Nobody is left to tell: callers that care call flush() or sync().
  }
}

void EnergyWriter::open_datasets() {
  step_ = file_.dataset("step");
  rows_ = step_.rows();
  for (Column& column : columns_) {
    column.dataset = file_.dataset(column.name);
    rows_ = std::min(rows_, column.dataset.rows());
  }
  // A job killed between two columns leaves them of different lengths: only whole rows count.
  if (step_.rows() > rows_) step_.trim(rows_);
  for (Column& column : columns_)
    if (column.dataset.rows() > rows_) column.dataset.trim(rows_);
  last_step_.reset();
  if (rows_ > 0) last_step_ = step_.read<std::int64_t>(rows_ - 1, 1)[0];
  flushed_at_ = now();
}

void EnergyWriter::write(const EnergyRow& row) {
  UPLIFT_EXPECT(!last_step_ || row.step > *last_step_);
  std::size_t c = 0;
  const auto put = [&](double value) { columns_[c++].waiting.push_back(value); };
  put(row.time);
  for (EnergyTerm term : terms_) put(row.energies[term]);
  const double potential = row.energies.potential();
  put(potential);
  put(row.kinetic);
  put(row.energies.boosted_potential() + row.kinetic);
  put(row.temperature);
  if (periodic_) {
    put(row.pressure);
    put(row.volume);
  }
  put(row.conserved_quantity);
  if (bias_) {
    const BiasEnergies& b = row.energies.bias;
    for (double value : {b.dihedral, b.total, b.boost_dihedral, b.boost_total, b.factor_dihedral, b.factor_total}) put(value);
  }
  UPLIFT_ENSURE(c == columns_.size());
  steps_.push_back(row.step);
  last_step_ = row.step;
  if (steps_.size() >= most_waiting || now() - flushed_at_ >= flush_interval) flush();
}

void EnergyWriter::write_waiting() {
  if (steps_.empty()) return;
  for (Column& column : columns_) {
    column.dataset.append(std::span<const double>(column.waiting));
    column.waiting.clear();
  }
  step_.append(std::span<const std::int64_t>(steps_));
  rows_ += steps_.size();
  steps_.clear();
}

void EnergyWriter::rows_since(std::int64_t first, const std::function<void(const EnergyRow&)>& take) {
  write_waiting();
  const std::vector<std::int64_t> steps = step_.read<std::int64_t>();
  auto begin = static_cast<std::uint64_t>(std::upper_bound(steps.begin(), steps.end(), first) - steps.begin());
  if (begin == 1 && steps[0] == first) begin = 0;
  for (; begin < rows_; begin += rows_at_once) {
    const std::uint64_t count = std::min(rows_at_once, rows_ - begin);
    std::vector<std::vector<double>> values;
    for (const Column& column : columns_) values.push_back(column.dataset.read<double>(begin, count));
    for (std::size_t n = 0; n < count; ++n) {
      std::size_t c = 0;
      const auto next = [&] { return values[c++][n]; };
      EnergyRow row;
      row.step = steps[static_cast<std::size_t>(begin) + n];
      row.time = next();
      for (EnergyTerm term : terms_) row.energies[term] = next();
      c += 1;  // potential: the sum of the terms
      row.kinetic = next();
      c += 1;  // total
      row.temperature = next();
      if (periodic_) {
        row.pressure = next();
        row.volume = next();
      }
      row.conserved_quantity = next();
      BiasEnergies& b = row.energies.bias;
      if (bias_)
        for (double* value : {&b.dihedral, &b.total, &b.boost_dihedral, &b.boost_total, &b.factor_dihedral, &b.factor_total})
          *value = next();
      take(row);
    }
  }
}

void EnergyWriter::trim_after(std::int64_t step) {
  write_waiting();
  const std::vector<std::int64_t> steps = step_.read<std::int64_t>();
  rows_ = static_cast<std::uint64_t>(std::upper_bound(steps.begin(), steps.end(), step) - steps.begin());
  step_.trim(rows_);
  for (Column& column : columns_) column.dataset.trim(rows_);
  last_step_.reset();
  if (rows_ > 0) last_step_ = steps[static_cast<std::size_t>(rows_ - 1)];
  flush();
}

void EnergyWriter::flush() {
  write_waiting();
  file_.flush();
  flushed_at_ = now();
}

void EnergyWriter::sync() {
  flush();
  file_.sync();
}

}  // namespace uplift
