// Half precision: 16 bits a weight, no grid and no scale. The baseline that costs next to nothing,
// and, with targets: rest, how checkpoints commonly store what quantizers leave alone.

#include "algorithms/quantization/half_values.h"
#include "algorithms/quantization/layer_quantizer.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct HalfParams {
  LayerTargets targets;
};

}  // namespace

template <>
Schema<HalfParams> schema() {
  Schema<HalfParams> s;
  s.field("targets", &HalfParams::targets,
          "linear (every linear layer), layer names, or rest: what linear leaves out")
      .or_word("rest");
  return s;
}

namespace {

class Half final : public LayerQuantizer {
 public:
  explicit Half(const HalfParams& p) : LayerQuantizer(p.targets) {}

 protected:
  StoredValuesPtr encode(const LayerMatrix& m, Stream) const override {
    return half_values(m.values);
  }
  Bytes bytes(int rows, int cols) const override {
    return Bytes(2 * static_cast<std::int64_t>(rows) * cols);
  }
  Bytes scale_bytes(int, int) const override { return Bytes(0); }
  double flops_per_weight() const override { return 1; }
};

SKIFF_REGISTER(Compressor, Half, HalfParams,
               {.name = "fp16",
                .summary = "half precision, 16 bits a weight",
                .paper = "baseline",
                .family = "quantization",
                .verified = "values against the scalar conversion; bytes of every tensor"});

}  // namespace
}  // namespace skiff
