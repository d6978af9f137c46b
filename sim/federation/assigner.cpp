#include "sim/federation/assigner.h"

#include <algorithm>

#include "algorithms/method_steps.h"
#include "devices/radio.h"

namespace skiff {
namespace {

Cause cause_of(const std::string& part) {
  if (part == "storage") return Cause::kStorage;
  if (part == "time") return Cause::kDeadline;
  if (part == "energy") return Cause::kBattery;
  return part == "tier" ? Cause::kTier : Cause::kRam;
}

MemoryUse in_ram(const PeakMemory& m, Bytes runtime) {
  return {.weights = m.weights,
          .gradients = m.gradients,
          .optimizer_state = m.optimizer_state,
          .activations = m.activations,
          .adapters = m.adapters,
          .scratch = m.scratch,
          .runtime = runtime};
}

// The phases of a job: the received weights are loaded; training needs everything; encoding needs
// the weights, the update (where the gradient was) and the encoded bytes.
MemoryDemand demand_of(const Cost& cost, Bytes runtime) {
  MemoryDemand demand;
  const PeakMemory& m = cost.memory;
  demand[JobPhase::kLoad] = in_ram({.weights = m.weights, .adapters = m.adapters}, runtime);
  demand[JobPhase::kTrain] = in_ram(m, runtime);
  demand[JobPhase::kEncode] = in_ram(cost.encoding(), runtime);
  return demand;
}

// What a device that holds the base of key `held` (-1: none) must receive of it: the increments
// that it missed, each as large as that space's own (a coin may have picked another factor), or the
// whole if that is less.
Bytes missing_base(const Composition& c, const Server& server, const Section& base,
                   std::int64_t held) {
  if (!base.increment || held < base.first || held >= base.key) return base.missing(held);
  const Plan& widest = c.global();
  const bool has = widest.model < server.models.size();  // not where time alone is simulated
  const ChosenRanks ranks = has ? server.models[widest.model].ranks : ChosenRanks();
  Bytes sum;
  for (std::int64_t space = held; space < base.key && sum < base.bytes; ++space) {
    const std::int64_t version = space * widest.parametrization->space_lasts();
    sum += *c.adaptation(widest, version, ranks).increment(widest.prepared);
  }
  return std::min(base.bytes, sum);
}

}  // namespace

int Assigner::tier_of(const DeviceProfile& profile) const {
  const auto& tiers = setup_.devices.tiers;
  if (tiers.empty()) return 0;
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    if (profile.memory.ram.value >= tiers[i].second) return static_cast<int>(i);
  }
  return -1;
}

const Exchange& Assigner::exchange_of(std::size_t plan, const Server& server,
                                      std::uint32_t device) {
  if (cache_.empty()) cache_.resize(setup_.charged().plans.size());
  Cached& cached = cache_[plan];
  if (cached.version != server.version || setup_.method->broadcast_depends_on_client()) {
    const Plan& p = setup_.charged().plans[plan];
    cached.version = server.version;
    cached.exchange = setup_.method->exchange(setup_.charged(), server, p, p.prepared, device);
    if (setup_.server.delivers_only()) cached.exchange.up.clear();
    cached.flash = kept_on_flash(p, cached.exchange);
    cached.encoded_up = encoded_up(plan, server, device, cached.exchange);
  }
  return cached.exchange;
}

// What the trained model's upload takes; the charged one's bytes where they are the same model.
Bytes Assigner::encoded_up(std::size_t plan, const Server& server, std::uint32_t device,
                           const Exchange& charged) const {
  if (setup_.deployed == nullptr || charged.up.empty()) return charged.up_bytes();
  const Composition& trained = setup_.composition;
  const Plan& p = trained.plans[plan];
  return setup_.method->exchange(trained, server, p, p.prepared, device).up_bytes();
}

