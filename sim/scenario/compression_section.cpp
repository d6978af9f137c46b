#include "sim/scenario/section_schemas.h"

namespace skiff {

template <>
Schema<QuantizationSection> schema() {
  Schema<QuantizationSection> s;
  s.field("at", &QuantizationSection::at,
          "start, dispatch (by the server, each download), client (pays time and RAM) or end")
      .one_of({"start", "dispatch", "client", "end"});
  s.field("rest", &QuantizationSection::rest,
          "how what is no linear layer is stored: embeddings, output layer, norms, biases")
      .one_of({"fp32", "fp16"});
  return s;
}

template <>
Schema<PruningSection> schema() {
  Schema<PruningSection> s;
  s.field("at", &PruningSection::at, "when the model is pruned")
      .one_of({"start", "dispatch", "client", "end"});
  return s;
}

template <>
Schema<AdaptationSection> schema() {
  return {};
}

template <>
Schema<CommunicationSection> schema() {
  Schema<CommunicationSection> s;
  s.field("download", &CommunicationSection::download,
          "the codec of the other direction, such as {name: fp16}");
  return s;
}

template <>
Schema<CompressionSection> schema() {
  Schema<CompressionSection> s;
  s.field("quantization", &CompressionSection::quantization, "fewer bits a weight")
      .choice("quantization", schema<QuantizationSection>().describe());
  s.field("pruning", &CompressionSection::pruning, "fewer weights")
      .choice("pruning", schema<PruningSection>().describe());
  s.field("adaptation", &CompressionSection::adaptation, "what is trained beside frozen weights")
      .choice(Parametrization::kRole, schema<AdaptationSection>().describe());
  s.field("communication", &CompressionSection::communication,
          "what the wire carries: the codec of uploads")
      .choice(Codec::kRole, schema<CommunicationSection>().describe());
  s.field("distillation", &CompressionSection::distillation, "a teacher for small students")
      .choice(Distillation::kRole, {});
  s.field("planner", &CompressionSection::planner, "who gets which plan");
  s.field("target_size", &CompressionSection::target_size,
          "the largest model that a device may hold")
      .above(0)
      .unit("GB");
  return s;
}

}  // namespace skiff
