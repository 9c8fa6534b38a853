#pragma once
// exchange.h5: the attempts of replica exchange. A group for each stage that exchanges, stages/NAME: temperature [replicas] K;
// a row an attempt: step, time [ps], potential [replicas] kJ/mol before it, accepted [replicas - 1] of neighbours (1, 0, or -1:
// not tried), walker [replicas]: the configuration that is at each temperature after it, named by the replica that it began in,
// from 0.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "uplift/io/h5.hpp"
#include "uplift/io/trajectory.hpp"

namespace uplift {

struct ExchangeRow {
  std::int64_t step = 0;
  double time = 0;                ///< [ps]
  std::vector<double> potential;  ///< [replicas] kJ/mol
  std::vector<std::int32_t> accepted, walkers;
};

class ExchangeFile {
 public:
  /// Goes on in a file that is there. Throws SimulationError when it cannot be written.
  ExchangeFile(const std::string& path, const Provenance& provenance);
  /// Rows of `stage` follow; the first `rows` that are there stay, and their `accepted` is returned. Throws InputError when
  /// there are fewer.
  std::vector<std::vector<std::int32_t>> begin(const std::string& stage, const std::vector<double>& temperatures,
                                               std::int64_t rows);
  /// It survives the process from here on.
  void add(const ExchangeRow& row);
  void sync();

 private:
  std::string path_;
  h5::File file_;
  h5::Dataset step_, time_, potential_, accepted_, walkers_;
};

}  // namespace uplift
