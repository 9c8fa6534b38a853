#pragma once
// Answers the replicas of all ranks that have met: the one place that decides about exchanges.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "meeting.hpp"
#include "uplift/domain/communicator.hpp"
#include "uplift/io/exchange_file.hpp"
#include "uplift/model/settings.hpp"
#include "uplift/sampling/replica_exchange.hpp"

namespace uplift::app {

/// Consecutive replicas belong to a rank.
struct ReplicaRange {
  int first = 0, last = 0;  ///< behind the last
  int size() const { return last - first; }
  static ReplicaRange of(int rank, int ranks, int replicas) {
    const auto begin = [&](int r) { return static_cast<int>(static_cast<std::int64_t>(r) * replicas / ranks); };
    return {begin(rank), begin(rank + 1)};
  }
};

class ExchangeConductor {
 public:
  /// Of all ranks. `directory`: of exchange.h5.
  ExchangeConductor(const RunInput& input, const Communicator& ranks, Meeting& meeting, std::filesystem::path directory);

  /// Of all ranks, when the replicas of each have met or left. `ended`: [own replicas] exit status of those who have left.
  /// False when all have.
  bool round(const std::vector<int>& ended);
  /// On the root: what is wrong with the replicas as a whole; empty: nothing.
  const std::string& problem() const { return problem_; }
  bool input_is_wrong() const { return input_is_wrong_; }  ///< that is the problem
  /// On the root, of the stages that this process has exchanged in: a table for the log, and the same for programs.
  struct Account {
    std::string stage;
    std::vector<double> temperatures;
    ExchangeHistory history;
  };
  const std::vector<Account>& accounts() const { return accounts_; }

 private:
  struct Report;   // of a replica, to the root
  struct Verdict;  // from the root, for a replica
  std::vector<Verdict> decide(const std::vector<Report>& all);
  void stop_all(std::vector<Verdict>& verdicts, const std::string& why);
  void begin(const std::vector<Report>& all, std::vector<Verdict>& verdicts);
  void attempt(const std::vector<Report>& all, std::vector<Verdict>& verdicts);
  std::vector<MeetingAnswer> answers(const std::vector<Verdict>& verdicts, int stage);
  void move_configurations(const std::vector<const MeetingOffer*>& offers, const std::vector<Verdict>& verdicts,
                           std::vector<MeetingAnswer>& answers) const;
  int rank_of(int replica) const;

  const RunInput& input_;
  const Communicator& ranks_;
  Meeting& meeting_;
  std::filesystem::path directory_;
  ReplicaRange own_;
  int replicas_;
  std::unique_ptr<ExchangeFile> file_;  ///< on the root, from the first exchange on
  std::vector<Account> accounts_;
  std::string stop_, problem_;
  bool input_is_wrong_ = true;
  double saved_at_;  ///< steady clock [s]
};

/// Acceptance of every pair, and round trips.
std::string exchange_table(const ExchangeConductor::Account& account);

}  // namespace uplift::app
