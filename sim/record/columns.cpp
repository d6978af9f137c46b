#include "sim/record/columns.h"

#include <algorithm>

#include "sim/record/rows.h"

namespace skiff {
namespace {

using enum NumberType;

template <std::size_t N>
std::vector<std::string> words(const std::array<std::string_view, N>& list) {
  return {list.begin(), list.end()};
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

// What a metric is counted in: all known ones are pure numbers, but losses are nats.
std::string unit_of_metric(const std::string& name) {
  return name.find("loss") != std::string::npos ? "nat" : "1";
}

}  // namespace

std::vector<ColumnSpec> round_columns(const RunInfo& info) {
  std::vector<ColumnSpec> columns{
      {"round", kU4, "1", "version of the server's model"},
      {"virtual_time", kF8, "s", "virtual time when the round was closed"},
      {"bytes_down", kU8, "B", "downloaded by devices in this round"},
      {"bytes_up", kU8, "B", "uploaded by devices in this round"},
      {"bytes_wasted", kU8, "B", "of both, what served no accepted update"},
      {"energy", kF8, "J", "spent by devices in this round"},
      {"invited", kU4, "1", "attempts begun"},
      {"accepted", kU4, "1", "updates that entered the model"},
      {"late", kU4, "1", "attempts past the deadline"},
      {"refused", kU4, "1", "attempts that could not begin"},
      {"aborted", kU4, "1", "attempts that broke off"},
      {"staleness_mean", kF8, "1", "mean versions between download and use"},
      {"train_loss", kF8, "nat", "mean training loss of the accepted clients"}};
  for (const std::string& metric : info.metrics) {
    if (metric == "train_loss") continue;  // stands there already
    columns.push_back({metric, kF8, unit_of_metric(metric), spaced(metric)});
  }
  return columns;
}

std::vector<ColumnSpec> attempt_columns() {
  return {{"attempt", kU4, "1", "number of the attempt"},
          {"device", kU4, "1", "row of /devices"},
          {"round", kU4, "1", "round in which the device was selected"},
          {"base_version", kU4, "1", "version of the model that was downloaded"},
          {"staleness", kU4, "1", "versions between download and use"},
          {"outcome", kU1, "", "what became of the attempt", words(kOutcomeWords)},
          {"cause", kU1, "", "why it was not accepted", words(kCauseWords)},
          {"selected", kF8, "s", "virtual time of the selection"},
          {"download_end", kF8, "s", "virtual time of the end of the download"},
          {"train_end", kF8, "s", "virtual time of the end of the training"},
          {"upload_end", kF8, "s", "virtual time of the end of the upload"},
          {"flops", kF8, "1", "floating-point operations"},
          {"bytes_down", kU8, "B", "downloaded"},
          {"bytes_up", kU8, "B", "uploaded"},
          {"bytes_wasted", kU8, "B", "of both, what served no accepted update"},
          {"encoded_bytes", kU8, "B", "what the trained model's payload took"},
          {"peak_memory", kU8, "B", "largest memory need"},
          {"memory_limit", kU8, "B", "memory that the device grants"},
          {"energy_compute", kF8, "J", "spent on computing"},
          {"energy_radio", kF8, "J", "spent on the radio"},
          {"energy_flash", kF8, "J", "spent on flash storage"},
          {"energy_idle", kF8, "J", "spent on waiting awake"},
          {"battery_start", kF8, "1", "state of charge at selection"},
          {"battery_end", kF8, "1", "state of charge at the end"},
          {"bits", kF4, "1", "bits a weight"},
          {"sparsity", kF4, "1", "share of weights removed"},
          {"rank", kU2, "1", "rank of the adapters, 0 without"},
          {"batch", kU4, "1", "samples a step"},
          {"steps", kU4, "1", "local steps"},
          {"samples", kU4, "1", "samples that the device holds"},
          {"train_loss", kF8, "nat", "mean training loss"}};
}

std::vector<ColumnSpec> device_columns(const RunInfo& info) {
  std::vector<std::string> tiers{"none"};
  tiers.insert(tiers.end(), info.tiers.begin(), info.tiers.end());
  const NumberType class_type = info.device_classes.size() > 256 ? kU2 : kU1;
  return {{"device", kU4, "1", "number of the device"},
          {"class", class_type, "", "class in the catalogue", info.device_classes},
          {"tier", kU1, "", "memory tier", tiers},
          {"ram", kU8, "B", "built-in memory"},
          {"memory_limit", kU8, "B", "memory that the device grants"},
          {"flops", kF8, "s-1", "floating-point operations a second"},
          {"bandwidth_down", kF8, "B s-1", "nominal download rate"},
          {"bandwidth_up", kF8, "B s-1", "nominal upload rate"},
          {"battery", kF8, "J", "capacity of the battery"},
          {"samples", kU4, "1", "training samples held"},
          {"attempts", kU4, "1", "attempts begun"},
          {"accepted", kU4, "1", "attempts accepted"},
          {"bytes_down", kU8, "B", "downloaded in all"},
          {"bytes_up", kU8, "B", "uploaded in all"},
          {"energy", kF8, "J", "spent in all"},
          {"peak_memory", kU8, "B", "largest memory need of all attempts"}};
}

std::vector<ColumnSpec> tier_columns() {
  return {{"round", kU4, "1", "version of the server's model"},
          {"accuracy", kF8, "1", "of the model that the tier holds"},
          {"loss", kF8, "nat", "of the model that the tier holds"},
          {"model_bytes", kU8, "B", "size of the model that the tier holds"},
          {"bits", kF4, "1", "bits a weight"},
          {"sparsity", kF4, "1", "share of weights removed"},
          {"rank", kU2, "1", "rank of the adapters, 0 without"},
          {"accepted", kU4, "1", "updates that entered the model"},
          {"refused", kU4, "1", "attempts that could not begin"},
          {"peak_memory", kU8, "B", "largest memory need"},
          {"memory_limit", kU8, "B", "smallest memory granted in the tier"}};
}

std::vector<ColumnSpec> layer_columns() {
  return {{"round", kU4, "1", "version of the server's model"},
          {"error", kF8, "1", "relative squared error of the compressed layer"},
          {"bits", kF4, "1", "bits a weight"},
          {"sparsity", kF4, "1", "share of weights removed"},
          {"rank", kU2, "1", "rank of the adapters, 0 without"}};
}

std::vector<ColumnSpec> evaluation_columns(const RunInfo& info) {
  return {{"evaluation", kU4, "1", "number of the figure"},
          {"round", kU4, "1", "version of the server's model"},
          {"scope", kU1, "", "whose model", {"global", "tier", "client", "prefix"}},
          {"entity", kU4, "1", "the tier's number, the device, or the members of the prefix"},
          {"split", kU1, "", "which samples", {"test", "train", "held-out"}},
          {"metric", kU1, "", "what is measured", info.metrics},
          {"value", kF8, "1", "the figure"}};
}

}  // namespace skiff
