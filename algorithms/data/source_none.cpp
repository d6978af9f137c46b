// Clients and their numbers of samples without any numbers: for timing-only runs of up to millions
// of devices. The shape is what the model would have seen; only costs depend on it.
#include <stdexcept>

#include "algorithms/data/source.h"

namespace skiff {
namespace {
struct NoneParams {
  int samples_per_client = 100;
  int features = 784;
  int classes = 10;
};
}  // namespace

template <>
Schema<NoneParams> schema() {
  Schema<NoneParams> s;
  s.field("samples_per_client", &NoneParams::samples_per_client, "mean samples of a client")
      .in(1, 1e9);
  s.field("features", &NoneParams::features, "width of the model's input, for its cost").in(1, 1e8);
  s.field("classes", &NoneParams::classes, "outputs of the model, for its cost").in(2, 1e6);
  return s;
}

namespace {

class None final : public DataSource {
 public:
  explicit None(const NoneParams& params) : params_(params) {}

  bool timing_only() const override { return true; }
  LoadedData load(const DataOptions& options, std::uint64_t) const override {
    if (options.clients < 1) throw std::invalid_argument("source none needs data.clients");
    LoadedData data;
    data.shape = classification_shape(params_.features, params_.classes);
    data.counted = std::int64_t{options.clients} * params_.samples_per_client;
    return data;
  }

 private:
  NoneParams params_;
};

SKIFF_REGISTER(DataSource, None, NoneParams,
               {.name = "none",
                .summary = "no numbers, only how many samples each client has (timing-only)",
                .paper = "baseline"});

}  // namespace
}  // namespace skiff
