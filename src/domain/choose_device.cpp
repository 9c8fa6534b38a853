#include "uplift/domain/choose_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "uplift/core/error.hpp"

namespace uplift {

int choose_device(const ComputeSettings& compute, int there, LocalRank rank) {
  if (there == 0)
    throw InputError(
        fmt::format("compute.backend: {}, but there is no GPU that this process may use (look at nvidia-smi and "
                    "CUDA_VISIBLE_DEVICES; uplift info --devices says what CUDA says); use backend: cpu",
                    compute.backend));
  std::vector<int> devices = compute.devices;
  if (devices.empty()) {
    devices.resize(static_cast<std::size_t>(there));
    std::iota(devices.begin(), devices.end(), 0);
  }
  if (const int highest = *std::max_element(devices.begin(), devices.end()); highest >= there)
    throw InputError(
        fmt::format("compute.devices: there is no GPU {}; this process may use {}, counted from 0 (uplift info "
                    "--devices shows them), or use auto",
                    highest, there));
  return devices[static_cast<std::size_t>(rank.place + compute.turn * rank.count) % devices.size()];
}

}  // namespace uplift
