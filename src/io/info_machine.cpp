#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "uplift/core/processors.hpp"
#include "uplift/io/info.hpp"

namespace uplift {
namespace {

/// "key : value" lines of /proc/cpuinfo: model name, and distinct (package, core) pairs.
struct Processor {
  std::string model = "unknown processor";
  int threads = 0;
  int cores = 0;
};

Processor read_processor() {
  Processor processor;
  std::set<std::pair<std::string, std::string>> cores;
  std::string package;
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    const std::string value = colon + 2 <= line.size() ? line.substr(colon + 2) : "";
    if (key == "processor") ++processor.threads;
    if (key == "model name") processor.model = value;
    if (key == "physical id") package = value;
    if (key == "core id") cores.emplace(package, value);
  }
  processor.cores = cores.empty() ? processor.threads : static_cast<int>(cores.size());
  return processor;
}

std::string memory_text() {
  double total = 0, available = 0;
  std::ifstream in("/proc/meminfo");
  std::string key, unit;
  for (double kibibytes = 0; in >> key >> kibibytes; std::getline(in, unit)) {
    if (key == "MemTotal:") total = kibibytes;
    if (key == "MemAvailable:") available = kibibytes;
  }
  return fmt::format("{:.1f} GiB, {:.1f} GiB free", total / 1048576, available / 1048576);
}

}  // namespace

std::string describe_machine() {
  const Processor processor = read_processor();
  utsname os{};
  ::uname(&os);
  return fmt::format("processor: {}\ncores: {} ({} hardware threads, {} usable by this process)\nmemory: {}\nsystem: {} {} {}",
                     processor.model, processor.cores, processor.threads, usable_processors(), memory_text(), os.sysname,
                     os.release, os.machine);
}

}  // namespace uplift
