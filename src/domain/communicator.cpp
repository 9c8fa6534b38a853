#include "uplift/domain/communicator.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <utility>

#include "uplift/core/assert.hpp"
#include "uplift/core/error.hpp"
#include "uplift/core/launcher.hpp"
#ifdef UPLIFT_HAVE_MPI
#include <mpi.h>
#if defined(OPEN_MPI) && __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif
#endif

namespace uplift {
namespace {

constexpr int gather_tag = 32767;  // the largest that every MPI has

LocalRank local;  // written once, by MpiSession

}  // namespace

#ifdef UPLIFT_HAVE_MPI

static_assert(sizeof(int) == 4);
namespace {

constexpr std::size_t longest = std::size_t{1} << 30;  // bytes of one call, whose counts are int

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, text, &length);
  // Not a SimulationError: whoever catches those asks the backend what is the matter with the atoms, and the ranks are gone.
  throw std::runtime_error(fmt::format("MPI: {} failed: {} (another rank may have died; its message comes first)", what, text));
}

}  // namespace

struct detail::MpiGroup {
  MPI_Comm comm = MPI_COMM_NULL;
  int rank = 0, size = 1;
  mutable std::atomic<bool> lost{false};
  explicit MpiGroup(MPI_Comm c) : comm(c) {
    check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
    check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  }
  MpiGroup(const MpiGroup&) = delete;
  MpiGroup& operator=(const MpiGroup&) = delete;
  ~MpiGroup() {
    int finished = 0;
    MPI_Finalized(&finished);
    if (comm != MPI_COMM_WORLD && !finished) MPI_Comm_free(&comm);
  }
};

struct Communicator::Request::Body {
  MPI_Request request = MPI_REQUEST_NULL;
};
void Communicator::Request::wait() {
  if (body_) check(MPI_Wait(&body_->request, MPI_STATUS_IGNORE), "MPI_Wait");
  body_.reset();
}

int Communicator::size() const { return group_ ? group_->size : 1; }
int Communicator::rank() const { return group_ ? group_->rank : 0; }

Communicator Communicator::split(int colour, int key) const {
  Communicator part;
  if (!group_) return part;
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_split(group_->comm, colour, key, &comm), "MPI_Comm_split");
  part.group_ = std::make_shared<const detail::MpiGroup>(comm);
  return part;
}

Communicator Communicator::node() const {
  Communicator part;
  if (!group_) return part;
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_split_type(group_->comm, MPI_COMM_TYPE_SHARED, group_->rank, MPI_INFO_NULL, &comm), "MPI_Comm_split_type");
  part.group_ = std::make_shared<const detail::MpiGroup>(comm);
  return part;
}

void Communicator::barrier() const {
  if (group_) check(MPI_Barrier(group_->comm), "MPI_Barrier");
}

void Communicator::broadcast_bytes(std::span<std::byte> values, int from) const {
  if (!group_) return;
  for (std::size_t first = 0; first < values.size(); first += longest) {
    const auto part = values.subspan(first, std::min(longest, values.size() - first));
    check(MPI_Bcast(part.data(), static_cast<int>(part.size()), MPI_BYTE, from, group_->comm), "MPI_Bcast");
  }
}

void Communicator::send_bytes(std::span<const std::byte> values, int to, int tag) const {
  UPLIFT_EXPECT(group_);
  const auto length = static_cast<std::uint64_t>(values.size());
  check(MPI_Send(&length, 1, MPI_UINT64_T, to, tag, group_->comm), "MPI_Send");
  for (std::size_t first = 0; first < values.size(); first += longest) {
    const auto part = values.subspan(first, std::min(longest, values.size() - first));
    check(MPI_Send(part.data(), static_cast<int>(part.size()), MPI_BYTE, to, tag, group_->comm), "MPI_Send");
  }
}

std::vector<std::byte> Communicator::receive_bytes(int from, int tag) const {
  UPLIFT_EXPECT(group_);
  std::uint64_t length = 0;
  check(MPI_Recv(&length, 1, MPI_UINT64_T, from, tag, group_->comm, MPI_STATUS_IGNORE), "MPI_Recv");
  std::vector<std::byte> values(length);
  for (std::size_t first = 0; first < values.size(); first += longest) {
    const std::size_t part = std::min(longest, values.size() - first);
    check(MPI_Recv(values.data() + first, static_cast<int>(part), MPI_BYTE, from, tag, group_->comm, MPI_STATUS_IGNORE),
          "MPI_Recv");
  }
  return values;
}

std::vector<std::vector<std::byte>> Communicator::gather_bytes(std::span<const std::byte> values, int to) const {
  std::vector<std::vector<std::byte>> all;
  if (rank() != to) {
    send_bytes(values, to, gather_tag);
    return all;
  }
  for (int from = 0; from < size(); ++from)
    all.push_back(from == to ? std::vector<std::byte>(values.begin(), values.end()) : receive_bytes(from, gather_tag));
  return all;
}

namespace {

template <class T>
void reduce(const std::shared_ptr<const detail::MpiGroup>& group, std::span<T> values, MPI_Datatype type, MPI_Op op) {
  if (!group || values.empty()) return;
  UPLIFT_EXPECT(values.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  check(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), type, op, group->comm), "MPI_Allreduce");
}

}  // namespace

void Communicator::sum(std::span<std::int64_t> values) const { reduce(group_, values, MPI_INT64_T, MPI_SUM); }
void Communicator::sum(std::span<double> values) const { reduce(group_, values, MPI_DOUBLE, MPI_SUM); }
void Communicator::maximum(std::span<std::int64_t> values) const { reduce(group_, values, MPI_INT64_T, MPI_MAX); }
void Communicator::maximum(std::span<double> values) const { reduce(group_, values, MPI_DOUBLE, MPI_MAX); }
void Communicator::minimum(std::span<std::int64_t> values) const { reduce(group_, values, MPI_INT64_T, MPI_MIN); }

