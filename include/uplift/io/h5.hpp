#pragma once
// A thin owner of HDF5's handles. Every call is checked; HDF5's own error stack is kept off the terminal and becomes the text
// of a SimulationError that names the file.
//
// What a killed job leaves behind stays readable: files have the classic superblock (one that carries no "open for writing"
// mark, which would make every plain reader refuse the file until `h5clear`), chunk indices are the append-only arrays of
// HDF5 1.10 (adding a row rewrites one block in place; nothing splits), and writers flush at frame boundaries, when file and
// metadata agree. One that was killed in the middle of a flush is put back when it is opened for writing again (h5_undo.cpp).
// The single-writer lock is ours, on the same file but of the kind that HDF5's readers do not ask for, so that a running
// trajectory can be opened with MDAnalysis, h5py or VMD.
//
// A full disk leaves files as they were: rows are appended only when the disk has promised room for them (h5_room.cpp).
//
// Threads may use files of their own at the same time: calls into HDF5, which is not thread-safe, take one lock of the process.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace uplift::h5 {

enum class Type { int32, int64, float32, float64 };

template <class T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, std::int32_t>)
    return Type::int32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return Type::int64;
  else if constexpr (std::is_same_v<T, float>)
    return Type::float32;
  else {
    static_assert(std::is_same_v<T, double>, "HDF5 datasets hold int32, int64, float or double");
    return Type::float64;
  }
}

using Shape = std::vector<std::uint64_t>;

/// Sole owner of one HDF5 identifier.
class Handle {
 public:
  using Close = int (*)(std::int64_t);
  Handle() = default;
  Handle(std::int64_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle();  ///< an identifier that the closing of its file has already taken away is left alone
  std::int64_t id() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

/// What can carry attributes. Setting one that exists replaces it.
class Object {
 public:
  void set(const std::string& name, std::string_view text);  ///< variable-length UTF-8: the kind that h5py hands out as str
  void set(const std::string& name, const char* text) { set(name, std::string_view(text)); }
  void set(const std::string& name, double value);
  void set(const std::string& name, int value);
  void set(const std::string& name, std::span<const int> values);
  void set(const std::string& name, std::span<const std::string> texts);
  void set_reference(const std::string& name, const Object& target);
  bool has(const std::string& name) const;
  std::string text(const std::string& name) const;  ///< fixed or variable length; of an array its first
  double number(const std::string& name) const;

  std::int64_t id() const { return handle_.id(); }
  explicit operator bool() const { return static_cast<bool>(handle_); }
  /// Where in the file the object lives: two hard links to one dataset have one address.
  std::uint64_t address() const;

 protected:
  Object() = default;
  explicit Object(Handle handle) : handle_(std::move(handle)) {}
  Handle handle_;
};

class Dataset : public Object {
 public:
  Dataset() = default;
  explicit Dataset(Handle handle) : Object(std::move(handle)) {}
  Shape shape() const;
  Shape chunk() const;         ///< empty when contiguous
  int deflate_level() const;   ///< 0: not compressed
  std::uint64_t rows() const;  ///< one without dimensions has none
  bool is_text() const;

  /// Adds whole rows at the end; the number of values must be a multiple of the row size.
  template <class T>
  void append(std::span<const T> values) {
    append(values.data(), values.size(), type_of<T>());
  }
  /// Shortens to the first `rows` rows; more than there are is an error.
  void trim(std::uint64_t rows);
  /// `count` rows from `first`, converted to T.
  template <class T>
  std::vector<T> read(std::uint64_t first, std::uint64_t count) const {
    std::vector<T> values(count * row_size());
    read(values.data(), first, count, type_of<T>());
    return values;
  }
  template <class T>
  std::vector<T> read() const {
    return read<T>(0, rows());
  }
  using Object::number;
  /// The value of a dataset without dimensions, or with one value.
  double number() const;
  std::vector<std::string> read_text() const;

 private:
  std::uint64_t row_size() const;
  std::uint64_t bytes_of_chunks(std::uint64_t first, std::uint64_t count) const;
  void append(const void* values, std::uint64_t count, Type type);
  void read(void* values, std::uint64_t first, std::uint64_t count, Type type) const;
};

/// Storage of a dataset that grows along its first dimension.
struct Growth {
  std::uint64_t rows_per_chunk = 1;
  int deflate = 0;  ///< zlib level with byte shuffle; 0: as is
};

class Group : public Object {
 public:
  Group() = default;
  explicit Group(Handle handle) : Object(std::move(handle)) {}
  /// Opens the group, making it (and what leads to it) when it is not there.
  Group group(const std::string& path);
  Group open_group(const std::string& path) const;
  Dataset dataset(const std::string& path) const;
  bool contains(const std::string& path) const;
  bool is_group(const std::string& path) const;
  std::vector<std::string> names() const;

  /// A dataset that does not change. `shape` empty: one dimension. Large ones are compressed.
  template <class T>
  Dataset write(const std::string& path, std::span<const T> values, const Shape& shape = {}) {
    return write(path, values.data(), values.size(), type_of<T>(), shape);
  }
  Dataset write_text(const std::string& path, std::string_view text);
  /// Fixed-length ASCII strings (null-padded to the longest): compact for names of a million atoms.
  Dataset write_names(const std::string& path, std::span<const std::string> names);
  /// An empty dataset of shape [0, row...] that append() extends.
  template <class T>
  Dataset extendible(const std::string& path, const Shape& row, const Growth& growth) {
    return extendible(path, row, growth, type_of<T>());
  }
  /// Hard link: one object under a second name. Paths are relative to this group.
  void link(const std::string& existing, const std::string& path);

 private:
  Dataset write(const std::string& path, const void* values, std::uint64_t count, Type type, const Shape& shape);
  Dataset extendible(const std::string& path, const Shape& row, const Growth& growth, Type type);
};

/// Holds an exclusive write lock on a path for as long as it lives.
class FileLock {
 public:
  FileLock() = default;
  /// Throws SimulationError when another process holds the lock or the file cannot be opened for writing. File systems
  /// without locks are let through.
  FileLock(const std::string& path, bool create);
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)), has_room_(other.has_room_) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(has_room_, other.has_room_);
    return *this;
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();
  int descriptor() const { return fd_; }
  /// At the end the file keeps no more of the disk than its length.
  void give_back_room() { has_room_ = true; }

 private:
  int fd_ = -1;
  bool has_room_ = false;
};

class File : public Group {
 public:
  File() = default;
  static File create(const std::string& path);  ///< replaces a file of that name, unless another process is writing it
  static File append(const std::string& path);  ///< opens an existing file for writing
  static File read(const std::string& path);    ///< also while another process writes it: what it last flushed
  /// Before a few groups or small datasets are added to a file that is in use. Throws SimulationError on a full disk, and
  /// nothing has been changed then.
  void make_room();
  /// Hands everything written so far to the operating system: from here on it survives the process.
  void flush();
  /// flush(), and waits until the disk has it.
  void sync();
  const std::string& path() const { return path_; }

 private:
  File(Handle handle, FileLock lock, std::string path);
  FileLock lock_;  // declared before file_: released after the file is closed
  Handle file_;
  std::string path_;
};

}  // namespace uplift::h5
