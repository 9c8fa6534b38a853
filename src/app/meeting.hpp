#pragma once
// Where the replicas of one process meet, and how many of them compute at a time. Each has a thread of its own, which needs one
// of a few places to compute; who waits for others gives its place away. The main thread answers those who have come.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "replica_link.hpp"

namespace uplift::app {

class Meeting {
 public:
  Meeting(int replicas, int places) : free_(places), seats_(static_cast<std::size_t>(replicas)), inside_(replicas) {}

  // Threads of replicas.
  void take_place();
  /// Waits for an answer.
  MeetingAnswer attend(int replica, MeetingOffer offer);
  /// It has ended, in whatever way, and will not come again; its place is free.
  void leave();

  // The main thread.
  enum class Stand { working, met, over };
  /// met: everybody has come or left, and somebody has come. over: everybody has left.
  Stand wait(std::chrono::milliseconds most);
  /// [replicas] none of those who have left. Only when all have met, until the answers are given.
  std::vector<const MeetingOffer*> offers() const;
  /// One for each who has come.
  void answer(std::vector<MeetingAnswer> answers);

 private:
  struct Seat {
    std::optional<MeetingOffer> offer;
    std::optional<MeetingAnswer> answer;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int free_;
  std::vector<Seat> seats_;
  int inside_, waiting_ = 0;
};

}  // namespace uplift::app
