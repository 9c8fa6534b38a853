#pragma once
// Shared by h5.cpp and h5_attributes.cpp: checking of calls, types, strings.
#include <hdf5.h>

#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "uplift/io/h5.hpp"

namespace uplift::h5::detail {

static_assert(std::is_same_v<hid_t, std::int64_t> && std::is_same_v<herr_t, int>, "Handle stores HDF5 1.10 identifiers");

/// HDF5 for as long as the result lives: distributions build it without thread safety, and several runs of one process write at
/// the same time. Every function of h5.hpp that calls the library begins with this.
[[nodiscard]] std::unique_lock<std::recursive_mutex> enter();
/// Keeps HDF5 from printing its error stack. The setting is per thread.
void silence();
/// Throws SimulationError with `what`, the file of `object` and the causes that HDF5 recorded.
[[noreturn]] void fail(const std::string& what, std::int64_t object);

/// Before `bytes` more are handed to HDF5 for the file of `object`: the disk has promised room for them and for all since its
/// last flush. Throws SimulationError when there is none; nothing has been changed then, and what came before can be flushed.
void make_room(std::int64_t object, std::uint64_t bytes);
/// After a flush.
void room_is_used(std::int64_t object);
/// Also after one: takes back zeros that no row has come to.
void cut_to_end(std::int64_t object);
/// Nothing that HDF5 writes to the file of `object` reaches it any more: after a write that failed, more of them do more harm.
void abandon(std::int64_t object);

/// Files that are opened with these properties can be put back to where their last flush was finished (h5_undo.cpp).
void write_with_undo(std::int64_t properties);
/// Does so, where a process was killed in the middle of one; `descriptor`: of the file, whose lock is ours. Throws
/// SimulationError when the disk does not take it.
void undo_unfinished(const std::string& path, int descriptor);
/// Whether that may be so.
bool is_unfinished(const std::string& path);
/// The file with this descriptor is to be put back when it is opened again, whatever HDF5 does with it until then.
void leave_for_undo(int descriptor);

/// The result of an HDF5 call, or a SimulationError when it is negative.
template <class R>
R check(R result, const std::string& what, std::int64_t object = -1) {
  if (result < 0) fail(what, object);
  return result;
}

std::int64_t memory_type(Type type);
std::int64_t file_type(Type type);  ///< little-endian
Handle variable_text();             ///< variable-length UTF-8 string
/// Chunks and compresses a constant dataset of more than 64 KiB.
void compress_if_large(std::int64_t storage, const Shape& shape, std::size_t value_bytes);

/// Strings of a dataset or attribute, of fixed or variable length; `read(memory type, buffer)` is the HDF5 read call.
template <class Read>
std::vector<std::string> read_strings(std::int64_t type, std::int64_t space, std::size_t count, std::int64_t object,
                                      Read&& read) {
  std::vector<std::string> result(count);
  if (count == 0) return result;
  if (check(H5Tis_variable_str(type), "string type", object) > 0) {
    // The memory type follows the stored character set: HDF5 does not convert between ASCII and UTF-8.
    std::vector<char*> pointers(count, nullptr);
    check(read(type, pointers.data()), "reading strings", object);
    for (std::size_t i = 0; i < count; ++i) result[i] = pointers[i] ? pointers[i] : "";
    check(H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data()), "reading strings", object);
  } else {
    const std::size_t width = H5Tget_size(type);
    std::vector<char> buffer(count * width);
    check(read(type, buffer.data()), "reading strings", object);
    for (std::size_t i = 0; i < count; ++i) result[i].assign(&buffer[i * width], ::strnlen(&buffer[i * width], width));
  }
  return result;
}

}  // namespace uplift::h5::detail
