#include <hdf5.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "h5_detail.hpp"
#include "uplift/core/error.hpp"
#include "uplift/io/h5.hpp"

namespace uplift::h5 {
namespace detail {

std::unique_lock<std::recursive_mutex> enter() {
  // HDF5 would close what is still open at the end of the process once more, and crashes where that had failed before.
  [[maybe_unused]] static const bool leave_alone = H5dont_atexit() >= 0;
  static auto* mutex = new std::recursive_mutex;  // never destroyed: handles may be closed as late as the process ends
  return std::unique_lock(*mutex);
}

void silence() {
  thread_local const bool done = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  static_cast<void>(done);
}

void fail(const std::string& what, std::int64_t object) {
  std::vector<std::string> causes;
  const auto collect = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc && *error->desc) static_cast<std::vector<std::string>*>(out)->push_back(error->desc);
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &causes);  // innermost first
  std::string message;
  if (object >= 0) {
    char name[4096] = {};
    if (H5Fget_name(object, name, sizeof name) > 0) message = std::string(name) + ": ";
  }
  message += what;
  const bool unwritten = !causes.empty() && causes.front().starts_with("file write failed");
  // HDF5's own text of it has times, buffers and a line break.
  const std::size_t said = unwritten ? causes.front().find("error message = '") : std::string::npos;
  if (said != std::string::npos)
    causes.front() = "file write failed: " + causes.front().substr(said + 17, causes.front().find('\'', said + 17) - said - 17);
  if (!causes.empty()) message += " (HDF5: " + causes.front() + (causes.size() > 1 ? "; " + causes.back() : "") + ")";
  H5Eclear2(H5E_DEFAULT);
  if (unwritten && object >= 0) abandon(object);
  throw SimulationError(message);
}

std::int64_t memory_type(Type type) {
  switch (type) {
    case Type::int32:
      return H5T_NATIVE_INT32;
    case Type::int64:
      return H5T_NATIVE_INT64;
    case Type::float32:
      return H5T_NATIVE_FLOAT;
    case Type::float64:
      return H5T_NATIVE_DOUBLE;
  }
  return -1;
}

std::int64_t file_type(Type type) {
  switch (type) {
    case Type::int32:
      return H5T_STD_I32LE;
    case Type::int64:
      return H5T_STD_I64LE;
    case Type::float32:
      return H5T_IEEE_F32LE;
    case Type::float64:
      return H5T_IEEE_F64LE;
  }
  return -1;
}

Handle variable_text() {
  Handle type(check(H5Tcopy(H5T_C_S1), "string type"), H5Tclose);
  check(H5Tset_size(type.id(), H5T_VARIABLE), "string type");
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "string type");
  return type;
}

void compress_if_large(std::int64_t storage, const Shape& shape, std::size_t value_bytes) {
  const std::uint64_t count = std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
  if (count * value_bytes <= 65536) return;
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  const std::uint64_t row_bytes = count / shape[0] * value_bytes;
  chunk[0] = std::min<std::uint64_t>(shape[0], std::max<std::uint64_t>(1, (1u << 20) / row_bytes));
  check(H5Pset_chunk(storage, static_cast<int>(chunk.size()), chunk.data()), "chunk");
  check(H5Pset_shuffle(storage), "shuffle filter");
  check(H5Pset_deflate(storage, 4), "deflate filter");
}

}  // namespace detail

using namespace detail;

namespace {

Handle make_attribute(std::int64_t object, const std::string& name, std::int64_t type, std::int64_t space) {
  if (check(H5Aexists(object, name.c_str()), "attribute " + name, object) > 0)
    check(H5Adelete(object, name.c_str()), "attribute " + name, object);
  return Handle(
      check(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), "making attribute " + name, object),
      H5Aclose);
}

Handle scalar() { return Handle(check(H5Screate(H5S_SCALAR), "data space"), H5Sclose); }

Handle vector_of(std::size_t count) {
  const hsize_t extent = count;
  return Handle(check(H5Screate_simple(1, &extent, nullptr), "data space"), H5Sclose);
}

void write_attribute(std::int64_t object, const std::string& name, std::int64_t file, std::int64_t memory, const Handle& space,
                     const void* values) {
  const Handle attribute = make_attribute(object, name, file, space.id());
  check(H5Awrite(attribute.id(), memory, values), "writing attribute " + name, object);
}

}  // namespace

void Object::set(const std::string& name, std::string_view text) {
  const auto library = enter();
  const std::string copy(text);
  const char* pointer = copy.c_str();
  const Handle type = variable_text();
  write_attribute(id(), name, type.id(), type.id(), scalar(), &pointer);
}

void Object::set(const std::string& name, double value) {
  const auto library = enter();
  write_attribute(id(), name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, scalar(), &value);
}

void Object::set(const std::string& name, int value) {
  const auto library = enter();
  write_attribute(id(), name, H5T_STD_I32LE, H5T_NATIVE_INT, scalar(), &value);
}

void Object::set(const std::string& name, std::span<const int> values) {
  const auto library = enter();
  write_attribute(id(), name, H5T_STD_I32LE, H5T_NATIVE_INT, vector_of(values.size()), values.data());
}

void Object::set(const std::string& name, std::span<const std::string> texts) {
  const auto library = enter();
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  const Handle type = variable_text();
  write_attribute(id(), name, type.id(), type.id(), vector_of(pointers.size()), pointers.data());
}

void Object::set_reference(const std::string& name, const Object& target) {
  const auto library = enter();
  hobj_ref_t reference{};
  check(H5Rcreate(&reference, target.id(), ".", H5R_OBJECT, -1), "reference " + name, id());
  write_attribute(id(), name, H5T_STD_REF_OBJ, H5T_STD_REF_OBJ, scalar(), &reference);
}

bool Object::has(const std::string& name) const {
  const auto library = enter();
  return check(H5Aexists(id(), name.c_str()), "attribute " + name, id()) > 0;
}

std::string Object::text(const std::string& name) const {
  const auto library = enter();
  const Handle attribute(check(H5Aopen(id(), name.c_str(), H5P_DEFAULT), "no attribute " + name, id()), H5Aclose);
  const Handle type(check(H5Aget_type(attribute.id()), "attribute " + name, id()), H5Tclose);
  const Handle space(check(H5Aget_space(attribute.id()), "attribute " + name, id()), H5Sclose);
  const auto count = static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(space.id()), "attribute " + name, id()));
  if (H5Tget_class(type.id()) != H5T_STRING || count == 0) throw SimulationError("attribute " + name + " is not a string");
  return read_strings(type.id(), space.id(), count, id(),
                      [&](std::int64_t memory, void* out) { return H5Aread(attribute.id(), memory, out); })[0];
}

double Object::number(const std::string& name) const {
  const auto library = enter();
  const Handle attribute(check(H5Aopen(id(), name.c_str(), H5P_DEFAULT), "no attribute " + name, id()), H5Aclose);
  const Handle space(check(H5Aget_space(attribute.id()), "attribute " + name, id()), H5Sclose);
  if (H5Sget_simple_extent_npoints(space.id()) != 1) throw SimulationError("attribute " + name + " is not a single number");
  double value = 0;
  check(H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, &value), "reading attribute " + name, id());
  return value;
}

std::uint64_t Object::address() const {
  const auto library = enter();
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info{};
#else
  H5O_info_t info{};
#endif
  check(H5Oget_info2(id(), &info, H5O_INFO_BASIC), "address", id());
  return info.addr;
}

}  // namespace uplift::h5
