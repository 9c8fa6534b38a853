#include "uplift/io/exchange_file.hpp"

#include <filesystem>
#include <span>

#include "uplift/core/error.hpp"

namespace uplift {
namespace {

h5::File opened(const std::string& path, const Provenance& provenance) {
  if (std::filesystem::exists(path)) return h5::File::append(path);
  const std::string unfinished = path + ".tmp";  // it has its name when it is whole
  {
    h5::File file = h5::File::create(unfinished);
    write_provenance(file, provenance);
    file.flush();  // closing would not say that the disk is full
  }
  std::filesystem::rename(unfinished, path);
  return h5::File::append(path);
}

}  // namespace

ExchangeFile::ExchangeFile(const std::string& path, const Provenance& provenance)
    : path_(path), file_(opened(path, provenance)) {}

std::vector<std::vector<std::int32_t>> ExchangeFile::begin(const std::string& stage, const std::vector<double>& temperatures,
                                                           std::int64_t rows) {
  const std::uint64_t replicas = temperatures.size();
  const std::string place = "stages/" + stage;
  if (!file_.contains(place)) {
    file_.make_room();
    h5::Group group = file_.group(place);
    group.write<double>("temperature", std::span<const double>(temperatures)).set("unit", "K");
    group.extendible<std::int64_t>("step", {}, {1024, 0});
    group.extendible<double>("time", {}, {1024, 0}).set("unit", "ps");
    group.extendible<double>("potential", {replicas}, {256, 0}).set("unit", "kJ mol-1");
    group.extendible<std::int32_t>("accepted", {replicas - 1}, {256, 0});
    group.extendible<std::int32_t>("walker", {replicas}, {256, 0});
    file_.flush();
  }
  h5::Group group = file_.open_group(place);
  step_ = group.dataset("step");
  time_ = group.dataset("time");
  potential_ = group.dataset("potential");
  accepted_ = group.dataset("accepted");
  walkers_ = group.dataset("walker");
  if (group.dataset("temperature").rows() != replicas)
    throw InputError(path_ + ": stage " + stage + " had begun with " + std::to_string(group.dataset("temperature").rows()) +
                     " temperatures, and there are " + std::to_string(replicas) +
                     "; put them back, or choose another directory");
  const auto wanted = static_cast<std::uint64_t>(rows);
  for (h5::Dataset* d : {&step_, &time_, &potential_, &accepted_, &walkers_}) {
    if (d->rows() < wanted)
      throw InputError(path_ + ": has " + std::to_string(d->rows()) + " attempts of stage " + stage +
                       ", and the checkpoints are " + std::to_string(rows) +
                       " attempts on (was it replaced?); put it back, or begin again in another directory");
    d->trim(wanted);
  }
  const std::vector<std::int32_t> flat = accepted_.read<std::int32_t>();
  std::vector<std::vector<std::int32_t>> before;
  for (std::size_t first = 0; first + replicas - 1 <= flat.size() && before.size() < wanted; first += replicas - 1)
    before.emplace_back(flat.begin() + static_cast<std::ptrdiff_t>(first),
                        flat.begin() + static_cast<std::ptrdiff_t>(first + replicas - 1));
  return before;
}

void ExchangeFile::add(const ExchangeRow& row) {
  step_.append(std::span<const std::int64_t>(&row.step, 1));
  time_.append(std::span<const double>(&row.time, 1));
  potential_.append(std::span<const double>(row.potential));
  accepted_.append(std::span<const std::int32_t>(row.accepted));
  walkers_.append(std::span<const std::int32_t>(row.walkers));
  file_.flush();
}

void ExchangeFile::sync() { file_.sync(); }

}  // namespace uplift
