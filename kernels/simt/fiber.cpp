#include <cuda_runtime.h>

#include <bit>
#include <cstring>
#include <sstream>

#include "simt/fiber.hpp"

namespace simt {
namespace {

std::string at(const Site& s) {
  return std::string(s.file_name()) + ":" + std::to_string(s.line()) + ":" + std::to_string(s.column());
}

std::string exchange(const Lanes& lanes, unsigned live) {
  char copy[warp_lanes][64];
  for (unsigned k = 0; k < warp_lanes; ++k)
    if (live >> k & 1) std::memcpy(copy[k], lanes[k]->data, lanes[k]->bytes);
  for (unsigned k = 0; k < warp_lanes; ++k) {
    if (!(live >> k & 1)) continue;
    const auto source = static_cast<unsigned>(lanes[k]->source);
    if (source >= warp_lanes || !(live >> source & 1))
      return "a shuffle reads lane " + std::to_string(source) + ", which is not in the mask or has returned:\n  " +
             describe(*lanes[k]);
    std::memcpy(lanes[k]->data, copy[source], lanes[k]->bytes);
  }
  return {};
}

void vote(const Lanes& lanes, unsigned live) {
  unsigned yes = 0, bits = 0;
  for (unsigned k = 0; k < warp_lanes; ++k) {
    if (!(live >> k & 1)) continue;
    if (lanes[k]->source != 0) yes |= 1u << k;
    bits |= static_cast<unsigned>(lanes[k]->source);
  }
  for (unsigned k = 0; k < warp_lanes; ++k) {
    if (!(live >> k & 1)) continue;
    Fiber* f = lanes[k];
    switch (f->collective) {
      case Collective::ballot:
        f->result = yes;
        break;
      case Collective::any:
        f->result = yes != 0;
        break;
      case Collective::all:
        f->result = yes == live;
        break;
      case Collective::reduce_or:
        f->result = bits;
        break;
      default:
        f->result = 0;
        for (unsigned j = 0; j < warp_lanes; ++j)
          if ((live >> j & 1) && std::memcmp(lanes[j]->data, f->data, f->bytes) == 0) f->result |= 1u << j;
    }
  }
}

}  // namespace

bool same(const Site& a, const Site& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() || std::strcmp(a.file_name(), b.file_name()) == 0);
}

std::string describe(const Fiber& f) {
  static const char* const names[] = {"a shuffle",        "__ballot_sync",    "__any_sync", "__all_sync",
                                      "__match_any_sync", "__reduce_or_sync", "__syncwarp"};
  std::ostringstream out;
  out << "thread (" << f.index.x << ", " << f.index.y << ", " << f.index.z << "), lane " << f.lane << ", ";
  switch (f.state) {
    case State::returned:
      out << "has returned";
      break;
    case State::in_collective:
      out << "in " << names[static_cast<std::size_t>(f.collective)] << " with mask 0x" << std::hex << f.mask << " at "
          << at(f.site);
      break;
    case State::at_barrier:
      out << "in __syncthreads at " << at(f.site);
      break;
    case State::ready:
      out << "could go on";
  }
  return out.str();
}

std::string give_results(const Lanes& lanes, unsigned live) {
  switch (lanes[static_cast<std::size_t>(std::countr_zero(live))]->collective) {
    case Collective::shuffle:
      return exchange(lanes, live);
    case Collective::sync:
      return {};
    default:
      vote(lanes, live);
      return {};
  }
}

}  // namespace simt
