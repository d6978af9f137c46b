// Round to nearest: the baseline of every quantizer. One scale a group, an even grid, nothing else.
//
// The grids are those of rounding.h, symmetric unless `symmetric: false` asks for a zero point.
// Bits per weight: b + 16 / group (fp16 scales), + 32 / group with zero points.

#include "algorithms/quantization/layer_quantizer.h"
#include "algorithms/quantization/rounding.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct RtnParams {
  int bits = 4;
  GroupSize group{32};
  bool symmetric = true;
  std::string scales = "fp16";
  LayerTargets targets;
};

}  // namespace

template <>
Schema<RtnParams> schema() {
  Schema<RtnParams> s;
  s.field("bits", &RtnParams::bits, "bits of a code")
      .required("by rtn; skiff has no default that changes results")
      .in(2, 8);
  s.field("group", &RtnParams::group, "weights of an output that share a scale; row or tensor");
  s.field("symmetric", &RtnParams::symmetric, "0 in the middle of the grid; else a zero point");
  s.field("scales", &RtnParams::scales, "how scales are stored").one_of({"fp16", "fp32"});
  s.field("targets", &RtnParams::targets, "linear (every linear layer), or layer names");
  return s;
}

namespace {

class Rtn final : public LayerQuantizer {
 public:
  explicit Rtn(const RtnParams& p)
      : LayerQuantizer(p.targets),
        format_{p.bits, p.group, !p.symmetric,
                p.scales == "fp32" ? ScaleType::kFp32 : ScaleType::kFp16} {}

 protected:
  StoredValuesPtr encode(const LayerMatrix& m, Stream) const override {
    return affine_values(format_, m.rows, m.cols,
                         round_to_grids(m.values, m.rows, m.cols, format_));
  }
  Bytes bytes(int rows, int cols) const override { return format_.bytes(rows, cols); }
  Bytes scale_bytes(int rows, int cols) const override { return format_.scale_bytes(rows, cols); }
  double flops_per_weight() const override { return 4; }

 private:
  AffineFormat format_;
};

SKIFF_REGISTER(Compressor, Rtn, RtnParams,
               {.name = "rtn",
                .summary = "round to nearest, one scale a group",
                .paper = "baseline",
                .family = "quantization",
                .verified = "errors of a matrix without random numbers to 1e-5; losses of a "
                            "language model at 8, 4, 3 and 2 bits to 2e-4"});

}  // namespace
}  // namespace skiff
