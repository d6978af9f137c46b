// Synthetic(alpha, beta) of FedProx (Li et al. 2020, section 5.1), as its authors' code draws it:
// for each client k of d = 60 features and C = 10 classes
//   n_k = int(LogNormal(4, 2)) + 50,  u_k ~ N(0, alpha),  B_k ~ N(0, beta),
//   v_k ~ N(B_k 1, I),  W_k ~ N(u_k, 1)^(d x C),  b_k ~ N(u_k, 1)^C,
//   x ~ N(v_k, diag(j^-1.2)),  y = argmax softmax(W_k^T x + b_k).
// iid: one W, b ~ N(0, 1) for all and v = 0.
#include <cmath>

#include "algorithms/data/generators.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {
struct SyntheticParams {
  double alpha = 0;
  double beta = 0;
  bool iid = false;
  std::optional<int> samples_per_client;
};
}  // namespace

template <>
Schema<SyntheticParams> schema() {
  using P = SyntheticParams;
  Schema<P> s;
  s.field("alpha", &P::alpha, "how much the clients' models differ (a standard deviation)")
      .required("by synthetic; the paper has 0, 0.5 and 1")
      .in(0, 1000);
  s.field("beta", &P::beta, "how much the clients' features differ (a standard deviation)")
      .required("by synthetic; the paper has 0, 0.5 and 1")
      .in(0, 1000);
  s.field("iid", &P::iid, "one model and one law of features for all clients");
  s.field("samples_per_client", &P::samples_per_client,
          "samples of each client, its test samples included; lognormal = the paper's law")
      .in(2, 1e6)
      .or_word("lognormal");
  return s;
}

namespace {

constexpr std::size_t kFeatures = 60, kClasses = 10;

class Synthetic final : public DataSource {
 public:
  explicit Synthetic(const SyntheticParams& params) : params_(params) {}

  LoadedData load(const DataOptions& options, std::uint64_t seed) const override {
    generated_rows(options.clients, params_.samples_per_client.value_or(450), kFeatures);
    LoadedData data;
    data.shape = classification_shape(kFeatures, kClasses);
    data.train.width = kFeatures;
    Stream shared(seed, "data.synthetic.shared");
    const Model common = draw_model(0, shared);
    for (int k = 0; k < options.clients; ++k) {
      Stream stream(seed, "data.synthetic", static_cast<std::uint64_t>(k));
      const std::size_t n =
          params_.samples_per_client
              ? static_cast<std::size_t>(*params_.samples_per_client)
              : static_cast<std::size_t>(lognormal(stream, std::exp(4.0), 2)) + 50;
      const double u = normal(stream, 0, params_.alpha);
      const double b = normal(stream, 0, params_.beta);
      std::vector<double> v(kFeatures, 0.0);
      if (!params_.iid) {
        for (double& x : v) x = normal(stream, b, 1);
      }
      const Model own = params_.iid ? common : draw_model(u, stream);
      const int first = append_rows(data.train, data.train_owner, n, k);
      for (int i = first; i < data.train.rows(); ++i) {
        data.train.labels[static_cast<std::size_t>(i)] = sample(own, v, stream, data.train.row(i));
      }
      data.owners.push_back("f_" + std::to_string(k));
    }
    return data;
  }

 private:
  struct Model {
    std::vector<double> w, b;  // w: features x classes
  };

  static Model draw_model(double mean, Stream& stream) {
    Model model{std::vector<double>(kFeatures * kClasses), std::vector<double>(kClasses)};
    for (double& x : model.w) x = normal(stream, mean, 1);
    for (double& x : model.b) x = normal(stream, mean, 1);
    return model;
  }

  static std::int32_t sample(const Model& model, const std::vector<double>& v, Stream& stream,
                             float* row) {
    std::vector<double> logits = model.b;
    for (std::size_t j = 0; j < kFeatures; ++j) {
      const double x = normal(stream, v[j], std::pow(static_cast<double>(j + 1), -0.6));
      row[j] = static_cast<float>(x);
      for (std::size_t c = 0; c < kClasses; ++c) logits[c] += x * model.w[j * kClasses + c];
    }
    return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) -
                                     logits.begin());
  }

  SyntheticParams params_;
};

SKIFF_REGISTER(DataSource, Synthetic, SyntheticParams,
               {.name = "synthetic",
                .summary = "Synthetic(alpha, beta): clients whose models and features differ",
                .paper = "Li et al. 2020 (FedProx), arXiv:1812.06127, section 5.1",
                .verified = "moments of the features, sizes, label skew that grows with alpha",
                .deviates = "alpha and beta are standard deviations, as in the authors' code; the "
                            "paper's text reads them as variances"});

}  // namespace
}  // namespace skiff
