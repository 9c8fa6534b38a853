// `uplift info`.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "commands.hpp"
#include "cpu/cpu_isa.hpp"
#include "uplift/backend/cuda/cuda_backend.hpp"
#include "uplift/io/forcefield_xml.hpp"
#include "uplift/io/info.hpp"

namespace uplift::app {

namespace {

#if defined(UPLIFT_HAVE_CUDA)
std::string version_text(int v) { return v == 0 ? "none" : fmt::format("{}.{}", v / 1000, v % 1000 / 10); }

std::string gpu_text() {
  const DeviceList list = cuda_device::list_devices();
  std::string text = fmt::format("CUDA {}, driver for {}", version_text(list.runtime), version_text(list.driver));
  if (list.devices.empty()) text += "; none here" + (list.problem.empty() ? "" : " (" + list.problem + ")");
  for (std::size_t k = 0; k < list.devices.size(); ++k) {
    const DeviceList::Device& d = list.devices[k];
    text += fmt::format("\n  {}: {}, compute capability {}.{}, {} multiprocessors, {:.1f} GiB", k, d.name, d.major, d.minor,
                        d.multiprocessors, d.memory / 1073741824);
  }
  return text;
}
#else
std::string gpu_text() { return "this build has no CUDA (configure where there is nvcc)"; }
#endif

}  // namespace

int info_command(const InfoOptions& options) {
  if (options.devices)
    std::cout << describe_machine() << "\nCPU kernels: " << cpu::isa_name(cpu::active_isa()) << "\nGPUs: " << gpu_text()
              << '\n';
  if (options.file.empty()) return finished;
  SystemSettings settings;
  settings.parameters = options.parameters;
  settings.define = options.define;
  settings.include = options.include;
  for (const std::string& name : options.forcefield) settings.forcefield.push_back(find_forcefield(name, "."));
  std::cout << describe_file(options.file, settings);
  return finished;
}

}  // namespace uplift::app
