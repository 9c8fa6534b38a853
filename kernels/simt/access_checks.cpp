#include "simt/access_checks.hpp"

#include <cuda_runtime.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <utility>

#include "simt/scheduler.hpp"

namespace simt::checks {
namespace {

enum class Kind : std::uint8_t { read, copied, write, atomic, glance };  ///< copied: read, whatever is in it

/// Who touched a cell, packed so that a cell is a line of the cache. What does not fit stays at its largest, where it may hide
/// a race and never makes one up.
struct Access {
  std::uint64_t operation : 26 = 0;  ///< 0: nobody
  std::uint64_t block : 24 = 0, epoch : 14 = 0;
  std::uint64_t code : 32 = 0;  ///< the low half of an address in the program; 0: not by a thread
  std::uint64_t thread : 10 = 0, clock : 18 = 0;
  std::uint64_t bytes : 4 = 0;  ///< a bit each

  std::uint32_t warp() const { return static_cast<std::uint32_t>(thread / lanes); }
};
constexpr std::uint32_t most_operations = (1u << 26) - 1, whole = (1u << 24) - 1, most_epochs = (1u << 14) - 1,
                        most_clocks = (1u << 18) - 1;  ///< whole: block of what an operation does as one
/// Four bytes of memory. Readers: the last, and the last of another warp.
struct alignas(64) Cell {
  Access write, atomic, read, other_read;
};
static_assert(sizeof(Cell) == 64);

constexpr std::size_t cell_bytes = 4, page_bytes = 4096;
using Page = std::array<Cell, page_bytes / cell_bytes>;

struct PageOfRegion {
  std::unique_ptr<Page> cells;  ///< once somebody touches it
  std::size_t bytes = 0;        ///< of device memory: that are somebody's
};
struct Region {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  bool shared = false;
  std::vector<PageOfRegion> pages;
};
struct Range {
  std::uintptr_t begin;
  std::size_t bytes;
};

struct Operation {
  std::size_t stream = 0;
  std::uint32_t number = 0;
  const char* name = "a copy";
};

enum class Wrong : std::uint8_t { race, nobodys, unwritten };
struct Finding {
  Wrong what;
  bool shared;
  Kind now_kind;
  Access now;
  Kind before_kind{};  ///< of a race
  Access before{};
};

constexpr std::size_t most_reports = 8;

struct Detector {
  std::vector<Region> regions;
  std::uintptr_t first = ~std::uintptr_t{0}, last = 0;  ///< addresses of all regions lie between
  std::vector<Operation> operations{{}};
  StreamClock before, retired;
  std::array<std::uint32_t, 64> ordered{};  ///< operations that were found to come before the one that runs
  std::uint32_t block = whole;
  ThreadClock* thread = nullptr;
  std::unordered_map<const void*, std::pair<Marks, std::shared_ptr<const Marks>>> passed_on;  ///< by atomics, after fences
  std::map<std::pair<std::uint32_t, std::uint32_t>, Finding> findings;                        ///< by both places in the program
  std::vector<Range> variables;                                                               ///< in shared memory
  Access now;  ///< of the thread that runs, but for place and bytes
};
constinit Detector* detector = nullptr;  ///< from the first that is watched on
/// The emulator runs in one thread of the operating system at a time; hooks are called in all.
constinit thread_local bool running = false;

void describe_thread(Detector& d) {
  if (!d.thread) return;
  const ThreadClock& t = *d.thread;
  d.now.block = std::min(d.block, whole - 1);
  d.now.epoch = std::min(t.epoch, most_epochs);
  d.now.thread = t.number & 1023u;
  d.now.clock = std::min(t.clocks[t.lane()], most_clocks);
}

bool knows(const ThreadClock& t, const Access& a) {
  for (const auto& marks : t.known)
    for (const Mark& m : *marks)
      if (m.block == a.block && (a.epoch < m.epoch || (a.warp() == m.warp && a.clock <= m.clocks[a.thread % lanes])))
        return true;
  return false;
}

void share_known(std::span<ThreadClock* const> who) {
  std::set<std::shared_ptr<const Marks>> known;
  for (const ThreadClock* t : who) known.insert(t->known.begin(), t->known.end());
  for (ThreadClock* t : who) t->known.assign(known.begin(), known.end());
}

bool operation_comes_before(Detector& d, std::uint32_t operation) {
  std::uint32_t& found = d.ordered[operation % d.ordered.size()];
  if (found == operation) return true;
  const Operation& o = d.operations[operation];
  if (o.number > d.before.of(o.stream) && o.number > d.retired.of(o.stream)) return false;
  found = operation;
  return true;
}

/// Does `a` come before what happens now, whatever the order in which threads and streams take turns?
bool comes_before(Detector& d, const Access& a) {
  if (a.operation != d.now.operation) return operation_comes_before(d, static_cast<std::uint32_t>(a.operation));
  if (!d.thread || a.block == whole) return true;
  const ThreadClock& t = *d.thread;
  if (a.block == d.now.block && (a.thread == t.number || a.epoch < d.now.epoch || a.epoch == most_epochs ||
                                 (a.warp() == t.warp() && a.clock <= t.clocks[a.thread % lanes])))
    return true;
  return !t.known.empty() && knows(t, a);
}

bool same_warp(const Access& a, const Access& b) {
  return a.operation == b.operation && a.block == b.block && a.warp() == b.warp();
}

void report(Detector& d, const Finding& f) {
  if (d.findings.size() < most_reports)
    d.findings.insert({{static_cast<std::uint32_t>(f.before.code), static_cast<std::uint32_t>(f.now.code)}, f});
}

void touch(Detector& d, Cell& cell, const Access& now, Kind kind, bool shared) {
  const auto meets = [&](const Access& a, Kind its) {
    if (a.operation == 0 || (a.bytes & now.bytes) == 0) return;
    if (shared && (a.operation != now.operation || a.block != now.block)) return;  // of another block, which had its own
    if (!comes_before(d, a)) report(d, {Wrong::race, shared, kind, now, its, a});
  };
  const auto wrote = [&](const Access& a) {
    return a.operation != 0 && (!shared || (a.operation == now.operation && a.block == now.block));
  };
  const bool reads = kind == Kind::read || kind == Kind::copied;
  if (kind != Kind::write && kind != Kind::copied && !wrote(cell.write) && !wrote(cell.atomic))
    report(d, {Wrong::unwritten, shared, kind, now});
  meets(cell.write, Kind::write);
  if (kind == Kind::glance) return;
  if (kind != Kind::atomic) meets(cell.atomic, Kind::atomic);
  if (reads) {
    if (!same_warp(cell.read, now)) cell.other_read = cell.read;
    cell.read = now;
    return;
  }
  meets(cell.read, Kind::read);
  meets(cell.other_read, Kind::read);
  (kind == Kind::write ? cell.write : cell.atomic) = now;
}

Region* region_of(Detector& d, const void* p) {
  for (Region& r : d.regions)
    if (reinterpret_cast<std::uintptr_t>(p) - r.begin < r.bytes) return &r;
  return nullptr;
}

bool is_somebodys(const Detector& d, const Region& r, std::size_t offset, std::size_t bytes) {
  if (r.shared)
    return std::any_of(d.variables.begin(), d.variables.end(), [&](const Range& v) {
      return r.begin + offset >= v.begin && r.begin + offset + bytes <= v.begin + v.bytes;
    });
  for (const std::size_t end = offset + bytes; offset < end;) {
    const std::size_t page = offset / page_bytes, until = std::min(end, (page + 1) * page_bytes);
    if (page >= r.pages.size() || until - page * page_bytes > r.pages[page].bytes) return false;
    offset = until;
  }
  return true;
}

void access(Detector& d, const void* place, std::size_t bytes, Kind kind, const void* code) {
  Region* region = region_of(d, place);
  if (!region) return;
  Access now = d.now;
  now.code = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(code));
  if (!d.thread) now.block = whole;
  std::size_t offset = reinterpret_cast<std::uintptr_t>(place) - region->begin;
  if (!is_somebodys(d, *region, offset, bytes)) {
    report(d, {Wrong::nobodys, region->shared, kind, now});
    return;
  }
  for (const std::size_t end = offset + bytes; offset < end;) {
    const std::size_t first = offset % cell_bytes, count = std::min(cell_bytes - first, end - offset);
    auto& cells = region->pages[offset / page_bytes].cells;
    if (!cells) cells = std::make_unique<Page>();
    now.bytes = ((1u << count) - 1u) << first & 15u;
    touch(d, (*cells)[offset % page_bytes / cell_bytes], now, kind, region->shared);
    offset += count;
  }
}

void add_region(const void* base, std::size_t bytes, bool shared) {
  Region r;
  r.begin = reinterpret_cast<std::uintptr_t>(base);
  r.bytes = bytes;
  r.shared = shared;
  if (shared) r.pages.resize((bytes + page_bytes - 1) / page_bytes);
  detector->first = std::min(detector->first, r.begin);
  detector->last = std::max(detector->last, r.begin + bytes);
  detector->regions.push_back(std::move(r));
}

/// Functions and lines of a place in the program, as far as it has debug information; the call before it is what is meant.
std::string source_of(std::uint32_t code) {
  std::uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {  // the first is the program
        *static_cast<std::uintptr_t*>(to) = info->dlpi_addr;
        return 1;
      },
      &base);
  std::ostringstream command;
  command << "addr2line -Cfspie /proc/" << getpid() << "/exe 0x" << std::hex << code - static_cast<std::uint32_t>(base) - 1
          << " 2>/dev/null";
  std::string text;
  if (FILE* pipe = popen(command.str().c_str(), "r")) {
    char part[512];
    while (std::fgets(part, sizeof part, pipe)) {
      text += part;
      if (const auto more = text.rfind(" (discriminator"); more != text.npos) text.replace(more, text.npos, "\n");
    }
    pclose(pipe);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "an unknown place" : text;
}

std::string describe(const Detector& d, const Access& a, Kind kind) {
  const Operation& o = d.operations[a.operation];
  std::string text = kind == Kind::write ? "written" : kind == Kind::atomic ? "changed by an atomic" : "read";
  text +=
      std::string(" by ") + o.name + " (operation " + std::to_string(o.number) + " of stream " + std::to_string(o.stream) + ")";
  if (a.block != whole)
    text += ", block " + std::to_string(a.block) + ", thread " + std::to_string(a.thread) + ", at " +
            source_of(static_cast<std::uint32_t>(a.code));
  return text;
}

}  // namespace

