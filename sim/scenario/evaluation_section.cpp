#include <limits>

#include "sim/core/metrics.h"
#include "sim/scenario/section_schemas.h"

namespace skiff {

template <>
Schema<EvaluationSection> schema() {
  Schema<EvaluationSection> s;
  s.field("every", &EvaluationSection::every, "rounds from one evaluation to the next").at_least(1);
  s.field("samples", &EvaluationSection::samples, "test samples used").at_least(1).or_word("all");
  s.field("metrics", &EvaluationSection::metrics, "what is measured; by default what the task has")
      .one_of(metric_names())
      .no_default();
  s.field("models", &EvaluationSection::models,
          "whose models: the server's, the tiers', the clients' on their own held-out data")
      .one_of({"server", "tiers", "clients"});
  s.field("optimum", &EvaluationSection::optimum, "the least loss f*, for suboptimality");
  return s;
}

template <>
Schema<RecordSection> schema() {
  Schema<RecordSection> s;
  s.field("attempts", &RecordSection::attempts, "one row a participation");
  s.field("layers", &RecordSection::layers, "errors, bits, sparsity and rank by layer");
  s.field("events", &RecordSection::events, "the trace of all events");
  s.field("final_model", &RecordSection::final_model, "the parameters after the last round");
  return s;
}

template <>
Schema<SweepSection> schema() {
  Schema<SweepSection> s;
  s.field("cases", &SweepSection::cases, "named alternatives: {name: {dotted.key: value}}");
  s.field("grid", &SweepSection::grid, "every combination: {dotted.key: [values]}");
  s.field("zip", &SweepSection::zip, "side by side: {dotted.key: [values]}, of equal lengths");
  s.field("seeds", &SweepSection::seeds, "paired seeds: each runs every case")
      .in(0, 9223372036854775807.0);
  return s;
}

}  // namespace skiff
