// The synthetic data set of LEAF (Caldas et al. 2018, appendix): tasks from clusters of models.
//   Q ~ N(0, 1)^((d+1) x C x s);  cluster i: mu_i ~ N(l_i, 1)^s, l_i ~ N(0, 1);  for each client
//   n = min(int(LogNormal(3, 2)) + 5, 1000), cluster i uniform, B ~ N(0, 1), v ~ N(B, 1)^d,
//   x = [1, N(v, diag(j^-1.2))], m ~ N(mu_i, 0.1^2)^s, w = Q m,
//   y = argmax softmax(x w + N(0, 0.1^2)).
// The leading 1 is not stored. s = number of clusters.
#include <algorithm>
#include <cmath>

#include "algorithms/data/generators.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {
struct LeafSyntheticParams {
  int features = 60;
  int classes = 5;
  int clusters = 1;
  std::optional<int> samples_per_client;
};
}  // namespace

template <>
Schema<LeafSyntheticParams> schema() {
  using P = LeafSyntheticParams;
  Schema<P> s;
  s.field("features", &P::features, "number of features").in(1, 10000);
  s.field("classes", &P::classes, "number of classes").in(2, 1000);
  s.field("clusters", &P::clusters, "groups of clients with similar models").in(1, 1000);
  s.field("samples_per_client", &P::samples_per_client,
          "samples of each client, its test samples included; lognormal = the paper's law")
      .in(2, 1e6)
      .or_word("lognormal");
  return s;
}

namespace {

class LeafSynthetic final : public DataSource {
 public:
  explicit LeafSynthetic(const LeafSyntheticParams& params)
      : params_(params),
        features_(static_cast<std::size_t>(params.features)),
        classes_(static_cast<std::size_t>(params.classes)),
        clusters_(static_cast<std::size_t>(params.clusters)) {}

  LoadedData load(const DataOptions& options, std::uint64_t seed) const override {
    generated_rows(options.clients, params_.samples_per_client.value_or(150), params_.features);
    Stream shared(seed, "data.leaf-synthetic.shared");
    std::vector<double> q((features_ + 1) * classes_ * clusters_);
    for (double& x : q) x = normal(shared);
    std::vector<double> mu(clusters_ * clusters_);
    for (std::size_t i = 0; i < clusters_; ++i) {
      const double location = normal(shared);
      for (std::size_t j = 0; j < clusters_; ++j) mu[i * clusters_ + j] = normal(shared, location);
    }
    LoadedData data;
    data.shape = classification_shape(params_.features, params_.classes);
    data.train.width = params_.features;
    for (int k = 0; k < options.clients; ++k) {
      Stream stream(seed, "data.leaf-synthetic", static_cast<std::uint64_t>(k));
      add_client(data, k, q, mu, stream);
      data.owners.push_back(std::to_string(k));
    }
    return data;
  }

 private:
  void add_client(LoadedData& data, int client, const std::vector<double>& q,
                  const std::vector<double>& mu, Stream& stream) const {
    std::size_t n = 0;
    if (params_.samples_per_client) {
      n = static_cast<std::size_t>(*params_.samples_per_client);
    } else {
      n = static_cast<std::size_t>(std::min(lognormal(stream, std::exp(3.0), 2), 1e6)) + 5;
      n = std::min<std::size_t>(n, 1000);
    }
    const std::size_t cluster = stream.below(static_cast<std::uint32_t>(clusters_));
    const double b = normal(stream);
    std::vector<double> v(features_), m(clusters_), w((features_ + 1) * classes_, 0.0);
    for (double& x : v) x = normal(stream, b);
    for (std::size_t j = 0; j < clusters_; ++j) {
      m[j] = normal(stream, mu[cluster * clusters_ + j], 0.1);
    }
    for (std::size_t i = 0; i < w.size(); ++i) {
      for (std::size_t j = 0; j < clusters_; ++j) w[i] += q[i * clusters_ + j] * m[j];
    }
    std::vector<double> logits(classes_);
    const int first = append_rows(data.train, data.train_owner, n, client);
    for (int i = first; i < data.train.rows(); ++i) {
      for (std::size_t c = 0; c < classes_; ++c) logits[c] = w[c] + normal(stream, 0, 0.1);
      float* row = data.train.row(i);
      for (std::size_t j = 0; j < features_; ++j) {
        const double x = normal(stream, v[j], std::pow(static_cast<double>(j + 1), -0.6));
        row[j] = static_cast<float>(x);
        for (std::size_t c = 0; c < classes_; ++c) logits[c] += x * w[(j + 1) * classes_ + c];
      }
      data.train.labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(
          std::max_element(logits.begin(), logits.end()) - logits.begin());
    }
  }

  LeafSyntheticParams params_;
  std::size_t features_, classes_, clusters_;
};

SKIFF_REGISTER(DataSource, LeafSynthetic, LeafSyntheticParams,
               {.name = "leaf-synthetic",
                .summary = "LEAF's generator: clusters of linear tasks",
                .paper = "Caldas et al. 2018 (LEAF), arXiv:1812.01097",
                .verified = "sizes, moments of the features, classes in use"});

}  // namespace
}  // namespace skiff
