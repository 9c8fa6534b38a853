#include "run_exchange.hpp"

#include <cmath>

namespace uplift::app {

ExchangeSchedule exchange_schedule(const StageSettings& stage) {
  const double step = stage.dynamics.timestep;
  return {std::llround(stage.exchange->every / step), std::llround(stage.exchange->after / step),
          std::llround(stage.time / step)};
}

RunExchange::RunExchange(const StageSettings& stage, int index, std::int64_t first, ReplicaLink& link)
    : schedule_(exchange_schedule(stage)), index_(index), first_(first), link_(link) {}

MeetingAnswer RunExchange::begin(const StageSettings& stage, int index, const Box& box, std::optional<std::int64_t> passed,
                                 ReplicaLink& link) {
  MeetingOffer offer;
  offer.kind = MeetingOffer::Kind::begin;
  offer.stage = index;
  offer.box = box;
  offer.continued = passed.has_value();
  if (passed) offer.attempt = exchange_schedule(stage).attempts(*passed - 1);
  return link.meet(std::move(offer));
}

std::string RunExchange::attempt(Simulation& simulation, const std::function<void()>& save) {
  State now = simulation.state();
  MeetingOffer offer;
  offer.kind = MeetingOffer::Kind::attempt;
  offer.stage = index_;
  const std::int64_t attempt = offer.attempt = schedule_.attempts(now.step - first_);
  offer.step = now.step;
  offer.time = now.time;
  offer.potential = potential_;
  offer.box = now.box;
  offer.x = std::move(now.x);
  offer.v = std::move(now.v);
  MeetingAnswer answer = link_.meet(std::move(offer));
  if (!answer.stop.empty()) return answer.stop;
  if (answer.save) {
    save();
    // Nobody goes on before all have saved: who came to the end of the stage, or to a stop, would write a second checkpoint
    // that does not fit those that slower ones still have.
    MeetingOffer saved;
    saved.kind = MeetingOffer::Kind::saved;
    saved.stage = index_;
    saved.attempt = attempt;
    if (const std::string why = link_.meet(std::move(saved)).stop; !why.empty()) return why;
  }
  if (answer.taken) simulation.replace(std::move(answer.x), std::move(answer.v), answer.box);
  return {};
}

std::string RunExchange::end(std::int64_t step) {
  MeetingOffer offer;
  offer.kind = MeetingOffer::Kind::end;
  offer.stage = index_;
  offer.step = step;
  return link_.meet(std::move(offer)).stop;
}

}  // namespace uplift::app
