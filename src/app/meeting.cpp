#include "meeting.hpp"

#include "uplift/core/assert.hpp"
#include "uplift/core/at.hpp"

namespace uplift::app {

void Meeting::take_place() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return free_ > 0; });
  --free_;
}

MeetingAnswer Meeting::attend(int replica, MeetingOffer offer) {
  std::unique_lock lock(mutex_);
  Seat& seat = seats_[at(replica)];
  seat.offer = std::move(offer);
  ++waiting_;
  ++free_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return seat.answer.has_value(); });
  MeetingAnswer answer = std::move(*seat.answer);
  seat.answer.reset();
  changed_.wait(lock, [&] { return free_ > 0; });
  --free_;
  return answer;
}

void Meeting::leave() {
  const std::lock_guard lock(mutex_);
  --inside_;
  ++free_;
  changed_.notify_all();
}

Meeting::Stand Meeting::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [&] { return waiting_ == inside_; });
  if (inside_ == 0) return Stand::over;
  return waiting_ == inside_ ? Stand::met : Stand::working;
}

std::vector<const MeetingOffer*> Meeting::offers() const {
  const std::lock_guard lock(mutex_);
  std::vector<const MeetingOffer*> all;
  for (const Seat& seat : seats_) all.push_back(seat.offer ? &*seat.offer : nullptr);
  return all;
}

void Meeting::answer(std::vector<MeetingAnswer> answers) {
  const std::lock_guard lock(mutex_);
  UPLIFT_EXPECT(answers.size() == seats_.size());
  for (std::size_t k = 0; k < seats_.size(); ++k) {
    if (!seats_[k].offer) continue;
    seats_[k].offer.reset();
    seats_[k].answer = std::move(answers[k]);
    --waiting_;
  }
  changed_.notify_all();
}

}  // namespace uplift::app
