#pragma once
// A thread of the block that runs, as the scheduler sees it; and what lanes that have met give each other.
#include <array>
#include <boost/context/detail/fcontext.hpp>
#include <string>

#include "simt/access_checks.hpp"
#include "simt/scheduler.hpp"

namespace simt {

constexpr unsigned warp_lanes = 32;

enum class State : std::uint8_t { ready, in_collective, at_barrier, returned };

struct Fiber : Thread {
  checks::ThreadClock clock;
  boost::context::detail::fcontext_t context = nullptr;
  char* stack = nullptr;
  void* fake_stack = nullptr;  // of AddressSanitizer
  State state = State::returned;
  // What it waits for.
  Collective collective{};
  Barrier barrier{};
  unsigned mask = 0, bytes = 0, result = 0;
  int source = 0;
  bool predicate = false;
  void* data = nullptr;
  Site site;
};

struct Warp {
  unsigned all = 0, waiting = 0, returned = 0;
};
using Lanes = std::array<Fiber*, warp_lanes>;

/// Who, and what it waits for where.
std::string describe(const Fiber& f);
bool same(const Site& a, const Site& b);
/// Results of the collective that the lanes of `live` have met in. "" or what is wrong.
std::string give_results(const Lanes& lanes, unsigned live);

}  // namespace simt
