#pragma once
// Ranks that work together (floor 5): a thin coat over MPI. Every call is checked; a failed one throws SimulationError. In a
// build without MPI, and in a process that no launcher has started, there is one rank and nothing is ever called.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace uplift {

namespace detail {
struct MpiGroup;
}

/// A group of ranks. Copies share the group. One thread of a program calls at a time, and all calls but send, receive and abort
/// are collective: every rank of the group makes them, in the same order.
class Communicator {
 public:
  Communicator() = default;  ///< this rank alone
  int size() const;
  int rank() const;
  bool root() const { return rank() == 0; }
  /// Groups of ranks with the same `colour` (0 or more), ordered by `key`, then by rank here.
  Communicator split(int colour, int key = 0) const;
  /// Those of this group that share this machine's memory: rank() of it is the local rank.
  Communicator node() const;

  void barrier() const;
  template <class T>
  void broadcast(std::span<T> values, int from = 0) const {
    static_assert(std::is_trivially_copyable_v<T>);
    broadcast_bytes(std::as_writable_bytes(values), from);
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void broadcast(T& value, int from = 0) const { broadcast(std::span(&value, 1), from); }
  template <class T>
  void broadcast(std::vector<T>& values, int from = 0) const {  ///< length included
    auto n = static_cast<std::uint64_t>(values.size());
    broadcast(n, from);
    values.resize(n);
    broadcast(std::span(values), from);
  }
  void broadcast(std::string& text, int from = 0) const;
  /// What every rank has, in the order of ranks; empty on all but `to`.
  template <class T>
  std::vector<std::vector<T>> gather(std::span<const T> values, int to = 0) const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<std::vector<T>> all;
    for (const std::vector<std::byte>& bytes : gather_bytes(std::as_bytes(values), to)) all.push_back(from_bytes<T>(bytes));
    return all;
  }
  /// Sums and extremes over all ranks, for all ranks, in place. Those of integers have the same bits for any number of ranks.
  void sum(std::span<std::int64_t> values) const;
  void sum(std::span<double> values) const;
  void maximum(std::span<std::int64_t> values) const;
  void maximum(std::span<double> values) const;
  void minimum(std::span<std::int64_t> values) const;

  /// values[r] goes to rank r; returns what came from each. One value for each rank.
  std::vector<std::int64_t> all_to_all(std::vector<std::int64_t> values) const;

  /// Returns when `values` may be used again. `tag` (0 to 32766) tells messages between the same two ranks apart.
  template <class T>
  void send(std::span<const T> values, int to, int tag = 0) const {
    static_assert(std::is_trivially_copyable_v<T>);
    send_bytes(std::as_bytes(values), to, tag);
  }
  template <class T>
  std::vector<T> receive(int from, int tag = 0) const {  ///< as long as what was sent
    return from_bytes<T>(receive_bytes(from, tag));
  }

  /// A rank has failed where others may be in the middle of something: nothing can be done together any more but abort().
  void lose() const;
  bool lost() const;
  /// Ends all ranks of the program at once, with `message` on stderr.
  [[noreturn]] void abort(const std::string& message, int status) const;

  /// A message on its way; wait() before its memory is touched.
  class Request {
   public:
    Request();
    Request(Request&&) noexcept;
    Request& operator=(Request&&) noexcept;
    ~Request();
    void wait();

   private:
    friend class Communicator;
    struct Body;
    std::unique_ptr<Body> body_;
  };
  /// Messages of a length that both ends know, at most 2^31 - 1 bytes.
  Request start_send(std::span<const std::byte> values, int to, int tag) const;
  Request start_receive(std::span<std::byte> values, int from, int tag) const;

 private:
  friend class MpiSession;
  template <class T>
  static std::vector<T> from_bytes(const std::vector<std::byte>& bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(values.data()));
    return values;
  }
  void broadcast_bytes(std::span<std::byte> values, int from) const;
  std::vector<std::vector<std::byte>> gather_bytes(std::span<const std::byte> values, int to) const;
  void send_bytes(std::span<const std::byte> values, int to, int tag) const;
  std::vector<std::byte> receive_bytes(int from, int tag) const;
  std::shared_ptr<const detail::MpiGroup> group_;  ///< null: one rank
};

/// MPI from the start of the program to its end, where a launcher (mpirun, srun) has started several ranks; otherwise nothing,
/// at no cost. One in a program, in main().
class MpiSession {
 public:
  /// Throws InputError where a launcher has started several ranks but they cannot find each other.
  MpiSession(int& argc, char**& argv);
  ~MpiSession();  ///< waits for all ranks
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  const Communicator& world() const { return world_; }

 private:
  bool begun_ = false;
  Communicator world_;
};

/// This process among those that the launcher has started on this machine. Place 0 of 1 without a launcher.
struct LocalRank {
  int place = 0, count = 1;
};
LocalRank local_rank();

/// "Open MPI v4.1.4", or "none".
std::string mpi_description();
/// The MPI library sends from and receives into the memory of a GPU ("CUDA-aware"); as it says itself, at run time.
bool mpi_takes_device_memory();

}  // namespace uplift