// A frozen base, and client state in its old and new version while an attempt is under way.
Bytes Assigner::kept_on_flash(const Plan& plan, const Exchange& exchange) const {
  if (setup_.server.delivers_only()) return plan.prepared.stored;
  const LayoutPtr layout = setup_.charged().wire_layout(plan);
  Bytes state = setup_.method->client_state_bytes(setup_.charged(), plan);
  const auto sections = static_cast<std::int64_t>(exchange.up.size());
  if (plan.up->keeps_state()) state += sections * plan.up->state_bytes(*layout);
  if (plan.optimizer->client_state() == ClientStatePolicy::kPersistent) {
    const Parametrization& adaptation = setup_.charged().adaptation(plan, 0, {});
    state += adaptation.kept_moments(plan.prepared, *plan.optimizer);
  }
  state += plan.parametrization->personal_bytes(plan.prepared);
  const bool frozen = !plan.parametrization->trains_base() || setup_.method->keeps_frozen_model();
  Bytes base = frozen ? plan.prepared.stored : Bytes(0);
  if (frozen && plan.compresses() && plan.parametrization->merges()) {
    const std::int64_t most =
        std::min(plan.parametrization->prepared_lasts(), setup_.composition.horizon) - 1;
    base += plan.parametrization->beside_base(plan.prepared, std::max<std::int64_t>(0, most));
  }
  return base + 2 * state;
}

Cost Assigner::cost_of(const Plan& plan, const Server& server, std::int64_t samples,
                       const Exchange& exchange, Bytes kept) const {
  const Composition& charged = setup_.charged();
  const Shape& shape = plan.prepared;
  if (setup_.server.delivers_only()) {
    Cost cost = prediction_cost(charged, plan, shape);
    cost.storage = kept;
    cost.down = exchange.down_bytes();
    return cost;
  }
  const std::int64_t steps = setup_.method->draws_steps()
                                 ? setup_.method->drawn_steps(setup_.composition, server.version)
                                 : plan.work.steps_of(samples);
  const std::optional<Cost> phase =
      setup_.method->phase_cost(charged, server, plan, samples, steps);
  Cost cost = phase ? *phase : client_cost(charged, plan, shape, samples, steps);
  cost.memory.optimizer_state += setup_.method->training_bytes(charged, plan);
  cost.storage = kept + (phase ? phase->storage : Bytes(0));
  cost.down = exchange.down_bytes();
  cost.up = exchange.up_bytes();
  return cost;
}

Cost Assigner::largest_cost(const Plan& plan, const Server& server) const {
  std::int64_t most = 0;
  for (int c = 0; c < setup_.data->clients(); ++c) {
    most = std::max(most, setup_.data->samples_of(c));
  }
  return cost_of(plan, most, server);
}

Cost Assigner::cost_of(const Plan& plan, std::int64_t samples, const Server& server) const {
  Exchange exchange = setup_.method->exchange(setup_.charged(), server, plan, plan.prepared, 0);
  if (setup_.server.delivers_only()) exchange.up.clear();
  return cost_of(plan, server, samples, exchange, kept_on_flash(plan, exchange));
}

namespace {

ComputeLoad load_of(const Cost& cost) {
  ComputeLoad load;
  load.at(Precision::kFp32) = cost.fp32;
  load.at(Precision::kFp16) = cost.fp16;
  load.at(Precision::kInt8) = cost.int8;
  load.dram = cost.dram;
  load.batch = cost.batch;
  load.launches = static_cast<double>(cost.steps);
  return load;
}

}  // namespace

PlanPrice Assigner::priced(const Cost& cost, const Device& device) const {
  PlanPrice price{cost, {}, {}};
  if (setup_.planner->choices() == nullptr) return price;
  const DeviceProfile& profile = *device.profile;
  const ComputeCost work = compute_cost(profile, load_of(cost), {.cpu_factor = device.cpu_factor});
  const FlashCost kept = flash_write_cost(profile, cost.down);
  const Transfer down = plan_transfer(device.access, Direction::kDownload, cost.down, false);
  const Transfer up = plan_transfer(device.access, Direction::kUpload, cost.up, true);
  const Seconds on_air = down.alone() + up.alone();
  price.time = on_air + kept.time + work.time;
  price.energy = radio_cost(device.link->radio, up.wire, down.wire, on_air).total() +
                 kept.energy() + work.energy();
  return price;
}

