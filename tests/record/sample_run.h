// A small world of its own that fills a recorder: unequal devices, losses of every kind, a learning
// curve. No simulation: closed forms and a fixed random stream, the same rows every time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sim/record/recorder.h"

namespace skiff::sample {

struct Class {
  const char* name;
  int percent;
  double speed;  // training relative to the slowest
  double megabits_up, megabits_down;
  std::int64_t ram, limit;
};
inline const std::vector<Class> kClasses{
    {"iphone-15-pro", 15, 30, 40, 150, 8'000'000'000, 2'100'000'000},
    {"pixel-8-pro", 15, 22, 30, 120, 12'000'000'000, 3'200'000'000},
    {"budget-android", 50, 6, 8, 25, 4'000'000'000, 537'000'000},
    {"iot-sensor", 20, 1, 1.2, 4, 512'000'000, 54'000'000}};

inline RunInfo info(std::uint32_t devices = 200, std::uint32_t rounds = 60) {
  RunInfo run;
  run.name = "quickstart";
  run.seed = 7;
  run.model = "mlp";
  run.parameters = 199'210;
  run.protocol = "synchronous, 20 of 26";
  run.rounds = rounds;
  run.neutral_defaults = {"method fedavg", "weighting by-samples", "memory limit background"};
  run.metrics = {"test_accuracy", "test_loss"};
  run.tiers = {"high-end", "low-end"};
  run.layers = {"hidden.0", "hidden.1", "output"};
  std::uint32_t percent = 0;
  for (std::size_t c = 0; c < kClasses.size(); ++c) {
    run.device_classes.emplace_back(kClasses[c].name);
    percent += static_cast<std::uint32_t>(kClasses[c].percent);
    while (run.class_of_device.size() * 100 < devices * percent) {
      run.class_of_device.push_back(static_cast<std::uint16_t>(c));
    }
  }
  run.provenance = {.config_yaml = "seed: 7\nname: quickstart\n",
                    .overrides = {"server.rounds=60"},
                    .config_sha256 = "7be1d0" + std::string(58, '0'),
                    .skiff_version = "0.1.0",
                    .git_commit = "0123abcd",
                    .compiler = "g++ 12.2.0",
                    .cpu = "test",
                    .threads = 2,
                    .started_utc = "2026-03-01T12:00:00Z",
                    .library_versions = {{"hdf5", "1.10.8"}, {"fmt", "9.1.0"}}};
  return run;
}

// Uniform in (0, 1), the same on every platform.
class Luck {
 public:
  double operator()() { return (static_cast<double>(engine_()) + 0.5) / 4294967296.0; }
  double spread(double sigma) {  // roughly lognormal, median 1
    const double sum = (*this)() + (*this)() + (*this)() + (*this)();
    return std::exp(sigma * (sum - 2) * 1.7);
  }

 private:
  std::mt19937 engine_{12345};
};

inline AttemptRow attempt(Luck& luck, std::uint32_t device, const Class& c, std::uint32_t round,
                          VirtualTime start, Seconds deadline) {
  AttemptRow row;
  row.device = device;
  row.round = round;
  row.base_version = round - 1;
  row.selected = start;
  row.flops = Flops(7.2e9);
  row.bytes_down = Bytes(116'600);
  row.bytes_up = row.encoded_bytes = Bytes(95'500);
  row.peak_memory = Bytes(c.limit < 100'000'000 ? 23'000'000 : 63'000'000);
  row.memory_limit = Bytes(c.limit);
  row.bits = 4;
  row.batch = 20;
  row.steps = 5;
  row.samples = 100;
  row.battery_start = 0.3 + 0.7 * luck();
  const double down = 0.1 + as_double(row.bytes_down) * 8e-6 / c.megabits_down * luck.spread(0.8);
  const double train = 90 / c.speed * luck.spread(0.3);
  const double up = 0.1 + as_double(row.bytes_up) * 8e-6 / c.megabits_up * luck.spread(1.0) * 40;
  row.energy = {Joules(0.35 * train), Joules(0.9 * down + 1.2 * up), Joules(0.05), Joules(0.1)};
  row.battery_end = row.battery_start - row.energy.total().value() / 50e3;
  row.train_loss = 2.3 * std::exp(round / -18.0) + 0.2 * luck();
  row.download_end = after(start, Seconds(down));
  row.train_end = after(start, Seconds(down + train));
  row.upload_end = after(start, Seconds(down + train + up));
  const double chance = luck();
  if (chance < 0.02) {
    row.outcome = Outcome::kAborted;
    row.cause = chance < 0.012 ? Cause::kInterrupted : Cause::kNetwork;
    row.upload_end = kNever;
    row.bytes_up = row.encoded_bytes = Bytes(0);
  } else if (c.limit < 100'000'000 && chance < 0.15) {
    row.outcome = Outcome::kRefused;
    row.cause = Cause::kRam;
    row.download_end = row.train_end = row.upload_end = kNever;
    row.flops = Flops(0);
    row.bytes_down = row.bytes_up = row.encoded_bytes = Bytes(0);
    row.energy = {};
    row.battery_end = row.battery_start;
    row.train_loss = kNotMeasured;
    row.peak_memory = Bytes(90'000'000);
  } else if (down + train + up > deadline.value()) {
    row.outcome = Outcome::kLate;
    row.cause = Cause::kDeadline;
  }
  return row;
}

// One round: its attempts, its row, the tiers. Gives the time at which it ends.
inline VirtualTime round(Recorder& recorder, Luck& luck, std::uint32_t number, VirtualTime start) {
  const RunInfo& run = recorder.info();
  const Seconds deadline(240);
  RoundRow row;
  row.round = number;
  row.staleness_mean = 0;
  row.invited = 26;
  row.virtual_time = start;
  for (int i = 0; i < 26; ++i) {
    const auto device =
        static_cast<std::uint32_t>(luck() * static_cast<double>(run.class_of_device.size()));
    AttemptRow a =
        attempt(luck, device, kClasses[run.class_of_device[device]], number, start, deadline);
    if (a.outcome == Outcome::kAccepted && row.accepted == 20) {
      a.outcome = Outcome::kLate;
      a.cause = Cause::kDeadline;
    }
    if (a.outcome != Outcome::kAccepted) a.bytes_wasted = a.bytes_down + a.bytes_up;
    recorder.add(a);
    std::uint32_t* counts[] = {&row.accepted, &row.late, &row.refused, &row.aborted};
    ++*counts[static_cast<std::size_t>(a.outcome)];
    row.bytes_down += a.bytes_down;
    row.bytes_up += a.bytes_up;
    row.bytes_wasted += a.bytes_wasted;
    row.energy += a.energy.total();
    if (a.outcome == Outcome::kAccepted)
      row.virtual_time = std::max(row.virtual_time, a.upload_end);
  }
  row.train_loss = 2.3 * std::exp(number / -18.0) + 0.1;
  row.metrics = {{"test_loss", 2.2 * std::exp(number / -16.0) + 0.25 + 0.02 * luck()},
                 {"test_accuracy", 0.93 - 0.83 * std::exp(number / -12.0) - 0.015 * luck()}};
  row.wall_time = Seconds(0.6 * number);
  for (std::uint32_t t = 0; t < 2; ++t) {
    recorder.add(TierRow{.round = number,
                         .tier = t,
                         .accuracy = row.metrics[1].second - 0.01 * t,
                         .loss = row.metrics[0].second,
                         .model_bytes = Bytes(100'000 - 20'000 * t),
                         .accepted = row.accepted / 2});
  }
  recorder.add(row);
  return row.virtual_time;
}

inline void devices(Recorder& recorder) {
  for (const std::uint16_t c : recorder.info().class_of_device) {
    recorder.add(DeviceRow{.device_class = c,
                           .tier = c < 2 ? 0 : 1,
                           .ram = Bytes(kClasses[c].ram),
                           .memory_limit = Bytes(kClasses[c].limit),
                           .flops = FlopsPerSecond(4e9 * kClasses[c].speed),
                           .bandwidth_down = megabits_per_second(kClasses[c].megabits_down),
                           .bandwidth_up = megabits_per_second(kClasses[c].megabits_up),
                           .battery = Joules(50e3),
                           .samples = 100});
  }
}

// A whole run but for its end.
inline void fill(Recorder& recorder) {
  Luck luck;
  VirtualTime now{};
  for (std::uint32_t r = 1; r <= recorder.info().rounds; ++r) {
    now = round(recorder, luck, r, after(now, Seconds(2)));
  }
  devices(recorder);
  recorder.add(MemoryRow{"high-end", Bytes(800'000), Bytes(800'000), Bytes(0), Bytes(100'000),
                         Bytes(0), Bytes(50'000), Bytes(20'000'000)});
  recorder.add(MemoryRow{"low-end", Bytes(400'000), Bytes(400'000), Bytes(0), Bytes(90'000),
                         Bytes(0), Bytes(50'000), Bytes(20'000'000)});
  recorder.add(EvaluationRow{.round = recorder.info().rounds,
                             .scope = EvaluationRow::Scope::kTier,
                             .entity = 1,
                             .split = EvaluationRow::Split::kTest,
                             .metric = "test_accuracy",
                             .value = 0.9});
  const std::vector<float> values(1000, 0.5f);
  const std::vector<ModelSlice> slices{{"hidden.0.weight", 40, 20, 0},
                                       {"output.weight", 10, 20, 800}};
  recorder.set_final_model(slices, values);
}

}  // namespace skiff::sample
