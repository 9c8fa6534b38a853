// What a kill in the middle of a flush leaves. HDF5 writes over object headers and indices piece by piece, and a file that has
// some of the new pieces and some of the old ones is one that nobody can read, with all that was in it. So bytes that were
// there at the end of the last flush are put down in a file beside it (PATH.undo) before others are written over them, and put
// back where a flush was never finished. That costs no wait for the disk: what one process has written, in its order, the next
// one sees, whatever became of the first. (Where the machine fails, the last sync() counts.)
#include <fcntl.h>
#include <hdf5.h>
#if H5_VERS_MAJOR > 1 || H5_VERS_MINOR >= 13
#include <H5FDdevelop.h>
#endif
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <vector>

#include "crc.hpp"
#include "h5_detail.hpp"
#include "uplift/core/error.hpp"

namespace uplift::h5::detail {
namespace {

using Bytes = std::uint64_t;  // places in a file, and lengths

struct Header {
  std::array<char, 8> magic;
  std::uint64_t generation;
  Bytes end;            ///< of the file when its last flush was finished
  std::uint32_t tail;   ///< checksum of the last bytes before that: is it still that file?
  std::uint32_t check;  ///< of the fields before
};
/// Before the bytes that were there.
struct Record {
  std::uint64_t generation;
  Bytes place;
  std::uint32_t bytes;
  std::uint32_t check;  ///< of the fields before, and the bytes
};
static_assert(sizeof(Header) == 32 && sizeof(Record) == 24);

constexpr std::array<char, 8> magic{'U', 'P', 'L', 'U', 'N', 'D', 'O', '1'};
constexpr Bytes tail_bytes = 4096;

std::string name_of(const std::string& path) { return path + ".undo"; }

std::uint32_t check_of(const Header& h) { return crc(&h, offsetof(Header, check)); }
std::uint32_t check_of(const Record& r, const char* bytes) { return crc(bytes, r.bytes, crc(&r, offsetof(Record, check))); }

/// As much as there is.
std::string read_at(int descriptor, Bytes place, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(descriptor, bytes.data() + done, size - done, static_cast<off_t>(place + done));
    if (n > 0)
      done += static_cast<std::size_t>(n);
    else if (n == 0 || errno != EINTR)
      break;
  }
  bytes.resize(done);
  return bytes;
}
bool write_at(int descriptor, Bytes place, const void* data, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n =
        ::pwrite(descriptor, static_cast<const char*>(data) + done, size - done, static_cast<off_t>(place + done));
    if (n > 0)
      done += static_cast<std::size_t>(n);
    else if (n == 0 || errno != EINTR)
      return false;
  }
  return true;
}
std::string tail_of(int descriptor, Bytes end) {
  const Bytes size = std::min(end, tail_bytes);
  return read_at(descriptor, end - size, size);
}

/// The undo file of one that is being written.
class Undo {
 public:
  explicit Undo(std::string path) : name_(name_of(path)) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    if (fd_ < 0) return;
    ::close(fd_);
    if (!left_) ::unlink(name_.c_str());
  }

  /// The file is whole up to `end`: there is no way back from here.
  void commit(int file, Bytes end) {
    if (left_) return;
    ++generation_;
    saved_.clear();
    used_ = sizeof(Header);
    end_ = end;
    tail_ = tail_of(file, end);
    on_ = true;
    if (fd_ >= 0) write_header();
  }

  /// Before anything is written there.
  void save(int file, Bytes place, Bytes size) {
    if (!on_ || left_ || place >= end_) return;
    size = std::min(size, end_ - place);
    if (is_saved(place, size)) return;
    if (fd_ < 0) {
      fd_ = ::open(name_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
      if (fd_ < 0) return give_up();
      write_header();
    }
    std::string old = read_at(file, place, size);
    Record record{generation_, place, static_cast<std::uint32_t>(old.size()), 0};
    record.check = check_of(record, old.data());
    old.insert(0, reinterpret_cast<const char*>(&record), sizeof record);
    if (!on_ || !write_at(fd_, used_, old.data(), old.size())) return give_up();
    used_ += old.size();
    note_saved(place, size);
  }

  /// Before the file is cut. What is cut off is not kept: there is no way back until the next flush is finished.
  void cut(Bytes end) {
    if (end < end_) give_up();
  }

  /// What HDF5 does from now on is of no use, and the file is to be put back.
  void leave() { left_ = true; }

 private:
  void write_header() {
    Header h{magic, generation_, end_, crc(tail_.data(), tail_.size()), 0};
    h.check = check_of(h);
    if (!write_at(fd_, 0, &h, sizeof h)) give_up();
  }
  /// A disk that is full, most likely. Room for the flush itself has been promised.
  void give_up() {
    on_ = false;
    if (fd_ >= 0 && ::ftruncate(fd_, 0) != 0) ::unlink(name_.c_str());
  }
  bool is_saved(Bytes place, Bytes size) const {
    auto next = saved_.upper_bound(place);
    return next != saved_.begin() && std::prev(next)->second >= place + size;
  }
  void note_saved(Bytes place, Bytes size) {
    Bytes end = place + size;
    auto at = saved_.upper_bound(place);
    if (at != saved_.begin() && std::prev(at)->second >= place) {
      --at;
      place = at->first;
    }
    while (at != saved_.end() && at->first <= end) {
      end = std::max(end, at->second);
      at = saved_.erase(at);
    }
    saved_[place] = end;
  }

  std::string name_, tail_;
  int fd_ = -1;
  std::uint64_t generation_ = 0;
  Bytes end_ = 0, used_ = 0;
  std::map<Bytes, Bytes> saved_;  ///< ranges since the last commit, apart from each other
  bool on_ = false, left_ = false;
};

