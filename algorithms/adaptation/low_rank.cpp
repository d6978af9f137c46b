#include "algorithms/adaptation/low_rank.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/reduce.h"
#include "sim/core/random.h"

namespace skiff {
namespace {

// Layers whose tensors are not used as x W^T.
bool read_otherwise(const std::string& layer) {
  return layer.find("embed") != std::string::npos || layer.find("cls_token") != std::string::npos ||
         layer.starts_with("conv") || layer.find(".conv") != std::string::npos;
}

const Slice* slice_of(const Vector& factors, const std::string& layer, Factor which) {
  if (factors.layout == nullptr) return nullptr;
  return factors.layout->find(layer + std::string(suffix_of(which)));
}

}  // namespace

std::int64_t MergeParams::prepared_lasts() const {
  if (merge == "stack") return stack_blocks;
  return merge == "requantize" ? 1 : std::numeric_limits<std::int64_t>::max();
}

Bytes MergeParams::beside_base(Bytes increment, std::span<const AdapterSlices> adapters,
                               std::int64_t merges) const {
  if (merge == "stack") return merges * increment;
  if (merge == "requantize" || merges == 0) return Bytes(0);
  std::int64_t values = 0;
  for (const AdapterSlices& a : adapters) values += static_cast<std::int64_t>(a.rows) * a.cols;
  return Bytes(2 * values);
}

std::string_view suffix_of(Factor factor) { return factor == Factor::kA ? ".lora_A" : ".lora_B"; }

namespace {

std::vector<AdapterSlices> all_adapters(const Layout& model, const AdapterParams& p) {
  std::vector<AdapterSlices> adapters;
  for (const std::size_t t : p.targets.of(model)) {
    const Slice& s = model.slices[t];
    const std::string layer = layer_of(s);
    if (read_otherwise(layer)) {
      if (p.targets.all_linear) continue;
      throw std::invalid_argument(
          fmt::format("{} is no linear layer: a low-rank adapter cannot stand beside it", layer));
    }
    const int rank = std::min({p.rank, s.rows, s.cols});
    adapters.push_back(
        {s.name.ends_with(".weight") ? layer : s.name, s.rows, s.cols, rank, p.alpha / rank});
  }
  if (adapters.empty()) {
    throw std::invalid_argument("the model has no linear layer that an adapter can stand beside");
  }
  return adapters;
}

}  // namespace

std::vector<AdapterSlices> adapters_of(const Layout& model, const AdapterParams& p) {
  std::vector<AdapterSlices> all = all_adapters(model, p);
  // Chosen for another model (the one that devices pay for): its budget is what that rank takes.
  if (p.ranks.size() == all.size()) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i].rank = p.ranks[i];
  }
  if (!p.active) return all;
  const Stream coins(p.active->seed, "bernoulli-lora.active", 0,
                     static_cast<std::uint64_t>(p.active->round));
  const auto draw = [&](const AdapterSlices& a) { return coins.child(a.layer).uniform(); };
  const AdapterSlices least = *std::min_element(
      all.begin(), all.end(), [&](const auto& a, const auto& b) { return draw(a) < draw(b); });
  std::erase_if(all, [&](const AdapterSlices& a) {
    return a.layer != least.layer && draw(a) >= p.active->probability;
  });
  return all;
}

LayoutPtr FactorLayouts::of(const LayoutPtr& model) const {
  const std::lock_guard lock(mutex_);
  LayoutPtr& made = made_[model];
  if (made != nullptr) return made;
  auto layout = std::make_shared<Layout>();
  for (const AdapterSlices& a : adapters_of(*model, params_)) {
    for (const Factor f : factors_) {
      const std::string name = a.layer + std::string(suffix_of(f));
      if (f == Factor::kA) layout->add(name, a.rank, a.cols, Order::kInOut);
      if (f == Factor::kB) layout->add(name, a.rows, a.rank, Order::kInOut);
    }
  }
  return made = std::move(layout);
}

std::span<const float> factor(const Vector& factors, const std::string& layer, Factor which) {
  const Slice* s = slice_of(factors, layer, which);
  if (s == nullptr) return {};
  return std::span<const float>(factors.values).subspan(s->offset, s->size());
}

std::span<float> factor(Vector& factors, const std::string& layer, Factor which) {
  const Slice* s = slice_of(factors, layer, which);
  if (s == nullptr) return {};
  return std::span<float>(factors.values).subspan(s->offset, s->size());
}

void add_products(Vector& weights, std::span<const AdapterSlices> adapters, const Vector& trained,
                  const Vector& frozen, double times) {
  std::vector<float> left, product;
  for (const AdapterSlices& a : adapters) {
    const auto look_up = [&](Factor which) {
      const std::span<const float> found = factor(trained, a.layer, which);
      return found.empty() ? factor(frozen, a.layer, which) : found;
    };
    const std::span<const float> fa = look_up(Factor::kA), fb = look_up(Factor::kB);
    const Slice* s = weights.layout->find(a.layer + ".weight");
    if (s == nullptr) s = weights.layout->find(a.layer);
    SKIFF_CHECK(s != nullptr && !fa.empty() && !fb.empty(), "an adapter of " + a.layer);
    left.assign(fa.begin(), fa.end());
    kernels::scale(left, static_cast<float>(times * a.scale), left);
    // s A^T as n x r, B as r x m: W^T += (s A^T) B, or W += B^T (s A^T)^T.
    const kernels::ConstMatrixView a_view =
        kernels::dense(std::as_const(left).data(), a.cols, a.rank);
    const kernels::ConstMatrixView b_view = kernels::dense(fb.data(), a.rank, a.rows);
    float* w = weights.values.data() + s->offset;
    if (s->order == Order::kInOut) {
      kernels::gemm_nn(kernels::dense(w, a.cols, a.rows), a_view, b_view, kernels::Output::kAdd);
    } else {
      product.resize(s->size());
      const kernels::MatrixView turned = kernels::dense(product.data(), a.cols, a.rows);
      kernels::gemm_nn(turned, a_view, b_view);
      std::vector<float> straight(s->size());
      kernels::transpose(kernels::dense(straight.data(), a.rows, a.cols), turned);
      const std::span<float> out(w, s->size());
      kernels::add(out, out, straight);
    }
  }
}

}  // namespace skiff