void watch() {
  if (!detector) detector = new Detector;  // for as long as there is a program
}
bool watched() { return detector != nullptr; }
bool Pause::paused = false;

void watch_device_memory(const void* base, std::size_t bytes) {
  if (detector) add_region(base, bytes, false);
}
void watch_shared_memory(const void* base, std::size_t bytes) {
  if (detector) add_region(base, bytes, true);
}
void take_device_memory(const void* begin, std::size_t bytes) {
  Region* r = detector ? region_of(*detector, begin) : nullptr;
  if (!r) return;
  std::size_t page = (reinterpret_cast<std::uintptr_t>(begin) - r->begin) / page_bytes;
  for (std::size_t k = 0; k < bytes; k += page_bytes, ++page) {
    if (page >= r->pages.size()) r->pages.resize(page + 1);
    r->pages[page].cells.reset();
    r->pages[page].bytes = std::min(bytes - k, page_bytes);
  }
}
void free_device_memory(const void* begin, std::size_t bytes) {
  Region* r = detector ? region_of(*detector, begin) : nullptr;
  if (!r) return;
  const std::size_t page = (reinterpret_cast<std::uintptr_t>(begin) - r->begin) / page_bytes;
  for (std::size_t k = 0; k * page_bytes < bytes; ++k) r->pages[page + k] = {};
}
void take_shared_memory(const void* begin, std::size_t bytes) {
  if (detector) detector->variables.push_back({reinterpret_cast<std::uintptr_t>(begin), bytes});
}

