#include "algorithms/plan.h"

#include <algorithm>

#include "sim/core/error.h"

namespace skiff {

int LocalWork::batch_of(std::int64_t samples) const {
  const std::int64_t most = std::max<std::int64_t>(samples, 1);
  return static_cast<int>(batch ? std::min<std::int64_t>(*batch, most) : most);
}

std::int64_t LocalWork::steps_of(std::int64_t samples) const {
  if (steps) return *steps;
  if (samples == 0) return 0;
  const std::int64_t per_epoch = (samples + batch_of(samples) - 1) / batch_of(samples);
  return epochs.value_or(1) * per_epoch;
}

When Plan::when_of(std::size_t compressor) const {
  if (compressor < when.size()) return when[compressor];
  return compressors[compressor]->removes_weights() ? When::kStart : When::kDispatch;
}

bool Plan::compresses_on_device() const {
  for (std::size_t i = 0; i < compressors.size(); ++i) {
    if (when_of(i) == When::kClient) return true;
  }
  return false;
}

namespace {

// What the device's own compressors take, on top of what it trains with: their operations, and the
// RAM that their greatest moment needs beyond the training's.
void add_own_compressing(const Plan& plan, Cost& cost) {
  if (!plan.compresses_on_device()) return;
  Shape shape = plan.sent();
  for (std::size_t i = 0; i < plan.compressors.size(); ++i) {
    if (plan.when_of(i) != When::kClient) continue;
    const Cost own = plan.compressors[i]->cost(shape);
    cost.fp32 += own.fp32;
    cost.dram += own.dram;
    const Bytes training = cost.memory.total(), compressing = own.memory.total();
    if (compressing > training) cost.memory.scratch += compressing - training;
    shape = plan.compressors[i]->shape(shape);
  }
}

}  // namespace

void Composition::prepare_dense() {
  for (Plan& plan : plans) plan.prepared = dense_shape(architecture(plan).layout());
}

const Parametrization& Composition::adaptation(const Plan& plan, const Server& server) const {
  // Where time alone is simulated, the server has no models.
  const bool has = plan.model < server.models.size();
  return adaptation(plan, server.version, has ? server.models[plan.model].ranks : ChosenRanks());
}

const Parametrization& Composition::adaptation(const Plan& plan, std::int64_t version,
                                               const ChosenRanks& ranks) const {
  const std::int64_t at = space(plan, version);
  return plan.parametrization->in_space(seed, at, ranks.at(at));
}

std::uint64_t Composition::space_seed(const Plan& plan, std::int64_t version) const {
  return Stream(seed, "adaptation.space", plan.model,
                static_cast<std::uint64_t>(space(plan, version)))
      .bits64();
}

Stream Composition::space_stream(const Plan& plan, std::int64_t version) const {
  return Stream(space_seed(plan, version), "adaptation");
}

std::int64_t Composition::base_version(const Plan& plan, std::int64_t version) const {
  return plan.parametrization->merges() ? space(plan, version) : 0;
}

std::int64_t Composition::prepared_at(const Plan& plan, std::int64_t version) const {
  const std::int64_t base = base_version(plan, version);
  return base - base % plan.parametrization->prepared_lasts();
}

LayoutPtr Composition::update_layout(const Plan& plan, const Server& server) const {
  SKIFF_CHECK(plan.prepared.layout != nullptr, "a plan that was not prepared");
  return adaptation(plan, server).update_layout(plan.prepared);
}

LayoutPtr Composition::update_layout(const Plan& plan) const {
  SKIFF_CHECK(plan.prepared.layout != nullptr, "a plan that was not prepared");
  return adaptation(plan, 0, {}).update_layout(plan.prepared);
}

namespace {

bool narrowed_by_masks(const Plan& plan) {
  return plan.parametrization->trains_base() && plan.prepared.masked();
}

LayoutPtr without_masked(const Plan& plan) {
  auto layout = std::make_shared<Layout>();
  for (std::size_t t = 0; t < plan.prepared.tensors.size(); ++t) {
    const Slice& s = plan.prepared.layout->slices[t];
    const TensorShape& stored = plan.prepared.tensors[t];
    if (stored.masked) {
      layout->add(s.name, static_cast<int>(stored.kept), 1);
    } else {
      layout->add(s.name, s.rows, s.cols, s.order);
    }
  }
  return layout;
}

}  // namespace

LayoutPtr Composition::wire_layout(const Plan& plan, const Server& server) const {
  return narrowed_by_masks(plan) ? without_masked(plan) : update_layout(plan, server);
}

LayoutPtr Composition::wire_layout(const Plan& plan) const {
  return narrowed_by_masks(plan) ? without_masked(plan) : update_layout(plan);
}

StorageSummary storage_of(const Composition& composition, const Plan& plan) {
  const auto whole = static_cast<double>(composition.architecture(plan).layout()->size);
  const auto kept = static_cast<double>(plan.prepared.kept());
  return {8.0 * static_cast<double>(plan.prepared.stored.value()) / kept, 1 - kept / whole};
}

Cost client_cost(const Composition& composition, const Plan& plan, const Shape& prepared,
                 std::int64_t samples, std::int64_t steps) {
  const Architecture& architecture = composition.architecture(plan);
  const int batch = plan.work.batch_of(samples);
  Cost cost;
  cost.batch = batch;
  cost.steps = steps;
  const int passes = plan.parametrization->forward_passes();
  const auto step_cost = [&](int of) {
    if (passes == 0) return architecture.training_cost(*prepared.layout, of);
    StepCost once = architecture.inference_cost(*prepared.layout, of);
    once.flops = static_cast<double>(passes) * once.flops;
    once.dram = Bytes(passes * once.dram.value());
    return once;
  };
  const StepCost full = step_cost(batch);
  // An epoch is a number of full batches and, if they do not divide it, one smaller one.
  const std::int64_t per_epoch = std::max<std::int64_t>(1, (samples + batch - 1) / batch);
  const auto tail = static_cast<int>(samples % batch);
  const std::int64_t tails = tail == 0 ? 0 : steps / per_epoch;
  const auto whole = static_cast<double>(steps - tails);
  cost.fp32 = whole * full.flops;
  cost.weight_gradients = whole * full.weight_gradients;
  cost.dram = Bytes((steps - tails) * full.dram.value());
  if (tails > 0) {
    const StepCost last = step_cost(tail);
    cost.fp32 += static_cast<double>(tails) * last.flops;
    cost.weight_gradients += static_cast<double>(tails) * last.weight_gradients;
    cost.dram += Bytes(tails * last.dram.value());
  }
  cost.rows = full.rows;
  cost.memory.activations = full.activations;
  cost.memory.scratch = full.scratch;
  cost.detail.logits = full.logits;
  plan.parametrization->cost(prepared, *plan.optimizer, cost);
  add_own_compressing(plan, cost);
  return cost;
}

Cost prediction_cost(const Composition& composition, const Plan& plan, const Shape& prepared) {
  const StepCost once = composition.architecture(plan).inference_cost(*prepared.layout, 1);
  Cost cost;
  cost.batch = 1;
  cost.fp32 = once.flops;
  cost.dram = once.dram;
  cost.rows = once.rows;
  cost.memory.weights = prepared.stored;
  cost.memory.activations = once.activations;
  cost.memory.scratch = once.scratch;
  cost.detail = {prepared.masks(), prepared.scales(), once.logits};
  return cost;
}

}  // namespace skiff
