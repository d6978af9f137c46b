// Classes as clouds of points: the simplest data whose difficulty is a number.
//
// Class c has `modes` centres mu ~ N(0, s^2 / (2 d) I) with s = separation and d = features, so two
// centres lie s apart (root mean square) and a pair of classes is confused with probability
// Phi(-s / 2). A sample is x = mu + shift u_k / sqrt(d) + N(0, I), its class and mode uniform;
// u_k ~ N(0, I) is client k's own. The test and server sets follow the same law, from clients who
// take no part, 20 samples each.
#include <cmath>

#include "algorithms/data/generators.h"
#include "sim/core/distributions.h"
#include "sim/core/parallel.h"

namespace skiff {
namespace {
struct GaussianMixtureParams {
  int samples_per_client = 100;
  int classes = 10;
  int features = 32;
  int modes = 1;
  double separation = 4;
  double shift = 0;
};
}  // namespace

template <>
Schema<GaussianMixtureParams> schema() {
  using P = GaussianMixtureParams;
  Schema<P> s;
  s.field("samples_per_client", &P::samples_per_client, "samples of each client").in(1, 1e6);
  s.field("classes", &P::classes, "number of classes").in(2, 10000);
  s.field("features", &P::features, "number of features").in(1, 100000);
  s.field("modes", &P::modes, "centres of each class; a linear model cannot follow several")
      .in(1, 1000);
  s.field("separation", &P::separation, "distance between centres, in deviations of the noise")
      .in(0, 1000);
  s.field("shift", &P::shift, "size of each client's own displacement of the features").in(0, 1000);
  return s;
}

namespace {

class GaussianMixture final : public DataSource {
 public:
  explicit GaussianMixture(const GaussianMixtureParams& params) : params_(params) {}

  LoadedData load(const DataOptions& options, std::uint64_t seed) const override {
    constexpr std::size_t kSamplesOfOthers = 20;
    const auto each = static_cast<std::size_t>(params_.samples_per_client);
    const std::size_t count =
        generated_rows(options.clients, params_.samples_per_client, params_.features);
    const auto tests =
        static_cast<std::size_t>(std::lround(options.test_fraction * static_cast<double>(count)));
    LoadedData data;
    data.shape = classification_shape(params_.features, params_.classes);
    data.train = draw(count, each, seed, "data.mixture");
    data.test = draw(tests, kSamplesOfOthers, seed, "data.mixture.test");
    data.server = draw(static_cast<std::size_t>(options.server_samples), kSamplesOfOthers, seed,
                       "data.mixture.server");
    data.has_test = true;
    name_owners(data, options.clients, each, "client");
    return data;
  }

 private:
  std::vector<double> centres(std::uint64_t seed) const {
    Stream stream(seed, "data.mixture.centres");
    const double deviation = params_.separation / std::sqrt(2.0 * params_.features);
    std::vector<double> mu(static_cast<std::size_t>(params_.classes) *
                           static_cast<std::size_t>(params_.modes) *
                           static_cast<std::size_t>(params_.features));
    for (double& x : mu) x = normal(stream, 0, deviation);
    return mu;
  }

  Samples draw(std::size_t count, std::size_t each, std::uint64_t seed,
               std::string_view purpose) const {
    const std::vector<double> mu = centres(seed);
    const auto width = static_cast<std::size_t>(params_.features);
    const double scale = params_.shift / std::sqrt(static_cast<double>(params_.features));
    Samples samples(count, params_.features);
    parallel_for((count + each - 1) / each, [&](std::size_t k) {
      Stream stream(seed, purpose, k);
      std::vector<double> own(width);
      for (double& x : own) x = normal(stream, 0, scale);
      for (std::size_t i = k * each; i < std::min(count, (k + 1) * each); ++i) {
        const std::uint32_t label = stream.below(static_cast<std::uint32_t>(params_.classes));
        const std::uint32_t mode = stream.below(static_cast<std::uint32_t>(params_.modes));
        const double* centre =
            mu.data() + (label * static_cast<std::size_t>(params_.modes) + mode) * width;
        samples.labels[i] = static_cast<std::int32_t>(label);
        float* row = samples.row(static_cast<int>(i));
        for (std::size_t j = 0; j < width; ++j) {
          row[j] = static_cast<float>(centre[j] + own[j] + normal(stream));
        }
      }
    });
    return samples;
  }

  GaussianMixtureParams params_;
};

SKIFF_REGISTER(DataSource, GaussianMixture, GaussianMixtureParams,
               {.name = "gaussian-mixture",
                .summary = "generated clouds of points; separation sets the difficulty",
                .paper = "baseline",
                .verified = "distance of the centres; error of the nearest centre against "
                            "Phi(-separation / 2)"});

}  // namespace
}  // namespace skiff
