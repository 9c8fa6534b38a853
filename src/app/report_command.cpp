// `uplift report`: pictures of a run, drawn anew.
#include <filesystem>
#include <iostream>

#include "commands.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/h5.hpp"
#include "uplift/pictures/pictures.hpp"

namespace uplift::app {

int report_command(const std::vector<std::string>& runs) {
  namespace fs = std::filesystem;
  for (const std::string& run : runs)
    if (!fs::exists(fs::path(run) / "run.log"))
      throw InputError(run + ": holds no run (there is no run.log); name the output directory of a run");
  int status = finished;
  const auto tell = [&](const std::string& file, const std::string& problem) {
    if (problem.empty()) {
      std::cout << "written: " << file << '\n';
    } else {
      std::cerr << "error: " << file << ": " << problem << '\n';
      status = failed;
    }
  };
  for (const std::string& run : runs) {
    for (const auto& entry : fs::directory_iterator(run)) {
      if (entry.path().extension() != ".h5" || !h5::File::read(entry.path().string()).contains("collective_variables/0"))
        continue;
      const std::string stem = fs::path(entry.path()).replace_extension("").string();
      tell(stem + ".png", draw_free_energy(stem));
    }
    tell((fs::path(run) / "report.html").string(), write_report(run));
  }
  return status;
}

}  // namespace uplift::app
