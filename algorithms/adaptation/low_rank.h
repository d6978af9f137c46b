// Adapters: what every low-rank parametrization is told, and the layout of its factors.
//
// A layer y = x W^T with W: m x n gets W + s B A, B: m x r, A: r x n, s = alpha / r. In memory both
// factors lie inputs first (Order::kInOut): A as n x r, B as r x m. A layer "q_proj" has the slices
// q_proj.lora_A and q_proj.lora_B. r is at most min(m, n); s is taken with that r.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "algorithms/layer_targets.h"
#include "algorithms/models/layout.h"
#include "algorithms/server.h"
#include "sim/core/refuse_idle.h"
#include "sim/core/schema.h"

namespace skiff {

// Each layer's adapter stands beside it in a round with this probability, whoever asks; at least
// one does.
struct ActiveLayers {
  std::uint64_t seed = 0;
  std::int64_t round = 0;
  double probability = 1;
};

struct AdapterParams {
  int rank = 0;
  std::vector<std::uint16_t> ranks;  // not said by users: by adapter, where the server chose them
  double alpha = 0;
  LayerTargets targets;
  double dropout = 0;
  std::optional<ActiveLayers> active;  // not said by users: bernoulli-lora's mask
};

// One adapted layer.
struct AdapterSlices {
  std::string layer;
  int rows = 0, cols = 0, rank = 0;  // m, n, r
  double scale = 0;                  // s; chosen ranks leave it at what the scenario's rank has
};

// How what is merged reaches a base that is stored as codes or beside a mask.
//   requantize  the base is prepared anew from the merged weights, and sent whole, after every
//   block stack       devices keep the factors beside it and add their products; after stack_blocks
//   blocks
//               the base is prepared anew
//   side-bf16   devices keep the sum of the products in bfloat16, two bytes a value; the base stays
// A base that is stored dense is added to in place, whatever this says.
struct MergeParams {
  std::string merge = "stack";
  int stack_blocks = 8;

  std::int64_t prepared_lasts() const;
  // After so many merges whose increment takes these bytes, over these adapted layers.
  Bytes beside_base(Bytes increment, std::span<const AdapterSlices> adapters,
                    std::int64_t merges) const;
};

// P derives from MergeParams.
template <class P>
void add_merge(Schema<P>& s) {
  s.field("merge", &P::merge, "over a base that is not stored dense: what becomes of the factors")
      .one_of({"stack", "side-bf16", "requantize"});
  s.field("stack_blocks", &P::stack_blocks, "merge: stack: blocks until the base is prepared anew")
      .at_least(2);
  s.check([](const P& p, const Node& map, Reader& reader) {
    refuse_idle(p.merge != "stack", "stack_blocks", "merge: stack", map, reader);
  });
}

// The fields that open the schema of every adapter; P derives from AdapterParams.
template <class P>
void add_adapter(Schema<P>& s) {
  constexpr const char* kWhy = "skiff has no default that changes results";
  s.field("rank", &P::rank, "columns of the low-rank factors").at_least(1).required(kWhy);
  s.field("alpha", &P::alpha, "the update is scaled by alpha / rank").above(0).required(kWhy);
  s.field("targets", &P::targets, "layers that get an adapter: linear, or such as [q_proj, v_proj]")
      .required("the layers that get an adapter, such as [q_proj, v_proj]");
  s.field("dropout", &P::dropout, "of the adapter's input, while it trains").fraction(0, 0.99);
}

enum class Factor { kA, kB };
std::string_view suffix_of(Factor factor);  // ".lora_A"

// Of a model's layout, in its order. Throws std::invalid_argument for targets that are no layers,
// or that a model reads otherwise than as x W^T (embeddings, convolutions). Those that are not
// active are left out.
std::vector<AdapterSlices> adapters_of(const Layout& model, const AdapterParams& params);

// The layout of some factors of a model's adapters; the same object for the same model.
// Thread-safe.
class FactorLayouts {
 public:
  FactorLayouts(AdapterParams params, std::vector<Factor> factors)
      : params_(std::move(params)), factors_(std::move(factors)) {}
  LayoutPtr of(const LayoutPtr& model) const;

 private:
  AdapterParams params_;
  std::vector<Factor> factors_;
  mutable std::mutex mutex_;
  mutable std::map<LayoutPtr, LayoutPtr> made_;
};

// The values of a layer's factor, as n x r or r x m; empty if the vector has none.
std::span<const float> factor(const Vector& factors, const std::string& layer, Factor which);
std::span<float> factor(Vector& factors, const std::string& layer, Factor which);

// weights += times * s B A for every layer of `adapters`; each factor is looked up in `trained`,
// then in `frozen`.
void add_products(Vector& weights, std::span<const AdapterSlices> adapters, const Vector& trained,
                  const Vector& frozen, double times = 1);

}  // namespace skiff
