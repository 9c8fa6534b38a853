#include "uplift/io/h5.hpp"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "h5_detail.hpp"
#include "uplift/core/assert.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/text_file.hpp"

namespace uplift::h5 {

using namespace detail;

namespace {

Handle file_access() {
  Handle properties(check(H5Pcreate(H5P_FILE_ACCESS), "file access properties"), H5Pclose);
  check(H5Pset_fapl_sec2(properties.id()), "file driver");  // whatever HDF5_DRIVER says: make_room() asks it for a descriptor
  check(H5Pset_libver_bounds(properties.id(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V110), "file format bounds");
  check(H5Pset_file_locking(properties.id(), false, true), "file locking");  // see the header: the lock is ours
  check(H5Pset_fclose_degree(properties.id(), H5F_CLOSE_STRONG), "close degree");
  return properties;
}

Handle row_space(std::int64_t dataset, const Shape& shape, std::uint64_t first, std::uint64_t count) {
  Handle space(check(H5Dget_space(dataset), "data space", dataset), H5Sclose);
  std::vector<hsize_t> start(shape.size(), 0), extent(shape.begin(), shape.end());
  start[0] = first;
  extent[0] = count;
  if (count == 0)
    check(H5Sselect_none(space.id()), "selection of rows", dataset);
  else
    check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr), "selection of rows",
          dataset);
  return space;
}

Handle simple_space(const Shape& shape) {
  std::vector<hsize_t> extent(shape.begin(), shape.end());
  return Handle(check(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), "data space"), H5Sclose);
}

/// The shape of so many rows.
Shape rows_of(Shape whole, std::uint64_t rows) {
  whole[0] = rows;
  return whole;
}

Handle making_parents() {
  Handle links(check(H5Pcreate(H5P_LINK_CREATE), "link properties"), H5Pclose);
  check(H5Pset_create_intermediate_group(links.id(), 1), "link properties");
  return links;
}

}  // namespace

Handle::~Handle() {
  if (id_ < 0) return;
  const auto library = enter();
  if (H5Iis_valid(id_) > 0) close_(id_);
}

std::uint64_t Dataset::row_size() const {
  const auto library = enter();
  const Shape s = shape();
  std::uint64_t size = 1;
  for (std::size_t d = 1; d < s.size(); ++d) size *= s[d];
  return size;
}

Shape Dataset::shape() const {
  const auto library = enter();
  Handle space(check(H5Dget_space(id()), "data space", id()), H5Sclose);
  const int rank = check(H5Sget_simple_extent_ndims(space.id()), "rank", id());
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.id(), extent.data(), nullptr), "extent", id());
  return Shape(extent.begin(), extent.end());
}

std::uint64_t Dataset::rows() const {
  const Shape s = shape();
  return s.empty() ? 0 : s[0];
}

Shape Dataset::chunk() const {
  const auto library = enter();
  Handle properties(check(H5Dget_create_plist(id()), "creation properties", id()), H5Pclose);
  if (H5Pget_layout(properties.id()) != H5D_CHUNKED) return {};
  std::vector<hsize_t> extent(shape().size());
  check(H5Pget_chunk(properties.id(), static_cast<int>(extent.size()), extent.data()), "chunk", id());
  return Shape(extent.begin(), extent.end());
}

int Dataset::deflate_level() const {
  const auto library = enter();
  Handle properties(check(H5Dget_create_plist(id()), "creation properties", id()), H5Pclose);
  const int filters = check(H5Pget_nfilters(properties.id()), "filters", id());
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, values[8] = {}, config = 0;
    std::size_t count = 8;
    if (H5Pget_filter2(properties.id(), static_cast<unsigned>(i), &flags, &count, values, 0, nullptr, &config) ==
        H5Z_FILTER_DEFLATE)
      return static_cast<int>(values[0]);
  }
  return 0;
}

bool Dataset::is_text() const {
  const auto library = enter();
  Handle type(check(H5Dget_type(id()), "data type", id()), H5Tclose);
  return H5Tget_class(type.id()) == H5T_STRING;
}

