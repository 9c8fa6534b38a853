#include "uplift/io/amd_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <sstream>

#include "uplift/core/constants.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

std::string header(BiasMethod method) {
  return fmt::format(
      "  # {} Molecular Dynamics log file\n"
      "  # All energy terms stored in units of kcal/mol\n"
      "  # "
      "ntwx,total_nstep,Unboosted-Potential-Energy,Unboosted-Dihedral-Energy,Total-Force-Weight,Dihedral-Force-Weight,Boost-"
      "Energy-Potential,Boost-Energy-Dihedral\n",
      method == BiasMethod::amd ? "Accelerated" : "Gaussian Accelerated");
}

/// What of the file stays: comments and rows up to `step`, whole lines only.
std::string kept(const std::string& path, std::int64_t step) {
  std::ifstream in(path);
  std::string all;
  for (std::string line; std::getline(in, line) && !in.eof();) {
    std::istringstream columns(line);
    std::int64_t stride, of;
    if (line.find('#') == std::string::npos && (!(columns >> stride >> of) || of > step)) break;
    all += line + '\n';
  }
  return all;
}

}  // namespace

AmdLog::AmdLog(const std::string& path, std::int64_t step, BiasMethod method) : path_(path) {
  std::string text = kept(path, step);
  if (text.empty()) text = header(method);
  write_file(path, text);
  out_.open(path, std::ios::binary | std::ios::app);
  if (!out_) fail_to_write(path, errno);
}

void AmdLog::write(std::int64_t stride, std::int64_t step, const BiasEnergies& e) {
  constexpr double kcal = constants::kilojoule_per_kilocalorie;
  out_ << fmt::format("  {:10}{:10}{:22.12f}{:22.12f}{:22.12f}{:22.12f}{:22.12f}{:22.12f}\n", stride, step, e.total / kcal,
                      e.dihedral / kcal, e.factor_total, e.factor_dihedral, e.boost_total / kcal, e.boost_dihedral / kcal);
}

void AmdLog::flush() {
  out_.flush();
  if (!out_) fail_to_write(path_, errno);
}

void AmdLog::sync() {
  flush();
  const int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);  // a stream does not tell its own
  const bool done = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!done) fail_to_write(path_, errno);
}

}  // namespace uplift
