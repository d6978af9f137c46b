// How the sections are read: what scenario.cpp and the schemas of sections share.
#pragma once

#include "sim/scenario/choice.h"
#include "sim/scenario/sections.h"

namespace skiff {

template <>
struct ChoiceIn<DataSection> {
  static constexpr auto member = &DataSection::source;
  static constexpr const char* family = "";
};
template <>
struct ChoiceIn<QuantizationSection> {
  static constexpr auto member = &QuantizationSection::compressor;
  static constexpr const char* family = "quantization";
};
template <>
struct ChoiceIn<PruningSection> {
  static constexpr auto member = &PruningSection::compressor;
  static constexpr const char* family = "pruning";
};
template <>
struct ChoiceIn<AdaptationSection> {
  static constexpr auto member = &AdaptationSection::parametrization;
  static constexpr const char* family = "";
};
template <>
struct ChoiceIn<CommunicationSection> {
  static constexpr auto member = &CommunicationSection::upload;
  static constexpr const char* family = "";
};

// These two open in ways of their own: architecture or checkpoint; keys by protocol.
bool convert(const Node& node, ModelSection& out, const Rules& rules, Reader& reader);
bool convert(const Node& node, ServerSection& out, const Rules& rules, Reader& reader);
inline std::string print_value(const ModelSection&) { return ""; }
inline std::string print_value(const ServerSection&) { return ""; }
template <>
struct TypeName<ModelSection> {
  static std::string get() { return "choice"; }
};
template <>
struct TypeName<ServerSection> {
  static std::string get() { return "choice"; }
};

// Keys of `server` that all protocols share.
std::vector<FieldInfo> common_server_fields();

// Why something must be written.
inline constexpr const char* kMovesResult = "skiff has no default that changes results";

template <>
Schema<DataSection> schema();
template <>
Schema<ModelSection> schema();
template <>
Schema<DevicesSection> schema();
template <>
Schema<ServerSection> schema();
template <>
Schema<TrainingSection> schema();
template <>
Schema<QuantizationSection> schema();
template <>
Schema<PruningSection> schema();
template <>
Schema<AdaptationSection> schema();
template <>
Schema<CommunicationSection> schema();
template <>
Schema<CompressionSection> schema();
template <>
Schema<EvaluationSection> schema();
template <>
Schema<RecordSection> schema();
template <>
Schema<SweepSection> schema();

}  // namespace skiff