/// What the disk needs for more rows of an extendible dataset: the chunks that they begin, which take up their room as wholes.
/// One that has begun has its place, unless it is compressed.
std::uint64_t Dataset::bytes_of_chunks(std::uint64_t first, std::uint64_t count) const {
  const Handle type(check(H5Dget_type(id()), "data type", id()), H5Tclose);
  const Shape extent = chunk();
  const std::uint64_t rows = extent.empty() ? 1 : std::max<std::uint64_t>(1, extent[0]);
  const bool has_begun = first % rows != 0 && deflate_level() == 0;
  const std::uint64_t begun = (first + count - 1) / rows - first / rows + (has_begun ? 0 : 1);
  return begun * rows * row_size() * H5Tget_size(type.id());
}

void Dataset::append(const void* values, std::uint64_t count, Type type) {
  const auto library = enter();
  Shape s = shape();
  const std::uint64_t size = row_size(), first = s[0];
  UPLIFT_EXPECT(size > 0 && count % size == 0);
  const std::uint64_t added = count / size;
  if (added == 0) return;
  make_room(id(), bytes_of_chunks(first, added));
  s[0] += added;
  std::vector<hsize_t> extent(s.begin(), s.end());
  check(H5Dset_extent(id(), extent.data()), "making room for more rows", id());
  const Handle target = row_space(id(), s, first, added);
  // Of the same shape as what it goes to: where shapes differ, HDF5 takes one element after the other, 30 times as long.
  const Handle source = simple_space(rows_of(s, added));
  check(H5Dwrite(id(), memory_type(type), source.id(), target.id(), H5P_DEFAULT, values), "writing rows (is the disk full?)",
        id());
}

void Dataset::trim(std::uint64_t rows) {
  const auto library = enter();
  Shape s = shape();
  UPLIFT_EXPECT(rows <= s[0]);
  s[0] = rows;
  std::vector<hsize_t> extent(s.begin(), s.end());
  check(H5Dset_extent(id(), extent.data()), "trimming", id());
}

void Dataset::read(void* values, std::uint64_t first, std::uint64_t count, Type type) const {
  const auto library = enter();
  if (count == 0) return;
  const Shape s = shape();
  if (s.empty() || first > s[0] || count > s[0] - first) fail("it has fewer rows than are wanted of it", id());
  const Handle source = row_space(id(), s, first, count);
  const Handle target = simple_space(rows_of(s, count));  // of the same shape, as in append()
  check(H5Dread(id(), memory_type(type), target.id(), source.id(), H5P_DEFAULT, values), "reading (is the file damaged?)",
        id());
}

double Dataset::number() const {
  Handle space(check(H5Dget_space(id()), "data space", id()), H5Sclose);
  if (H5Sget_simple_extent_npoints(space.id()) != 1)
    throw SimulationError("a single number was expected where there are several");
  double value = 0;
  check(H5Dread(id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value), "reading (is the file damaged?)", id());
  return value;
}

std::vector<std::string> Dataset::read_text() const {
  const auto library = enter();
  Handle type(check(H5Dget_type(id()), "data type", id()), H5Tclose);
  Handle space(check(H5Dget_space(id()), "data space", id()), H5Sclose);
  const auto count = static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(space.id()), "extent", id()));
  return read_strings(type.id(), space.id(), count, id(), [&](std::int64_t memory, void* out) {
    return H5Dread(id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out);
  });
}

Group Group::group(const std::string& path) {
  const auto library = enter();
  if (contains(path)) return open_group(path);
  const Handle links = making_parents();
  return Group(Handle(check(H5Gcreate2(id(), path.c_str(), links.id(), H5P_DEFAULT, H5P_DEFAULT), "making group " + path, id()),
                      H5Gclose));
}

Group Group::open_group(const std::string& path) const {
  const auto library = enter();
  return Group(Handle(check(H5Gopen2(id(), path.c_str(), H5P_DEFAULT), "no group " + path, id()), H5Gclose));
}

Dataset Group::dataset(const std::string& path) const {
  const auto library = enter();
  return Dataset(Handle(check(H5Dopen2(id(), path.c_str(), H5P_DEFAULT), "no dataset " + path, id()), H5Dclose));
}

