#include "algorithms/quantization/pv_params.h"

namespace skiff {

PvMode PvParams::kind() const {
  if (mode == "pv") return PvMode::kPv;
  if (mode == "pv-ste") return PvMode::kPvSte;
  if (mode == "ste") return PvMode::kSte;
  if (mode == "p-only") return PvMode::kPOnly;
  return mode == "naive" ? PvMode::kNaive : PvMode::kStochastic;
}

TableFormat PvParams::format() const {
  TableFormat format;
  format.dimension = codebook == "vector" ? 2 : 1;
  format.bits = bits * format.dimension;
  format.group = group;
  return format;
}

template <>
Schema<PvParams> schema() {
  Schema<PvParams> s;
  s.field("bits", &PvParams::bits, "bits of a weight's code")
      .required("by pv-tuning; skiff has no default that changes results")
      .in(1, 8);
  s.field("mode", &PvParams::mode, "how codes change")
      .one_of({"pv-ste", "pv", "ste", "p-only", "naive", "stochastic"});
  s.field("subspace", &PvParams::subspace, "share of the codes that may change in a step")
      .fraction()
      .above(0);
  s.field("codebook", &PvParams::codebook, "levels, or pairs of neighbours (up to 4 bits)")
      .one_of({"scalar", "vector"});
  s.field("code_learning_rate", &PvParams::code_learning_rate,
          "Adam's step on the weights, as a share of their root mean square")
      .above(0);
  s.field("learning_rate", &PvParams::learning_rate, "Adam's step on tables and scales").above(0);
  s.field("steps", &PvParams::steps, "P and V steps").in(0, 1e6);
  s.field("batch", &PvParams::batch, "texts of a step").at_least(1);
  s.field("group", &PvParams::group, "weights of an output that share a scale; row or tensor");
  s.field("aggregation", &PvParams::aggregation,
          "devices that train: the mean of their changes is added to the master, or the mean of "
          "their quantized models replaces it (the baseline)")
      .one_of({"delta", "model"});
  s.field("wire", &PvParams::wire,
          "devices that train: changes through compression.communication, or the new codes")
      .one_of({"delta", "codes"});
  s.field("targets", &PvParams::targets, "linear (every linear layer), or layer names");
  s.check([](const PvParams& p, const Node& map, Reader& reader) {
    if (p.codebook != "vector" || (p.bits <= 4 && p.mode != "stochastic")) return;
    const Reader::Scope scope(reader, "codebook");
    reader.problem(map.find("codebook")->where,
                   p.bits > 4 ? "pairs have up to 4 bits a weight; write scalar"
                              : "mode stochastic rounds numbers; write scalar");
  });
  return s;
}

}  // namespace skiff
