// What a run records: one plain struct a row of each table of run.h5.
//
// Times are virtual, from zero; kNever becomes NaN in the file. A double that was not measured is
// NaN. Losses of clients are named by outcome and cause, never dropped.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/core/time.h"
#include "sim/core/units.h"

namespace skiff {

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

enum class Outcome : std::uint8_t { kAccepted, kLate, kRefused, kAborted };
inline constexpr std::array<std::string_view, 4> kOutcomeWords{"accepted", "late", "refused",
                                                               "aborted"};

// Why an attempt was not accepted; kNone for accepted ones.
enum class Cause : std::uint8_t {
  kNone,
  kRam,          // does not fit
  kStorage,      // no room in flash
  kTier,         // below the last tier
  kBattery,      // too little charge, or it ran out
  kUnavailable,  // went offline
  kNetwork,      // the link was lost
  kCrash,
  kInterrupted,  // the user took the device back
  kDeadline,     // too late, or the round was closed
  kNotFinite,    // the training blew up
};
inline constexpr std::array<std::string_view, 11> kCauseWords{
    "none",    "ram",   "storage",     "tier",     "battery",   "unavailable",
    "network", "crash", "interrupted", "deadline", "not-finite"};

// What a device's energy went into.
struct EnergyParts {
  Joules compute, radio, flash, idle;
  constexpr Joules total() const { return compute + radio + flash + idle; }
};

// One try of one device: one row of /attempts. The hot row: no allocation.
struct AttemptRow {
  std::uint32_t device = 0;
  std::uint32_t round = 0;         // in which it was selected
  std::uint32_t base_version = 0;  // of the model that it downloaded
  std::uint32_t staleness = 0;     // versions passed since, when the server took it
  Outcome outcome = Outcome::kAccepted;
  Cause cause = Cause::kNone;
  VirtualTime selected = kNever, download_end = kNever, train_end = kNever, upload_end = kNever;
  Flops flops;
  Bytes bytes_down, bytes_up;  // that really crossed the link, also of a transfer cut short
  Bytes bytes_wasted;          // of both, what served nothing: all of an attempt not accepted
  Bytes encoded_bytes;  // what the trained model's payload took; = bytes_up without deploy_as
  Bytes peak_memory, memory_limit;
  EnergyParts energy;
  double battery_start = kNotMeasured, battery_end = kNotMeasured;  // state of charge, 0..1
  float bits = 32, sparsity = 0;
  std::uint16_t rank = 0;
  std::uint32_t batch = 0, steps = 0, samples = 0;
  double train_loss = kNotMeasured;
};

// One version of the server's model. Totals are those of this round, not cumulative.
struct RoundRow {
  std::uint32_t round = 0;   // 1..R; 0 is the state before training, if it was evaluated
  VirtualTime virtual_time;  // when the round was closed
  Bytes bytes_down, bytes_up, bytes_wasted;
  Joules energy;
  std::uint32_t invited = 0, accepted = 0, late = 0, refused = 0, aborted = 0;
  double staleness_mean = kNotMeasured;
  double train_loss = kNotMeasured;
  // Those of RunInfo::metrics that were measured this round; the others are NaN.
  std::vector<std::pair<std::string, double>> metrics;
  Seconds wall_time;  // host time since the run began: goes to /provenance, out of the results
};

// One tier in one round.
struct TierRow {
  std::uint32_t round = 0;
  std::uint32_t tier = 0;  // index in RunInfo::tiers
  double accuracy = kNotMeasured, loss = kNotMeasured;
  Bytes model_bytes;
  float bits = 32, sparsity = 0;
  std::uint16_t rank = 0;
  std::uint32_t accepted = 0, refused = 0;
  Bytes peak_memory, memory_limit;
};

// One device, described once at the end of the run, in order of its index.
struct DeviceRow {
  std::uint32_t device_class = 0;  // index in RunInfo::device_classes
  std::int32_t tier = -1;          // index in RunInfo::tiers; -1: none
  Bytes ram, memory_limit;
  FlopsPerSecond flops;
  BytesPerSecond bandwidth_down, bandwidth_up;  // nominal
  Joules battery;                               // capacity
  std::uint32_t samples = 0, attempts = 0, accepted = 0;
  Bytes bytes_down, bytes_up;
  Joules energy;
  Bytes peak_memory;
};

// The memory of one plan by part, as predicted from shapes.
struct MemoryRow {
  std::string plan;
  Bytes weights, gradients, optimizer_state, activations, adapters, scratch, runtime;
};

// One compressed layer in one round (record.layers).
struct LayerRow {
  std::uint32_t round = 0;
  std::uint32_t layer = 0;      // index in RunInfo::layers
  double error = kNotMeasured;  // relative, |W - W'|^2 / |W|^2
  float bits = 32, sparsity = 0;
  std::uint16_t rank = 0;
};

// One figure of an evaluation; scopes beyond the global model are kept here alone.
struct EvaluationRow {
  enum class Scope : std::uint8_t { kGlobal, kTier, kClient, kPrefix };
  enum class Split : std::uint8_t { kTest, kTrain, kHeldOut };
  std::uint32_t round = 0;
  Scope scope = Scope::kGlobal;
  std::uint32_t entity = 0;  // the tier's index, the device, or the number of members
  Split split = Split::kTest;
  std::string metric;  // one of RunInfo::metrics
  double value = kNotMeasured;
};

}  // namespace skiff