bool Group::contains(const std::string& path) const {
  const auto library = enter();
  // H5Lexists wants every part but the last to exist.
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!part.empty() && part != "/" && check(H5Lexists(id(), part.c_str(), H5P_DEFAULT), "looking for " + part, id()) == 0)
      return false;
    if (end == std::string::npos) return true;
  }
}

bool Group::is_group(const std::string& path) const {
  const auto library = enter();
  Handle object(check(H5Oopen(id(), path.c_str(), H5P_DEFAULT), "no object " + path, id()), H5Oclose);
  return H5Iget_type(object.id()) == H5I_GROUP;
}

std::vector<std::string> Group::names() const {
  const auto library = enter();
  std::vector<std::string> result;
  const auto collect = [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->push_back(name);
    return 0;
  };
  check(H5Literate(id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &result), "listing", id());
  return result;
}

Dataset Group::write(const std::string& path, const void* values, std::uint64_t count, Type type, const Shape& given) {
  const auto library = enter();
  const Shape shape = given.empty() ? Shape{count} : given;
  const Handle space = simple_space(shape), links = making_parents();
  Handle storage(check(H5Pcreate(H5P_DATASET_CREATE), "creation properties"), H5Pclose);
  compress_if_large(storage.id(), shape, H5Tget_size(file_type(type)));
  Dataset dataset(
      Handle(check(H5Dcreate2(id(), path.c_str(), file_type(type), space.id(), links.id(), storage.id(), H5P_DEFAULT),
                   "making dataset " + path, id()),
             H5Dclose));
  if (count > 0)
    check(H5Dwrite(dataset.id(), memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "writing " + path, id());
  return dataset;
}

Dataset Group::write_text(const std::string& path, std::string_view text) {
  const auto library = enter();
  const Handle type = variable_text(), links = making_parents();
  const Handle space(check(H5Screate(H5S_SCALAR), "data space"), H5Sclose);
  Dataset dataset(Handle(check(H5Dcreate2(id(), path.c_str(), type.id(), space.id(), links.id(), H5P_DEFAULT, H5P_DEFAULT),
                               "making dataset " + path, id()),
                         H5Dclose));
  const std::string copy(text);
  const char* pointer = copy.c_str();
  check(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &pointer), "writing " + path, id());
  return dataset;
}

Dataset Group::write_names(const std::string& path, std::span<const std::string> names) {
  const auto library = enter();
  std::size_t width = 1;
  for (const std::string& name : names) width = std::max(width, name.size());
  const Handle type(check(H5Tcopy(H5T_C_S1), "string type"), H5Tclose), links = making_parents();
  check(H5Tset_size(type.id(), width), "string type");
  check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "string type");
  std::vector<char> buffer(names.size() * width, '\0');
  for (std::size_t i = 0; i < names.size(); ++i)
    std::copy(names[i].begin(), names[i].end(), buffer.begin() + static_cast<std::ptrdiff_t>(i * width));
  const Shape shape{names.size()};
  const Handle space = simple_space(shape);
  Handle storage(check(H5Pcreate(H5P_DATASET_CREATE), "creation properties"), H5Pclose);
  compress_if_large(storage.id(), shape, width);
  Dataset dataset(Handle(check(H5Dcreate2(id(), path.c_str(), type.id(), space.id(), links.id(), storage.id(), H5P_DEFAULT),
                               "making dataset " + path, id()),
                         H5Dclose));
  if (!names.empty())
    check(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer.data()), "writing " + path, id());
  return dataset;
}

Dataset Group::extendible(const std::string& path, const Shape& row, const Growth& growth, Type type) {
  const auto library = enter();
  std::vector<hsize_t> now{0}, most{H5S_UNLIMITED}, chunk{growth.rows_per_chunk};
  for (auto* extent : {&now, &most, &chunk}) extent->insert(extent->end(), row.begin(), row.end());
  const Handle space(check(H5Screate_simple(static_cast<int>(now.size()), now.data(), most.data()), "data space"), H5Sclose);
  const Handle storage(check(H5Pcreate(H5P_DATASET_CREATE), "creation properties"), H5Pclose), links = making_parents();
  check(H5Pset_chunk(storage.id(), static_cast<int>(chunk.size()), chunk.data()), "chunk");
  if (growth.deflate > 0) {
    check(H5Pset_shuffle(storage.id()), "shuffle filter");
    check(H5Pset_deflate(storage.id(), static_cast<unsigned>(growth.deflate)), "deflate filter");
  }
  return Dataset(
      Handle(check(H5Dcreate2(id(), path.c_str(), file_type(type), space.id(), links.id(), storage.id(), H5P_DEFAULT),
                   "making dataset " + path, id()),
             H5Dclose));
}