DeviceLimits Assigner::limits_of(std::uint32_t device) const {
  const DeviceProfile& profile = setup_.devices.fleet->profile(device);
  return {.device_class = profile.name,
          .tier = tier_of(profile),
          .memory = limit_of(device) - profile.memory.runtime.value,
          .storage = profile.flash.budget.value};
}

void Assigner::set_costs(Assignment& task, const Cost& cost, const DeviceRecord& device) const {
  const DeviceProfile& profile = *device.device.profile;
  task.batch = cost.batch;
  task.steps = setup_.server.delivers_only() ? 0 : cost.steps;
  task.flops = cost.fp32 + cost.fp16 + cost.int8;
  task.work = compute_cost(profile, load_of(cost), {.cpu_factor = device.device.cpu_factor});
  task.memory = demand_of(cost, profile.memory.runtime.value);
  task.up = cost.up;
}

// Given compute times draw what the chassis sheds for ever: nothing else is known of the work.
void Assigner::set_given_loads(Assignment& task, const DeviceRecord& device) const {
  const auto stream = [&](const char* purpose) {
    return Stream(setup_.seed, purpose, task.device, task.round);
  };
  const GivenLoads& loads = setup_.loads;
  if (loads.compute_time) {
    Stream s = stream("load.compute_time");
    const PowerProfile& power = device.device.profile->power;
    task.work = {};
    task.work.time = loads.compute_time->sample(s, task.device);
    task.work.idle = power.idle.value * task.work.time;
    task.work.compute =
        std::max(power.sustained.value - power.idle.value, Watts(0)) * task.work.time;
  }
  if (loads.download) {
    Stream s = stream("load.download");
    task.down = loads.download->sample(s, task.device);
    task.received_model = task.received_base = -1;
  }
  if (loads.upload && !setup_.server.delivers_only()) {
    Stream s = stream("load.upload");
    task.up = loads.upload->sample(s, task.device);
    task.encoded_up = task.up;
  }
}

Verdict Assigner::assign(DeviceRecord& device, std::uint32_t index, std::uint32_t round,
                         const Server& server) {
  Verdict verdict;
  Assignment& task = verdict.task;
  task.device = index;
  task.round = round;
  task.base_version = server.version;
  task.samples = setup_.data->samples_of(static_cast<int>(index));
  task.memory_limit = limit_of(index);
  if (setup_.has_model()) {
    costs_.clear();
    for (std::size_t p = 0; p < setup_.charged().plans.size(); ++p) {
      const Exchange& exchange = exchange_of(p, server, index);
      costs_.push_back(priced(
          cost_of(setup_.charged().plans[p], server, task.samples, exchange, cache_[p].flash),
          device.device));
    }
    const Choice choice = setup_.planner->plan(limits_of(index), costs_);
    task.plan = static_cast<std::uint32_t>(choice.considered);
    set_costs(task, costs_[task.plan], device);
    task.encoded_up = cache_[task.plan].encoded_up;
    if (!choice.plan) {
      verdict.cause = cause_of(choice.part);
      verdict.missing = choice.missing;
      return verdict;
    }
    for (const Section& s : cache_[task.plan].exchange.down) {
      const bool base = s.name == kBaseSection, model = s.name == kModelSection;
      const std::int64_t holds = base ? device.held_base : model ? device.held_model : -1;
      task.down += base ? missing_base(setup_.charged(), server, s, holds) : s.missing(holds);
      if (base) task.received_base = s.key;
      if (model) task.received_model = s.key;
    }
  }
  set_given_loads(task, device);
  task.load = flash_write_cost(*device.device.profile, task.down);
  return verdict;
}

}  // namespace skiff
