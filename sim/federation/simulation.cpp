#include "sim/federation/simulation.h"

#include <algorithm>
#include <optional>

#include "sim/federation/synchronous.h"

namespace skiff {
namespace {

void record_memory(const FederationSetup& setup, const Server& server, Recorder& recorder) {
  const Assigner assigner(setup);
  for (const Plan& plan : setup.charged().plans) {
    const PeakMemory m = assigner.largest_cost(plan, server).memory;
    recorder.add(MemoryRow{.plan = plan.name,
                           .weights = m.weights,
                           .gradients = m.gradients,
                           .optimizer_state = m.optimizer_state,
                           .activations = m.activations,
                           .adapters = m.adapters,
                           .scratch = m.scratch});
  }
}

void record_devices(const FederationSetup& setup, const DeviceBook& book, Recorder& recorder) {
  const Assigner assigner(setup);
  for (std::uint32_t i = 0; i < book.fleet().size(); ++i) {
    const Device device = book.fleet()[i];
    DeviceRow row;
    row.device_class = book.fleet().class_of(i);
    row.tier = setup.devices.tiers.empty() ? -1 : assigner.tier_of(*device.profile);
    row.ram = device.profile->memory.ram.value;
    row.memory_limit = setup.devices.memory_limits[row.device_class];
    row.flops = device.cpu_factor * device.profile->cpu.fp32.value().value;
    row.bandwidth_down = bytes_per_second(device.access.download_bps);
    row.bandwidth_up = bytes_per_second(device.access.upload_bps);
    row.battery = device.battery.value_or(Joules(0));
    row.samples = static_cast<std::uint32_t>(setup.data->samples_of(static_cast<int>(i)));
    if (const DeviceRecord* r = book.find(i)) {
      row.attempts = r->attempts;
      row.accepted = r->accepted;
      row.bytes_down = r->bytes_down;
      row.bytes_up = r->bytes_up;
      row.energy = r->energy;
      row.peak_memory = r->peak_memory;
    }
    recorder.add(row);
  }
}

void record_model(const FederationSetup& setup, const Server& server, Recorder& recorder) {
  const Predictor model = setup.method->predictors(setup.composition, server)[0];
  const bool several = model.members.size() > 1;
  std::vector<ModelSlice> slices;
  std::vector<float> values;
  for (std::size_t m = 0; m < model.members.size(); ++m) {
    const Vector& weights = *model.members[m];
    const std::string prefix = several ? "member." + std::to_string(m) + "." : "";
    for (const Slice& s : weights.layout->slices) {
      slices.push_back({prefix + s.name, static_cast<std::uint32_t>(s.rows),
                        static_cast<std::uint32_t>(s.cols), values.size() + s.offset,
                        s.order == Order::kInOut});
    }
    values.insert(values.end(), weights.values.begin(), weights.values.end());
  }
  recorder.set_final_model(slices, values);
}

double worst_imbalance(const DeviceBook& book) {
  double worst = 0;
  for (const DeviceRecord& r : book.touched()) worst = std::max(worst, r.battery.imbalance());
  return worst;
}

}  // namespace

SimulationResult simulate(const FederationSetup& setup, Recorder& recorder,
                          const SimulationHooks& hooks) {
  Engine engine;
  // A round may start every device at one nanosecond.
  engine.set_livelock_limit(1'000'000 + 8 * static_cast<std::uint64_t>(setup.composition.clients));
  std::optional<Learner> learner;
  std::optional<Evaluator> evaluator;
  if (!setup.timing_only) {
    learner.emplace(setup);
    evaluator.emplace(setup);
    record_memory(setup, learner->server(), recorder);
  }
  SynchronousServer server(engine, setup, learner ? &*learner : nullptr,
                           evaluator ? &*evaluator : nullptr, recorder, hooks.on_round);
  bool interrupted = false;
  server.start();
  engine.run(kNever, [&] {
    interrupted = hooks.interrupted != nullptr && hooks.interrupted->load();
    return interrupted;
  });
  record_devices(setup, server.book(), recorder);
  if (learner && setup.keep_final_model) record_model(setup, learner->server(), recorder);
  SimulationResult result;
  result.status = interrupted ? RunStatus::kInterrupted : RunStatus::kOk;
  result.fingerprint = engine.fingerprint().text();
  result.events = engine.events_processed();
  result.rounds = server.rounds_done();
  result.worst_imbalance = worst_imbalance(server.book());
  recorder.finish({result.status, result.fingerprint});
  return result;
}

}  // namespace skiff