void begin_operation(std::size_t stream, std::uint32_t number, const StreamClock& before) {
  if (!detector) return;
  Detector& d = *detector;
  d.now.operation = std::min<std::size_t>(d.operations.size(), most_operations);
  if (d.operations.size() < most_operations) d.operations.emplace_back();
  d.operations.back() = {stream, number};
  d.before = before;
  d.ordered.fill(0);
  d.passed_on.clear();
  d.findings.clear();
}
void end_operation() {
  if (!detector || detector->findings.empty()) return;
  const auto findings = std::exchange(detector->findings, {});
  if (Pause::paused) return;
  std::string text;
  for (const auto& [key, f] : findings) {
    const std::string memory = f.shared ? "shared memory" : "device memory", now = describe(*detector, f.now, f.now_kind);
    text += text.empty() ? "" : "\n";
    if (f.what == Wrong::race)
      text += "a race, nothing puts these in an order: " + memory + " " + describe(*detector, f.before, f.before_kind) +
              "\n  and " + now;
    else
      text += memory + (f.what == Wrong::nobodys ? " that is nobody's, " : " that nobody has written, ") + now;
  }
  throw Error(text);
}
void retire_stream(std::size_t stream, std::uint32_t operations) {
  if (detector) detector->retired.set(stream, operations);
}

