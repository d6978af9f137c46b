#include "sim/scenario/section_schemas.h"

namespace skiff {

template <>
Schema<DataSection> schema() {
  Schema<DataSection> s;
  s.field("clients", &DataSection::clients,
          "how many clients, each on one device; natural partition: at most, all without it")
      .in(1, 10'000'000);
  s.field("test_fraction", &DataSection::test_fraction,
          "share of the samples held out where the source has no test set")
      .fraction(0, 0.9);
  s.field("server_samples", &DataSection::server_samples,
          "samples held by the server for calibration, distillation and pretraining: never a "
          "client's, never a test's")
      .at_least(0);
  s.field("partition", &DataSection::partition, "which client holds which samples")
      .required("it says which client holds which samples, such as {scheme: iid}");
  return s;
}

}  // namespace skiff