std::vector<std::int64_t> Communicator::all_to_all(std::vector<std::int64_t> values) const {
  UPLIFT_EXPECT(values.size() == static_cast<std::size_t>(size()));
  if (group_)
    check(MPI_Alltoall(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values.data(), 1, MPI_INT64_T, group_->comm), "MPI_Alltoall");
  return values;
}

Communicator::Request Communicator::start_send(std::span<const std::byte> values, int to, int tag) const {
  UPLIFT_EXPECT(group_ && values.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  Request r;
  r.body_ = std::make_unique<Request::Body>();
  check(MPI_Isend(values.data(), static_cast<int>(values.size()), MPI_BYTE, to, tag, group_->comm, &r.body_->request),
        "MPI_Isend");
  return r;
}

Communicator::Request Communicator::start_receive(std::span<std::byte> values, int from, int tag) const {
  UPLIFT_EXPECT(group_ && values.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  Request r;
  r.body_ = std::make_unique<Request::Body>();
  check(MPI_Irecv(values.data(), static_cast<int>(values.size()), MPI_BYTE, from, tag, group_->comm, &r.body_->request),
        "MPI_Irecv");
  return r;
}

void Communicator::abort(const std::string& message, int status) const {
  std::cerr << (size() > 1 ? fmt::format("error on rank {}: {}\n", rank(), message) : "error: " + message + '\n') << std::flush;
  if (group_) MPI_Abort(MPI_COMM_WORLD, status);
  std::_Exit(status);
}

MpiSession::MpiSession(int& argc, char**& argv) {
  const int launched = launched_ranks();
  if (launched == 1) return;
  int provided = 0;
  // Replicas have threads of their own, which take turns.
  check(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
  begun_ = true;
  if (provided < MPI_THREAD_SERIALIZED)
    throw SimulationError("this MPI library allows calls from one thread of a program only (MPI_THREAD_SERIALIZED is needed)");
  world_.group_ = std::make_shared<const detail::MpiGroup>(MPI_COMM_WORLD);
  if (world_.size() == 1)
    throw InputError(
        fmt::format("{} ranks were started, but MPI sees only this one (they would all do the same work): start them with "
                    "srun --mpi=pmix or --mpi=pmi2, whichever `srun --mpi=list` has, or with mpirun",
                    launched));
  const Communicator node = world_.node();
  local = {node.rank(), node.size()};
}

MpiSession::~MpiSession() {
  if (!begun_) return;
  world_ = {};
  MPI_Finalize();
}

std::string mpi_description() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string whole(text, static_cast<std::size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

bool mpi_takes_device_memory() {
#if defined(MPIX_CUDA_AWARE_SUPPORT)
  return MPIX_Query_cuda_support() == 1;
#else
  return false;
#endif
}

#else  // one rank; nothing below is reached through a Communicator of several

struct detail::MpiGroup {
  mutable bool lost = false;
};
struct Communicator::Request::Body {};
void Communicator::Request::wait() {}
int Communicator::size() const { return 1; }
int Communicator::rank() const { return 0; }
Communicator Communicator::split(int, int) const { return {}; }
Communicator Communicator::node() const { return {}; }
void Communicator::barrier() const {}
void Communicator::broadcast_bytes(std::span<std::byte>, int) const {}
void Communicator::send_bytes(std::span<const std::byte>, int, int) const { UPLIFT_EXPECT(group_); }
std::vector<std::byte> Communicator::receive_bytes(int, int) const {
  UPLIFT_EXPECT(group_);
  return {};
}
std::vector<std::vector<std::byte>> Communicator::gather_bytes(std::span<const std::byte> values, int) const {
  return {std::vector<std::byte>(values.begin(), values.end())};
}
void Communicator::sum(std::span<std::int64_t>) const {}
void Communicator::sum(std::span<double>) const {}
void Communicator::maximum(std::span<std::int64_t>) const {}
void Communicator::maximum(std::span<double>) const {}
void Communicator::minimum(std::span<std::int64_t>) const {}
std::vector<std::int64_t> Communicator::all_to_all(std::vector<std::int64_t> values) const { return values; }
Communicator::Request Communicator::start_send(std::span<const std::byte>, int, int) const {
  UPLIFT_EXPECT(group_);
  return {};
}
Communicator::Request Communicator::start_receive(std::span<std::byte>, int, int) const {
  UPLIFT_EXPECT(group_);
  return {};
}
void Communicator::abort(const std::string& message, int status) const {
  std::cerr << "error: " << message << '\n' << std::flush;
  std::_Exit(status);
}
MpiSession::MpiSession(int&, char**&) {
  if (const int launched = launched_ranks(); launched > 1)
    throw InputError(
        fmt::format("{} ranks were started, but this build of uplift has no MPI (they would all do the same work): "
                    "configure with -DUPLIFT_MPI=ON, or start one",
                    launched));
}
MpiSession::~MpiSession() = default;
std::string mpi_description() { return "none"; }
bool mpi_takes_device_memory() { return false; }

#endif

LocalRank local_rank() { return local; }

void Communicator::lose() const {
  if (group_) group_->lost = true;
}
bool Communicator::lost() const { return group_ && group_->lost; }

Communicator::Request::Request() = default;
Communicator::Request::Request(Request&&) noexcept = default;
Communicator::Request& Communicator::Request::operator=(Request&&) noexcept = default;
Communicator::Request::~Request() = default;

void Communicator::broadcast(std::string& text, int from) const {
  std::vector<char> letters(text.begin(), text.end());
  broadcast(letters, from);
  text.assign(letters.begin(), letters.end());
}

}  // namespace uplift
