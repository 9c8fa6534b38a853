#include "rank_threads.hpp"

#include <sched.h>

#include <algorithm>

#include "uplift/backend/cpu/cpu_backend.hpp"

namespace uplift::app {

int threads_of_rank(const Communicator& ranks) {
  const int usable = cpu::usable_threads();
  const Communicator node = ranks.node();
  if (node.size() == 1) return usable;
  std::vector<cpu_set_t> masks(1);
  CPU_ZERO(masks.data());
  sched_getaffinity(0, sizeof(cpu_set_t), masks.data());
  const cpu_set_t own = masks.front();
  const auto gathered = node.gather(std::span<const cpu_set_t>(masks));
  masks.clear();
  for (const auto& one : gathered) masks.insert(masks.end(), one.begin(), one.end());
  node.broadcast(masks);
  const auto sharing = std::count_if(masks.begin(), masks.end(), [&](const cpu_set_t& m) { return CPU_EQUAL(&m, &own); });
  return std::max(1, usable / static_cast<int>(std::max<std::ptrdiff_t>(1, sharing)));
}

}  // namespace uplift::app
