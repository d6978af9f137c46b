#include "sim/live/live_events.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace skiff {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json classes(const RunInfo& info, const Tally& tally) {
  Json list = Json::array();
  for (std::size_t c = 0; c < tally.classes().size(); ++c) {
    const Tally::OfClass& t = tally.classes()[c];
    if (t.devices == 0 && t.attempts == Tally::Counts{}) continue;
    Json one{{"class", info.device_classes[c]}};
    for (std::size_t o = 0; o < kOutcomeWords.size(); ++o) {
      one[std::string(kOutcomeWords[o])] = t.attempts[o];
    }
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace

std::string live_start(const RunInfo& info) {
  Json metrics = info.metrics;
  if (metrics.empty()) metrics.push_back("train_loss");
  return Json{{"name", info.name},
              {"case", info.case_name},
              {"seed", info.seed},
              {"model", info.model},
              {"parameters", info.parameters},
              {"devices", info.class_of_device.size()},
              {"protocol", info.protocol},
              {"rounds", info.rounds},
              {"heuristics", info.heuristics},
              {"metrics", metrics}}
      .dump();
}

std::string live_round(const RunInfo& info, const Tally& tally, const RoundRow& row) {
  Json metrics{{"train_loss", number(row.train_loss)}};
  for (const auto& [name, value] : row.metrics) metrics[name] = number(value);
  const EnergyParts& energy = tally.energy();
  return Json{{"round", row.round},
              {"virtual_time", to_seconds(row.virtual_time).value()},
              {"wall_time", row.wall_time.value()},
              {"bytes_down", tally.bytes_down().value()},
              {"bytes_up", tally.bytes_up().value()},
              {"energy", (energy.compute + energy.radio + energy.flash + energy.idle).value()},
              {"accepted", row.accepted},
              {"late", row.late},
              {"refused", row.refused},
              {"aborted", row.aborted},
              {"metrics", metrics},
              {"classes", classes(info, tally)}}
      .dump();
}

std::string live_end(RunStatus status, const std::string& fingerprint) {
  return Json{{"status", word(status)}, {"fingerprint", fingerprint}}.dump();
}

}  // namespace skiff