/// HDF5's own driver for files (sec2), with an Undo.
struct Driven : H5FD_t {
  explicit Driven(const char* path) : H5FD_t{}, undo(path) {}
  int fd = -1;
  haddr_t eoa = 0;
  struct stat identity {};
  Undo undo;
};
Driven& of(H5FD_t* file) { return *static_cast<Driven*>(file); }
const Driven& of(const H5FD_t* file) { return *static_cast<const Driven*>(file); }

/// By descriptor. Guarded by enter().
std::map<int, Driven*>& open_files() {
  static std::map<int, Driven*> files;
  return files;
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t, haddr_t) {
  auto file = std::make_unique<Driven>(name);
  const int how = ((flags & H5F_ACC_RDWR) ? O_RDWR : O_RDONLY) | ((flags & H5F_ACC_TRUNC) ? O_TRUNC : 0) |
                  ((flags & H5F_ACC_CREAT) ? O_CREAT : 0) | ((flags & H5F_ACC_EXCL) ? O_EXCL : 0);
  file->fd = ::open(name, how | O_CLOEXEC, 0666);
  if (file->fd < 0) return nullptr;
  if (::fstat(file->fd, &file->identity) != 0) {
    ::close(file->fd);
    return nullptr;
  }
  file->undo.commit(file->fd, static_cast<Bytes>(file->identity.st_size));
  open_files()[file->fd] = file.get();
  return file.release();
}
herr_t close_file(H5FD_t* f) {
  const std::unique_ptr<Driven> file(&of(f));
  open_files().erase(file->fd);
  return ::close(file->fd);
}
int compare_files(const H5FD_t* a, const H5FD_t* b) {
  const auto key = [](const H5FD_t* f) { return std::pair(of(f).identity.st_dev, of(f).identity.st_ino); };
  return key(a) < key(b) ? -1 : key(b) < key(a) ? 1 : 0;
}
herr_t query(const H5FD_t*, unsigned long* flags) {
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
           H5FD_FEAT_POSIX_COMPAT_HANDLE | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}
haddr_t end_of_places(const H5FD_t* file, H5FD_mem_t) { return of(file).eoa; }
herr_t set_end_of_places(H5FD_t* file, H5FD_mem_t, haddr_t end) {
  of(file).eoa = end;
  return 0;
}
haddr_t end_of_file(const H5FD_t* file, H5FD_mem_t) {
  struct stat now {};
  return ::fstat(of(file).fd, &now) == 0 ? static_cast<haddr_t>(now.st_size) : HADDR_UNDEF;
}
herr_t handle_of(H5FD_t* file, hid_t, void** handle) {
  *handle = &of(file).fd;
  return 0;
}
herr_t read_file(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t place, std::size_t size, void* to) {
  const std::string bytes = read_at(of(file).fd, place, size);
  std::memcpy(to, bytes.data(), bytes.size());
  std::memset(static_cast<char*>(to) + bytes.size(), 0, size - bytes.size());  // beyond the end, as sec2 has it
  return 0;
}
herr_t write_file(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t place, std::size_t size, const void* from) {
  of(file).undo.save(of(file).fd, place, size);
  return write_at(of(file).fd, place, from, size) ? 0 : -1;
}
/// The last thing that a flush does.
herr_t flush_file(H5FD_t* file, hid_t, hbool_t) {
  of(file).undo.commit(of(file).fd, of(file).eoa);
  return 0;
}
herr_t truncate_file(H5FD_t* file, hid_t, hbool_t) {
  struct stat now {};
  if (::fstat(of(file).fd, &now) != 0) return -1;
  if (static_cast<haddr_t>(now.st_size) == of(file).eoa) return 0;
  of(file).undo.cut(of(file).eoa);
  return ::ftruncate(of(file).fd, static_cast<off_t>(of(file).eoa));
}

