#include "sim/record/result_tables.h"

#include <algorithm>

#include "sim/core/error.h"
#include "sim/record/columns.h"
#include "sim/record/join.h"

namespace skiff {
namespace {

// A call into HDF5 costs microseconds whatever its size; the longest table goes in larger pieces.
constexpr std::size_t kAttemptChunk = 16384;

// Fills the columns of one row from the left.
class Line {
 public:
  explicit Line(Table& table) : table_(table), place_(table.open()) {}
  Line(Table& table, std::size_t place, std::size_t first_column)
      : table_(table), place_(place), column_(first_column) {}

  template <class T>
  Line& operator<<(T value) {
    table_.set(column_++, place_, value);
    return *this;
  }
  Line& operator<<(Bytes bytes) { return *this << static_cast<std::uint64_t>(bytes.value()); }
  Line& operator<<(VirtualTime time) {
    return *this << (time == kNever ? kNotMeasured : to_seconds(time).value());
  }
  template <class Dimension>
  Line& operator<<(Quantity<Dimension> quantity) {
    return *this << quantity.value();
  }

 private:
  Table& table_;
  std::size_t place_;
  std::size_t column_ = 0;
};

std::uint32_t next_number(const Table& table) { return static_cast<std::uint32_t>(table.rows()); }

// A row of (round, label): opens the round's line with its first label.
Line line_of(Table& table, std::uint32_t round, std::uint32_t label, std::int64_t& last_round,
             std::size_t& place) {
  SKIFF_CHECK(label < table.labels().size(), "a row of " + table.group() + " beyond its names");
  if (round != last_round) {
    SKIFF_CHECK(round > last_round, "rounds of " + table.group() + " out of order");
    place = table.open();
    table.set(0, place, round);
    last_round = round;
  }
  return Line(table, table.cell(place, label), 1);
}

template <class T>
std::string digest(const std::vector<T>& values) {
  Sha256 sha;
  sha.update(std::as_bytes(std::span(values)));
  return sha.hex();
}

}  // namespace

ResultTables::ResultTables(const RunInfo& info, ChunkSink* sink)
    : keeps_attempts_(info.keep_attempts),
      metrics_(info.metrics),
      rounds_("/rounds", round_columns(info), sink),
      attempts_("/attempts", attempt_columns(), sink, {}, {}, kAttemptChunk),
      devices_("/devices", device_columns(info), sink),
      tiers_("/tiers", tier_columns(), sink, "tier", info.tiers),
      layers_("/layers", layer_columns(), sink, "layer", info.layers),
      evaluations_("/evaluations", evaluation_columns(info), sink) {
  SKIFF_CHECK(info.metrics.size() <= 256 && info.tiers.size() < 256, "too many names");
}

void ResultTables::add(const AttemptRow& r) {
  const std::uint32_t number = next_number(attempts_);
  Line(attempts_) << number << r.device << r.round << r.base_version << r.staleness
                  << static_cast<std::uint8_t>(r.outcome) << static_cast<std::uint8_t>(r.cause)
                  << r.selected << r.download_end << r.train_end << r.upload_end << r.flops
                  << r.bytes_down << r.bytes_up << r.bytes_wasted << r.encoded_bytes
                  << r.peak_memory << r.memory_limit << r.energy.compute << r.energy.radio
                  << r.energy.flash << r.energy.idle << r.battery_start << r.battery_end << r.bits
                  << r.sparsity << r.rank << r.batch << r.steps << r.samples << r.train_loss;
}

std::size_t ResultTables::metric(const std::string& name) const {
  const auto found = std::find(metrics_.begin(), metrics_.end(), name);
  SKIFF_CHECK(found != metrics_.end(), "metric " + name + " was not announced");
  return static_cast<std::size_t>(found - metrics_.begin());
}

void ResultTables::add(const RoundRow& r) {
  Line line(rounds_);
  line << r.round << r.virtual_time << r.bytes_down << r.bytes_up << r.bytes_wasted << r.energy
       << r.invited << r.accepted << r.late << r.refused << r.aborted << r.staleness_mean
       << r.train_loss;
  for (const auto& [name, value] : r.metrics) metric(name);
  for (const std::string& name : metrics_) {
    if (name == "train_loss") continue;
    const auto found = std::find_if(r.metrics.begin(), r.metrics.end(),
                                    [&](const auto& m) { return m.first == name; });
    line << (found == r.metrics.end() ? kNotMeasured : found->second);
  }
  wall_times_.push_back({r.round, r.wall_time});
}

void ResultTables::add(const TierRow& r) {
  line_of(tiers_, r.round, r.tier, tier_round_, tier_line_)
      << r.accuracy << r.loss << r.model_bytes << r.bits << r.sparsity << r.rank << r.accepted
      << r.refused << r.peak_memory << r.memory_limit;
}

void ResultTables::add(const LayerRow& r) {
  line_of(layers_, r.round, r.layer, layer_round_, layer_line_)
      << r.error << r.bits << r.sparsity << r.rank;
}

void ResultTables::add(const DeviceRow& r) {
  const std::uint32_t number = next_number(devices_);
  Line line(devices_);
  line << number;
  if (devices_.columns()[1].type == NumberType::kU1) {
    line << static_cast<std::uint8_t>(r.device_class);
  } else {
    line << static_cast<std::uint16_t>(r.device_class);
  }
  line << static_cast<std::uint8_t>(r.tier + 1) << r.ram << r.memory_limit << r.flops
       << r.bandwidth_down << r.bandwidth_up << r.battery << r.samples << r.attempts << r.accepted
       << r.bytes_down << r.bytes_up << r.energy << r.peak_memory;
}

void ResultTables::add(const EvaluationRow& r) {
  const std::uint32_t number = next_number(evaluations_);
  Line(evaluations_) << number << r.round << static_cast<std::uint8_t>(r.scope) << r.entity
                     << static_cast<std::uint8_t>(r.split)
                     << static_cast<std::uint8_t>(metric(r.metric)) << r.value;
}

void ResultTables::set_model(std::span<const ModelSlice> slices, std::span<const float> values) {
  std::vector<std::uint32_t> rows, cols;
  std::vector<std::uint64_t> offsets;
  std::vector<std::string> names;
  for (const ModelSlice& s : slices) {
    names.push_back(s.name);
    rows.push_back(s.rows);
    cols.push_back(s.cols);
    offsets.push_back(s.offset);
  }
  Sha256 sha;
  sha.update(std::as_bytes(values));
  model_lines_ = {"/model/values " + sha.hex(), "/model/slice " + sha256_hex(join(names, "\n")),
                  "/model/rows " + digest(rows), "/model/cols " + digest(cols),
                  "/model/offset " + digest(offsets)};
}

std::vector<Table*> ResultTables::tables() {
  std::vector<Table*> list{&rounds_, &devices_};
  if (keeps_attempts_) list.push_back(&attempts_);
  for (Table* table : {&tiers_, &layers_, &evaluations_}) {
    if (table->rows() > 0) list.push_back(table);
  }
  return list;
}

std::vector<const Table*> ResultTables::tables() const {
  const auto list = const_cast<ResultTables*>(this)->tables();
  return {list.begin(), list.end()};
}

void ResultTables::close() {
  for (Table* t : {&rounds_, &attempts_, &devices_, &tiers_, &layers_, &evaluations_}) t->close();
}

std::string ResultTables::results_sha256() const {
  std::vector<std::string> lines = model_lines_;
  for (const Table* table : tables()) {
    for (std::string& line : table->digests()) lines.push_back(std::move(line));
  }
  if (!memory_.empty()) {
    std::vector<std::uint64_t> bytes;
    std::vector<std::string> plans;
    for (const MemoryRow& row : memory_) {
      plans.push_back(row.plan);
      for (const Bytes b : parts_of(row)) bytes.push_back(static_cast<std::uint64_t>(b.value()));
    }
    lines.push_back("/memory/bytes " + digest(bytes));
    lines.push_back("/memory/plan " + sha256_hex(join(plans, "\n")));
    lines.push_back("/memory/part " + sha256_hex(join(kMemoryParts, "\n")));
  }
  std::sort(lines.begin(), lines.end());
  Sha256 sha;
  for (std::string& line : lines) sha.update(line += '\n');
  return sha.hex();
}

std::array<Bytes, kMemoryParts.size()> parts_of(const MemoryRow& r) {
  return {r.weights,  r.gradients, r.optimizer_state, r.activations,
          r.adapters, r.scratch,   r.runtime};
}

}  // namespace skiff
