#include "rank_threads.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>

#include "uplift/core/processors.hpp"

namespace uplift::app {
namespace {

RankThreads share_of_rank(const Communicator& ranks) {
  const int usable = usable_processors();
  const Communicator node = ranks.node();
  if (node.size() == 1) return {usable, "", ""};
  std::vector<cpu_set_t> masks(1);
  CPU_ZERO(masks.data());
  sched_getaffinity(0, sizeof(cpu_set_t), masks.data());
  const cpu_set_t own = masks.front();
  const auto gathered = node.gather(std::span<const cpu_set_t>(masks));
  masks.clear();
  for (const auto& one : gathered) masks.insert(masks.end(), one.begin(), one.end());
  node.broadcast(masks);
  const auto sharing =
      static_cast<int>(std::count_if(masks.begin(), masks.end(), [&](const cpu_set_t& m) { return CPU_EQUAL(&m, &own); }));
  if (sharing <= usable) return {usable / std::max(1, sharing), "", ""};
  return {1, "",
          fmt::format(
              "{} ranks share {} of this machine and are slow, as one waits for the other: start fewer, or give each its own",
              sharing, usable == 1 ? "one processor" : fmt::format("{} processors", usable))};
}

}  // namespace

RankThreads threads_of_rank(const Communicator& ranks) {
  RankThreads share = share_of_rank(ranks);
  const WantedThreads wanted = wanted_threads();
  if (wanted.threads == 0 || wanted.threads >= share.count) return share;
  share.note = fmt::format("{} of {} possible threads, as {} says; compute.threads or --threads change that", wanted.threads,
                           share.count, wanted.from);
  share.count = wanted.threads;
  return share;
}

}  // namespace uplift::app
