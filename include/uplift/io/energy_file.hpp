#pragma once
// energies.h5: a table at the energy stride, one dataset a column. Columns: step, time, every energy term of the system,
// potential, kinetic, total, temperature, pressure and volume (periodic systems only), conserved_quantity. Units as attributes,
// in the H5MD units module's notation ("kJ mol-1", "nm+3"). A run with a bias, or that collects for one, has a group `bias` of
// columns, too: dihedral_energy, total_energy, boost_dihedral, boost_total, factor_dihedral and factor_total (BiasEnergies).
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "uplift/io/h5.hpp"
#include "uplift/io/trajectory.hpp"
#include "uplift/model/energies.hpp"

namespace uplift {

struct EnergyRow {
  std::int64_t step = 0;
  double time = 0;  ///< [ps]
  Energies energies;
  double kinetic = 0;             ///< [kJ/mol]
  double temperature = 0;         ///< [K]
  double pressure = 0;            ///< [bar]; periodic systems
  double volume = 0;              ///< [nm^3]; periodic systems
  double conserved_quantity = 0;  ///< [kJ/mol]
};

class EnergyWriter {
 public:
  /// Starts a new table with a column for each of `terms`. Throws SimulationError when it cannot be written or another job
  /// writes it.
  static EnergyWriter create(const std::string& path, const std::vector<EnergyTerm>& terms, bool periodic,
                             const Provenance& provenance, bool bias = false);
  /// Opens the table of an earlier part of the run. Throws InputError when its columns are others.
  static EnergyWriter append(const std::string& path, const std::vector<EnergyTerm>& terms, bool periodic, bool bias = false);
  EnergyWriter(EnergyWriter&&) = default;
  EnergyWriter& operator=(EnergyWriter&&) = default;
  ~EnergyWriter();

  /// Adds a row; its step must be beyond the last one's. Rows are gathered and written once a second, or when 1024 wait.
  void write(const EnergyRow& row);
  /// Hands over the rows of a stage that began at step `first`: those beyond it, and the very first row if it is of that step.
  void rows_since(std::int64_t first, const std::function<void(const EnergyRow&)>& take);
  /// Drops every row whose step is greater than `step`.
  void trim_after(std::int64_t step);
  void flush();
  void sync();
  std::optional<std::int64_t> last_step() const { return last_step_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(rows_ + steps_.size()); }

 private:
  struct Column {
    std::string name, unit;
    h5::Dataset dataset;
    std::vector<double> waiting;
  };
  EnergyWriter() = default;
  static std::vector<Column> columns_for(const std::vector<EnergyTerm>& terms, bool periodic, bool bias);
  void open_datasets();
  void write_waiting();

  h5::File file_;
  h5::Dataset step_;
  std::vector<EnergyTerm> terms_;
  std::vector<Column> columns_;
  std::vector<std::int64_t> steps_;  ///< waiting to be written
  std::optional<std::int64_t> last_step_;
  std::uint64_t rows_ = 0;  ///< in the file
  double flushed_at_ = 0;   ///< steady clock [s]
  bool periodic_ = false, bias_ = false;
};

}  // namespace uplift
