#include "algorithms/adaptation/low_rank_job.h"

#include <algorithm>
#include <cmath>

#include "sim/core/distributions.h"
#include "sim/core/error.h"

namespace skiff {

std::unique_ptr<Weights> bind_low_rank(const AdapterParams& params,
                                       std::shared_ptr<const Model> base, const Vector& received,
                                       const Vector& frozen, std::unique_ptr<Weights> reuse) {
  SKIFF_CHECK(base != nullptr, "adapters without a base");
  if (reuse == nullptr) reuse = std::make_unique<LowRankWeights>();
  const auto adapters = adapters_of(*base->layout, params);
  static_cast<LowRankWeights&>(*reuse).rebind(std::move(base), received, frozen, adapters,
                                              params.dropout);
  return reuse;
}

void add_low_rank_cost(const AdapterParams& params, const Shape& prepared, const Layout& trained,
                       const Optimizer& optimizer, Cost& cost) {
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  const auto floats = [](std::int64_t n) { return Bytes(n * kFloat); };
  const Layout& model = *prepared.layout;
  std::int64_t values = 0, widest = 0, most_rank = 0;
  double products = 0;  // multiply-adds of a row in all adapters' products
  for (const AdapterSlices& a : adapters_of(model, params)) {
    const std::int64_t size = static_cast<std::int64_t>(a.rank) * (a.rows + a.cols);
    values += size;
    widest = std::max<std::int64_t>(widest, a.cols);
    most_rank = std::max<std::int64_t>(most_rank, a.rank);
    int passes = 2;  // forward, input's gradient
    for (const Factor f : {Factor::kA, Factor::kB}) {
      passes += trained.find(a.layer + std::string(suffix_of(f))) != nullptr;
    }
    products += static_cast<double>(size) * passes;
  }
  const std::int64_t chunk = std::min<std::int64_t>(cost.rows, LowRankWeights::kChunk);
  cost.memory.weights += prepared.stored;
  cost.detail.masks = prepared.masks();
  cost.detail.scales = prepared.scales();
  cost.memory.adapters += floats(values);
  cost.memory.gradients += floats(static_cast<std::int64_t>(trained.size));
  cost.memory.optimizer_state += optimizer.state_bytes(trained);
  cost.memory.scratch += floats(chunk * (2 * most_rank + (params.dropout > 0 ? widest : 0)));
  if (prepared.stored != dense_shape(prepared.layout).stored) {
    std::int64_t largest = 0;
    for (const Slice& s : model.slices) {
      largest = std::max(largest, static_cast<std::int64_t>(s.size()));
    }
    cost.memory.scratch += floats(largest);
  }
  // Of every layer's three products two are left; its operands move as often.
  if (cost.fp32.value() > 0) {
    const double left = 1 - cost.weight_gradients / cost.fp32;
    cost.dram = Bytes(static_cast<std::int64_t>(left * static_cast<double>(cost.dram.value())));
  }
  const double rows = static_cast<double>(cost.rows) * static_cast<double>(cost.steps);
  cost.fp32 = cost.fp32 - cost.weight_gradients + Flops(2 * rows * products);
  cost.weight_gradients = Flops(0);
}

void add_merge_cost(const MergeParams& merge, const AdapterParams& params, const Shape& prepared,
                    Cost& cost) {
  if (merge.merge == "requantize") return;
  if (prepared.stored == dense_shape(prepared.layout).stored) return;
  std::int64_t factors = 0, values = 0;
  for (const AdapterSlices& a : adapters_of(*prepared.layout, params)) {
    factors += static_cast<std::int64_t>(a.rank) * (a.rows + a.cols);
    values += static_cast<std::int64_t>(a.rows) * a.cols;
  }
  const double rows = static_cast<double>(cost.rows) * static_cast<double>(cost.steps);
  if (merge.merge == "stack") {  // both factors in RAM; forward and the input's gradient use them
    const std::int64_t most = merge.stack_blocks - 1;
    cost.memory.adapters += Bytes(4 * most * factors);
    cost.fp32 += Flops(2 * 2 * rows * static_cast<double>(factors) * static_cast<double>(most) / 2);
  } else {
    cost.memory.weights += Bytes(2 * values);
    cost.dram += Bytes(2 * values * cost.steps);
  }
}

void draw_slices(Vector& factors, Factor which, bool uniform, Stream stream) {
  for (const Slice& s : factors.layout->slices) {
    if (!s.name.ends_with(suffix_of(which))) continue;
    Stream own = stream.child(s.name);
    const double bound = 1 / std::sqrt(static_cast<double>(s.cols));
    for (std::size_t j = 0; j < s.size(); ++j) {
      const double x = uniform ? bound * (2 * own.uniform() - 1) : normal(own, 0, bound);
      factors.values[s.offset + j] = static_cast<float>(x);
    }
  }
}

}  // namespace skiff
