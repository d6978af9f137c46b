// FedP3's local steps: pruned, or private, or plain; see fedp3.cpp.
#include <cmath>

#include "algorithms/aggregation/fedp3.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {

// By coordinate: 1 if this step trains it. Heads and vectors always are.
std::vector<std::uint8_t> locally_kept(const FedP3Params& p, const Layout& layout,
                                       const LayerGroup& head, Stream draw) {
  std::vector<std::uint8_t> kept(layout.size, 1);
  const double share = p.local_keep + (1 - p.local_keep) * draw.uniform();
  const auto leading = [&](int n) { return static_cast<int>(std::ceil(p.local_keep * n)); };
  for (std::size_t t = 0; t < head.slices.front(); ++t) {
    const Slice& s = layout.slices[t];
    if (!s.is_matrix()) continue;
    const auto width = static_cast<std::size_t>(s.order == Order::kInOut ? s.rows : s.cols);
    for (std::size_t j = 0; j < s.size(); ++j) {
      const auto major = static_cast<int>(j / width), minor = static_cast<int>(j % width);
      const int row = s.order == Order::kInOut ? minor : major;
      const int col = s.order == Order::kInOut ? major : minor;
      const bool in = p.local_pruning == "uniform" ? draw.uniform() < share
                                                   : row < leading(s.rows) && col < leading(s.cols);
      kept[s.offset + j] = in ? 1 : 0;
    }
  }
  return kept;
}

}  // namespace

void train_fedp3(const FedP3Params& p, ClientContext& context, const LayerGroup& head) {
  const bool prunes = p.local_pruning != "none";
  if (!prunes && !p.clip) return context.train();
  const double batch = context.plan().work.batch_of(context.samples());
  const double deviation = p.clip ? p.noise * *p.clip / batch : 0;
  Vector at;
  std::vector<std::uint8_t> kept;
  for (std::int64_t s = 0; s < context.steps(); ++s) {
    const Stream step = context.stream("fedp3.step").child("step", static_cast<std::uint64_t>(s));
    if (prunes) {
      at = context.weights().parameters();
      kept = locally_kept(p, *at.layout, head, step);
      for (std::size_t j = 0; j < kept.size(); ++j) at.values[j] *= static_cast<float>(kept[j]);
    }
    if (p.clip) {
      context.clipped_gradient(s, *p.clip, prunes ? &at : nullptr);
    } else {
      context.gradient(s, prunes ? &at : nullptr);
    }
    Stream noise = step.child("noise");
    context.step([&](const Slice& slice, std::span<const float>, std::span<float> g) {
      for (std::size_t j = 0; j < g.size(); ++j) {
        if (deviation > 0) g[j] += static_cast<float>(normal(noise, 0, deviation));
        if (prunes && kept[slice.offset + j] == 0) g[j] = 0;
      }
    });
  }
}

}  // namespace skiff
