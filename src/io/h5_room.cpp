// What is written on a full disk: nothing. HDF5 rewrites indices in place and keeps rows in memory until a flush; one that
// finds no room leaves a file that nobody can read, with all that was in it. So the disk is asked for room first.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "h5_detail.hpp"
#include "uplift/core/error.hpp"

namespace uplift::h5::detail {
namespace {

constexpr std::uint64_t indices = 65536;  // bytes that object headers and chunk indices may grow by between two flushes
constexpr std::uint64_t spare = 262144;  // bytes of zeros beyond what is wanted, so that the disk is not waited for at each row

/// Bytes since the last flush, by descriptor. Guarded by enter().
std::map<int, std::uint64_t>& waiting() {
  static std::map<int, std::uint64_t> bytes;
  return bytes;
}

struct Place {
  Handle file;
  int descriptor = -1;
};

/// Where the file of an object is written; a descriptor of -1: nowhere.
Place place_of(std::int64_t object) {
  Place place{Handle(H5Iget_file_id(object), H5Fclose)};
  void* found = nullptr;
  if (place.file && H5Fget_vfd_handle(place.file.id(), H5P_DEFAULT, &found) >= 0 && found)
    place.descriptor = *static_cast<int*>(found);
  return place;
}

/// Where no room can be promised (NFS, many parallel file systems), zeros take it: written over later, they need none that a
/// quota could refuse, which the disk itself knows nothing of. An errno, 0 when they have arrived.
int fill(int descriptor, std::uint64_t from, std::uint64_t bytes) {
  static const std::array<char, 65536> zeros{};
  int problem = 0;
  std::uint64_t done = 0;
  while (problem == 0 && done < bytes + spare) {
    const std::uint64_t some = std::min<std::uint64_t>(zeros.size(), bytes + spare - done);
    const ssize_t n = ::pwrite(descriptor, zeros.data(), some, static_cast<off_t>(from + done));
    if (n > 0)
      done += static_cast<std::uint64_t>(n);
    else if (n == 0 || errno != EINTR)
      problem = n == 0 ? ENOSPC : errno;
  }
  if (done >= bytes) problem = ::fdatasync(descriptor) == 0 || errno == EINVAL ? 0 : errno;  // NFS tells of a quota only here
  if (problem != 0 && ::ftruncate(descriptor, static_cast<off_t>(from)) != 0) return problem;
  return problem;
}

/// Reserves a range behind the end of a file: an errno, 0 when it is ours.
int reserve(int descriptor, std::uint64_t from, std::uint64_t bytes) {
  // Room beyond the size is not held against the limit of file sizes, which batch systems set: writing there would be.
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && from + bytes > limit.rlim_cur) return EFBIG;
  for (;;) {
    if (::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), static_cast<off_t>(bytes)) == 0) return 0;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return errno;
    if (errno != EINTR) break;
  }
  struct statvfs disk {};
  if (::fstatvfs(descriptor, &disk) == 0 && static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize < bytes) return ENOSPC;
  return fill(descriptor, from, bytes);
}

}  // namespace

void make_room(std::int64_t object, std::uint64_t bytes) {
  const Place place = place_of(object);
  struct stat now {};
  hsize_t end = 0;  // of what HDF5 has given places to, written or not
  if (place.descriptor < 0 || ::fstat(place.descriptor, &now) != 0 || H5Fget_filesize(place.file.id(), &end) < 0) return;
  const auto size = static_cast<std::uint64_t>(now.st_size);
  std::uint64_t& all = waiting()[place.descriptor];
  const std::uint64_t wanted = end + all + bytes + indices;  // where the file may end after the next flush
  const int problem = wanted > size ? reserve(place.descriptor, size, wanted - size) : 0;
  if (problem != 0) {
    errno = problem;
    fail("there is no room for more (" + std::string(std::strerror(problem)) +
             (problem == EFBIG ? ": see ulimit -f, or the limits of the job" : "") +
             "); what was written before is whole: make room and go on",
         object);
  }
  all += bytes;
}

void room_is_used(std::int64_t object) {
  if (const Place place = place_of(object); place.descriptor >= 0) waiting()[place.descriptor] = 0;
}

void cut_to_end(std::int64_t object) {
  const Place place = place_of(object);
  struct stat now {};
  hsize_t end = 0;
  if (place.descriptor < 0 || ::fstat(place.descriptor, &now) != 0 || H5Fget_filesize(place.file.id(), &end) < 0) return;
  if (static_cast<hsize_t>(now.st_size) > end && ::ftruncate(place.descriptor, static_cast<off_t>(end)) != 0) errno = 0;
}

void abandon(std::int64_t object) {
  const Place place = place_of(object);
  const int nowhere = ::memfd_create("abandoned", MFD_CLOEXEC);
  if (place.descriptor >= 0) leave_for_undo(place.descriptor);
  if (place.descriptor >= 0 && nowhere >= 0) ::dup2(nowhere, place.descriptor);
  if (nowhere >= 0) ::close(nowhere);
}

}  // namespace uplift::h5::detail