void begin_kernel(const char* name) {
  if (detector) detector->operations.back().name = name;
}
void begin_block(std::uint32_t block) {
  if (!detector) return;
  Detector& d = *detector;
  d.block = block;
  d.variables.clear();
  std::erase_if(d.passed_on, [&](const auto& entry) {  // in shared memory, which is another's now
    const Region* r = region_of(d, entry.first);
    return r && r->shared;
  });
}
void begin_thread(ThreadClock& clock, std::uint32_t number) {
  if (!detector) return;
  clock.number = number;
  clock.epoch = 0;
  clock.clocks.fill(0);
  clock.clocks[clock.lane()] = 1;
  clock.known.clear();
  clock.fenced = false;
  clock.atomics.clear();
}
void meet_in_warp(std::span<ThreadClock* const> who) {
  std::array<std::uint32_t, lanes> together{};
  for (const ThreadClock* t : who)
    for (std::size_t k = 0; k < lanes; ++k) together[k] = std::max(together[k], t->clocks[k]);
  for (ThreadClock* t : who) {
    t->clocks = together;
    ++t->clocks[t->lane()];
  }
  share_known(who);
}
void meet_in_block(std::span<ThreadClock* const> who) {
  for (ThreadClock* t : who) ++t->epoch;
  share_known(who);
}
void run_thread(ThreadClock* clock) {
  if (!detector) return;
  detector->thread = clock;
  running = clock != nullptr;
  describe_thread(*detector);
}

/// A fence before an atomic passes on what came before it; one after an atomic learns what others have passed on there (the C++
/// standard's rules for fences, which are those of PTX).
void fence() {
  if (!running) return;
  Detector& d = *detector;
  ThreadClock& t = *d.thread;
  for (const void* place : t.atomics)
    if (const auto found = d.passed_on.find(place); found != d.passed_on.end()) {
      auto& [marks, copy] = found->second;
      if (!copy) copy = std::make_shared<const Marks>(marks);
      t.known.push_back(copy);
    }
  t.atomics.clear();
  t.fenced = true;
  t.at_fence = {d.block, t.warp(), t.epoch, t.clocks};
  ++t.clocks[t.lane()];
  describe_thread(d);
}
void plain(const void* place, std::size_t bytes, bool write, const void* code) {
  const auto p = reinterpret_cast<std::uintptr_t>(place);
  if (running && p >= detector->first && p < detector->last)  // most are to the thread's own stack
    access(*detector, place, bytes, write ? Kind::write : Kind::read, code);
}
void atomic(const void* place, std::size_t bytes, const void* code) {
  if (!running) return;
  Detector& d = *detector;
  ThreadClock& t = *d.thread;
  access(d, place, bytes, Kind::atomic, code);
  if (t.fenced) {
    auto& [marks, copy] = d.passed_on[place];
    marks.push_back(t.at_fence);
    for (const auto& known : t.known) marks.insert(marks.end(), known->begin(), known->end());
    copy.reset();
  }
  if (t.atomics.size() < 16) t.atomics.push_back(place);
}
void glance(const void* place, std::size_t bytes, const void* code) {
  if (running) access(*detector, place, bytes, Kind::glance, code);
}
void read_range(const void* begin, std::size_t bytes) {
  if (detector) access(*detector, begin, bytes, Kind::read, nullptr);
}
void copy_range(const void* begin, std::size_t bytes) {
  if (detector) access(*detector, begin, bytes, Kind::copied, nullptr);
}
void write_range(const void* begin, std::size_t bytes) {
  if (detector) access(*detector, begin, bytes, Kind::write, nullptr);
}

}  // namespace simt::checks