hid_t driver() {
  static const hid_t id = [] {
    static H5FD_class_t c{};
#if H5_VERS_MAJOR > 1 || H5_VERS_MINOR >= 13
    c.version = H5FD_CLASS_VERSION;
    c.value = 411;  // of those that are for everyone's own
#endif
    c.name = "sec2 with undo";
    c.maxaddr = static_cast<haddr_t>(INT64_MAX);
    c.fc_degree = H5F_CLOSE_WEAK;
    c.open = open_file;
    c.close = close_file;
    c.cmp = compare_files;
    c.query = query;
    c.get_eoa = end_of_places;
    c.set_eoa = set_end_of_places;
    c.get_eof = end_of_file;
    c.get_handle = handle_of;
    c.read = read_file;
    c.write = write_file;
    c.flush = flush_file;
    c.truncate = truncate_file;
    const H5FD_mem_t kinds[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
    std::copy(std::begin(kinds), std::end(kinds), c.fl_map);
    return H5FDregister(&c);
  }();
  return id;
}

struct Saved {
  Bytes place;
  std::string bytes;
};
/// What an undo file holds of its last generation, in the order in which it was put down. `header.end` 0: nothing.
std::vector<Saved> saved_in(const std::string& text, Header& header) {
  std::vector<Saved> all;
  header = {};
  if (text.size() < sizeof header) return all;
  std::memcpy(&header, text.data(), sizeof header);
  if (header.magic != magic || header.check != check_of(header)) return all;
  for (std::size_t at = sizeof header; at + sizeof(Record) <= text.size();) {
    Record r{};
    std::memcpy(&r, text.data() + at, sizeof r);
    at += sizeof r;
    if (r.generation != header.generation || r.bytes > text.size() - at || r.check != check_of(r, text.data() + at)) break;
    all.push_back({r.place, text.substr(at, r.bytes)});
    at += r.bytes;
  }
  return all;
}

}  // namespace

void write_with_undo(std::int64_t properties) {
  check(H5Pset_driver(properties, check(driver(), "file driver"), nullptr), "file driver");
}

void leave_for_undo(int descriptor) {
  if (const auto found = open_files().find(descriptor); found != open_files().end()) found->second->undo.leave();
}

bool is_unfinished(const std::string& path) {
  struct stat there {};
  return ::stat(name_of(path).c_str(), &there) == 0;
}

void undo_unfinished(const std::string& path, int descriptor) {
  std::ifstream in(name_of(path), std::ios::binary);
  if (!in) return;
  const std::string text(std::istreambuf_iterator<char>(in), {});
  Header header{};
  const std::vector<Saved> all = saved_in(text, header);
  // Another file may have been put in its place meanwhile.
  std::string tail = tail_of(descriptor, header.end);
  const Bytes first = header.end - tail.size();
  for (auto saved = all.rbegin(); saved != all.rend(); ++saved)
    for (std::size_t k = 0; k < saved->bytes.size(); ++k)
      if (const Bytes place = saved->place + k; place >= first && place < header.end) tail[place - first] = saved->bytes[k];
  const bool same = tail.size() == std::min(header.end, tail_bytes) && crc(tail.data(), tail.size()) == header.tail;
  for (auto saved = all.rbegin(); same && saved != all.rend(); ++saved)
    if (!write_at(descriptor, saved->place, saved->bytes.data(), saved->bytes.size()))
      throw SimulationError(path + ": what its last flush left unfinished cannot be put back (" + std::strerror(errno) +
                            "); make room on the disk and go on");
  if (same && !all.empty() && ::fdatasync(descriptor) != 0) errno = 0;
  ::unlink(name_of(path).c_str());
}

}  // namespace uplift::h5::detail
