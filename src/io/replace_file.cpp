#include "uplift/io/replace_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "uplift/io/text_file.hpp"

namespace uplift {
namespace {

namespace fs = std::filesystem;

/// Names that a signal handler can read.
struct Slot {
  std::atomic<int> state = 0;  // 0: free, 1: its name is being set, 2: in use
  char name[PATH_MAX] = "";
};
std::array<Slot, 16> slots;

extern "C" void remove_unfinished(int number) {
  for (Slot& slot : slots)
    if (slot.state == 2) ::unlink(slot.name);
  std::signal(number, SIG_DFL);
  std::raise(number);
}

/// Signals that somebody else has taken, or that are ignored (nohup), are left alone.
void take_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL)
      std::signal(number, remove_unfinished);
  }
}

/// -1 where there is no room: the file is only not removed by a signal.
int remember(const std::string& name) {
  if (name.size() >= PATH_MAX) return -1;
  for (std::size_t k = 0; k < slots.size(); ++k) {
    int unused = 0;
    if (!slots[k].state.compare_exchange_strong(unused, 1)) continue;
    std::memcpy(slots[k].name, name.c_str(), name.size() + 1);
    slots[k].state = 2;
    return static_cast<int>(k);
  }
  return -1;
}

/// Written to as it is: what is there and no ordinary file, and names of what this program has open.
bool is_straight(const std::string& path) {
  for (const char* open : {"/dev/std", "/dev/fd/", "/proc/"})
    if (path.starts_with(open)) return true;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// Before it takes the place of another: NFS tells of a quota only then, and after a machine has failed a file under a new name
/// may be empty.
bool reaches_disk(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return true;  // rename() says what is wrong
  const bool done = ::fsync(file) == 0 || errno == EINVAL;
  const int problem = errno;
  ::close(file);
  errno = problem;
  return done;
}

/// The end of a chain of symbolic links, there or not.
std::string followed(const std::string& path) {
  fs::path at(path);
  for (int links = 0; links < 40; ++links) {
    std::error_code error;
    const fs::path next = fs::read_symlink(at, error);
    if (error) break;
    at = next.is_absolute() ? next : at.parent_path() / next;
  }
  return at.string();
}

}  // namespace

UnfinishedFile::UnfinishedFile(const std::string& path)
    : path_(path), target_(path), name_(path), straight_(is_straight(path)) {
  if (straight_) return;
  target_ = followed(path);
  name_ = target_ + ".part";
  take_signals();
  slot_ = remember(name_);
}

UnfinishedFile::~UnfinishedFile() {
  if (!straight_ && !done_) ::unlink(name_.c_str());
  if (slot_ >= 0) slots[static_cast<std::size_t>(slot_)].state = 0;
}

void UnfinishedFile::finish() {
  if (!straight_ && (!reaches_disk(name_) || std::rename(name_.c_str(), target_.c_str()) != 0)) fail_to_write(path_, errno);
  done_ = true;
}

std::string UnfinishedFile::renamed(std::string text) const {
  if (const std::size_t at = text.find(name_); at != std::string::npos) text.replace(at, name_.size(), path_);
  return text;
}

}  // namespace uplift
