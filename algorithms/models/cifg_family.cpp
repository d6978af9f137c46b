// `model: {architecture: cifg-lstm, ...}`: its parameters.
#include <optional>

#include "algorithms/models/cifg_lstm.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct CifgParams {
  std::string preset;
  std::optional<int> hidden, width;
  double l2 = 0;
};

CifgShape shape_of(const CifgParams& p) {
  if (p.preset == "tiny") return {24, 64};
  if (p.preset == "small") return {64, 256};
  if (p.preset == "base") return {96, 670};
  return {p.width.value_or(96), p.hidden.value()};
}

class CifgFamily final : public ModelFamily {
 public:
  explicit CifgFamily(const CifgParams& params) : shape_(shape_of(params)), l2_(params.l2) {}
  std::shared_ptr<const Architecture> build(const TaskShape& task) const override {
    return std::make_shared<const CifgLstm>(task, shape_, l2_);
  }

 private:
  CifgShape shape_;
  double l2_;
};

void check_shape(const CifgParams& p, const Node& map, Reader& reader) {
  const Reader::Scope scope(reader, "hidden");
  if (p.preset.empty() && !p.hidden) {
    reader.problem(map.where, "required by cifg-lstm; or give a preset");
  }
  if (!p.preset.empty() && (p.hidden || p.width)) {
    reader.problem(map.where, "a shape is given besides preset; one of them says it");
  }
}

}  // namespace

template <>
Schema<CifgParams> schema<CifgParams>() {
  Schema<CifgParams> s;
  s.field("preset", &CifgParams::preset,
          "instead of the shape: tiny 64 cells, small 256, base 670 (Hard et al.)")
      .one_of({"tiny", "small", "base"});
  s.field("hidden", &CifgParams::hidden, "cells").in(1, 65536);
  s.field("width", &CifgParams::width, "of the embedding and the projection")
      .in(1, 65536)
      .or_word("96");
  s.field("l2", &CifgParams::l2, "strength of (l2/2)|w|^2 over all parameters").at_least(0);
  s.check(check_shape);
  return s;
}

SKIFF_REGISTER(ModelFamily, CifgFamily, CifgParams,
               {.name = "cifg-lstm",
                .summary = "recurrent network with coupled input and forget gates",
                .paper = "Hard et al. 2018, arXiv:1811.03604",
                .verified = "gradients against central differences; goldens of an independent "
                            "implementation; the paper's number of parameters"});

}  // namespace skiff
