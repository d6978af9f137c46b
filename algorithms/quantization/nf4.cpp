// NF4: 16 levels at quantiles of a Gaussian, one absolute maximum a group.
//
// Dettmers et al. 2023, "QLoRA: efficient finetuning of quantized LLMs" (arXiv:2305.14314), section
// 3. code = the level nearest to v / absmax, of two the lower. Double quantization (there with
// 8-bit floats and blocks of 256): the mean of all maxima is taken off, the rest rounded to int8 in
// blocks of 256 with fp32 scales.
// Bits per weight: 4 + 16 / group; with double_quantization 4 + (8 + 32 / 256) / group.

#include <array>

#include "algorithms/kernels/reduce.h"
#include "algorithms/quantization/layer_quantizer.h"
#include "algorithms/quantization/rounding.h"
#include "algorithms/quantization/table_values.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct Nf4Params {
  GroupSize group{64};
  bool double_quantization = false;
  LayerTargets targets;
};

}  // namespace

template <>
Schema<Nf4Params> schema() {
  Schema<Nf4Params> s;
  s.field("group", &Nf4Params::group, "weights of an output that share a scale; row or tensor");
  s.field("double_quantization", &Nf4Params::double_quantization, "scales in 8 bits");
  s.field("targets", &Nf4Params::targets, "linear (every linear layer), or layer names");
  return s;
}

namespace {

class Nf4 final : public LayerQuantizer {
 public:
  explicit Nf4(const Nf4Params& p)
      : LayerQuantizer(p.targets), format_{4, 1, p.group, true, p.double_quantization} {
    const std::span<const float> levels = nf4_levels();
    for (std::size_t i = 0; i < between_.size(); ++i) {
      between_[i] = 0.5F * (levels[i] + levels[i + 1]);
    }
  }

 protected:
  StoredValuesPtr encode(const LayerMatrix& m, Stream) const override {
    TableCodes out;
    out.codes.resize(m.values.size());
    for_groups(format_.group, m.rows, m.cols, [&](auto, std::size_t first, std::size_t count) {
      const std::span<const float> group = std::span(m.values).subspan(first, count);
      const float most = kernels::max_abs(group);
      out.scales.push_back(format_.double_scales ? most : stored_scale(most, ScaleType::kFp16));
    });
    const std::vector<float> scales =
        format_.double_scales ? DoubleScales::of(out.scales).values() : out.scales;
    for_groups(format_.group, m.rows, m.cols,
               [&](std::size_t g, std::size_t first, std::size_t count) {
                 for (std::size_t i = first; i < first + count; ++i) {
                   out.codes[i] = code_of(scales[g] > 0 ? m.values[i] / scales[g] : 0.0F);
                 }
               });
    return table_values(format_, m.rows, m.cols, out);
  }
  Bytes bytes(int rows, int cols) const override { return format_.bytes(rows, cols); }
  Bytes scale_bytes(int rows, int cols) const override { return format_.scale_bytes(rows, cols); }
  double flops_per_weight() const override { return 18; }  // 15 comparisons

 private:
  std::uint16_t code_of(float x) const {
    std::uint16_t below = 0;
    for (const float boundary : between_)
      below = static_cast<std::uint16_t>(below + (x > boundary));
    return below;
  }

  TableFormat format_;
  std::array<float, 15> between_{};
};

SKIFF_REGISTER(
    Compressor, Nf4, Nf4Params,
    {.name = "nf4",
     .summary = "16 quantiles of a Gaussian, one maximum a group",
     .paper = "Dettmers et al. 2023, arXiv:2305.14314",
     .family = "quantization",
     .verified = "its table from the paper's construction to 2e-7; the error of a matrix "
                 "without random numbers to 1e-5",
     .deviates = "fp16 maxima; double quantization with int8 instead of 8-bit floats"});

}  // namespace
}  // namespace skiff