void Group::link(const std::string& existing, const std::string& path) {
  const auto library = enter();
  const Handle links = making_parents();
  check(H5Lcreate_hard(id(), existing.c_str(), id(), path.c_str(), links.id(), H5P_DEFAULT),
        "linking " + path + " to " + existing, id());
}

FileLock::FileLock(const std::string& path, bool create) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0666);
  if (fd_ < 0) fail_to_write(path, errno);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(fd_, F_OFD_SETLK, &whole) == 0) return;
  if (errno == EAGAIN || errno == EACCES) {
    ::close(std::exchange(fd_, -1));
    throw SimulationError(
        path +
        ": another job is writing this file (two writers would destroy it); wait for it or choose another output directory");
  }
}

FileLock::~FileLock() {
  if (fd_ < 0) return;
  // The disk keeps room behind the end of a file for which it was promised (make_room) until the end is set.
  struct stat now {};
  if (has_room_ && ::fstat(fd_, &now) == 0 && ::ftruncate(fd_, now.st_size) != 0) errno = 0;
  ::close(fd_);
}

File::File(Handle handle, FileLock lock, std::string path)
    : lock_(std::move(lock)), file_(std::move(handle)), path_(std::move(path)) {
  room_is_used(file_.id());  // its descriptor may have been that of another file
  handle_ = Handle(check(H5Gopen2(file_.id(), "/", H5P_DEFAULT), path_ + ": root group"), H5Gclose);
}

File File::create(const std::string& path) {
  const auto library = enter();
  silence();
  FileLock lock(path, true);
  lock.give_back_room();
  const Handle access = file_access();
  Handle file(check(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), path + ": cannot be created"), H5Fclose);
  // Classic superblock from the bounds above; what is made from here on uses the 1.10 formats.
  check(H5Fset_libver_bounds(file.id(), H5F_LIBVER_V110, H5F_LIBVER_V110), path + ": file format bounds");
  return File(std::move(file), std::move(lock), path);
}

File File::append(const std::string& path) {
  const auto library = enter();
  silence();
  FileLock lock(path, false);
  lock.give_back_room();
  undo_unfinished(path, lock.descriptor());
  const Handle access = file_access();
  write_with_undo(access.id());
  Handle file(check(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.id()), path + ": cannot be opened (is it an HDF5 file?)"),
              H5Fclose);
  return File(std::move(file), std::move(lock), path);
}

File File::read(const std::string& path) {
  const auto library = enter();
  silence();
  const Handle access = file_access();
  const std::string problem =
      path + (is_unfinished(path) ? ": cannot be opened; a run is writing it (then try again) or was killed while it did "
                                    "(then uplift run --resume puts it right)"
                                  : ": cannot be opened (is it an HDF5 file?)");
  Handle file(check(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), problem), H5Fclose);
  return File(std::move(file), FileLock(), path);
}

void File::make_room() {
  const auto library = enter();
  detail::make_room(file_.id(), 0);
}

void File::flush() {
  const auto library = enter();
  check(H5Fflush(file_.id(), H5F_SCOPE_LOCAL), "flushing (is the disk full?)", file_.id());
  room_is_used(file_.id());
}

void File::sync() {
  {
    const auto library = enter();
    flush();
    cut_to_end(file_.id());
  }
  // Without HDF5's lock: others need not wait for the disk.
  if (lock_.descriptor() >= 0 && ::fsync(lock_.descriptor()) != 0)
    throw SimulationError(path_ + ": the disk did not take what was written (" + std::strerror(errno) +
                          "); check free space and quota");
}

}  // namespace uplift::h5
