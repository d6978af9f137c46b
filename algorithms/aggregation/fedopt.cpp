// FedAdam, FedYogi, FedAdagrad: Reddi et al. 2021, "Adaptive federated optimization", algorithm 2
// (ICLR; arXiv:2003.00295). D is the mean update of the round:
//
//   m <- beta1 m + (1 - beta1) D
//   FedAdagrad  v <- v + D^2
//   FedYogi     v <- v - (1 - beta2) D^2 sign(v - D^2)
//   FedAdam     v <- beta2 v + (1 - beta2) D^2
//   x <- x + eta m / (sqrt(v) + tau)
//
// coordinate by coordinate, without bias correction. eta is server.learning_rate and must be
// written. Start: m = 0, v = tau^2. The paper's inner constants are the defaults: beta1 = 0.9 (0
// for FedAdagrad), beta2 = 0.99. State of the server: "fedopt.m", "fedopt.v", float32, formed in
// double. Wire: FedAvg's.

#include <cmath>

#include "algorithms/federated_method.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

enum class Rule { kAdagrad, kAdam, kYogi };

template <Rule rule>
struct FedOptParams {
  double tau = 0;
  double beta1 = rule == Rule::kAdagrad ? 0 : 0.9;
  double beta2 = 0.99;
};

template <Rule rule>
constexpr const char* kName = rule == Rule::kAdagrad ? "fedadagrad"
                              : rule == Rule::kAdam  ? "fedadam"
                                                     : "fedyogi";

template <Rule rule>
Schema<FedOptParams<rule>> fields() {
  using Params = FedOptParams<rule>;
  Schema<Params> s;
  s.field("tau", &Params::tau, "how adaptive: added to the root of the second moment")
      .required(std::string("by ") + kName<rule> + "; skiff has no default that changes results")
      .above(0);
  s.field("beta1", &Params::beta1, "share of the first moment that is kept").fraction(0, 0.999999);
  if (rule != Rule::kAdagrad) {
    s.field("beta2", &Params::beta2, "share of the second moment that is kept")
        .fraction(0, 0.999999);
  }
  return s;
}

}  // namespace

template <>
Schema<FedOptParams<Rule::kAdagrad>> schema() {
  return fields<Rule::kAdagrad>();
}
template <>
Schema<FedOptParams<Rule::kAdam>> schema() {
  return fields<Rule::kAdam>();
}
template <>
Schema<FedOptParams<Rule::kYogi>> schema() {
  return fields<Rule::kYogi>();
}

namespace {

template <Rule rule>
class FedOpt final : public FederatedMethod {
 public:
  explicit FedOpt(const FedOptParams<rule>& p) : p_(p) {}

  void start(const Composition& c, Server& server) const override {
    const std::size_t n = c.update_layout(c.global())->size;
    server.state.array<float>("fedopt.m", n);
    for (float& v : server.state.array<float>("fedopt.v", n)) {
      v = static_cast<float>(p_.tau * p_.tau);
    }
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    State state = server.state;
    Vector direction = mean_direction(c, server, updates, state);
    const std::size_t n = direction.values.size();
    const std::span<float> m = state.array<float>("fedopt.m", n);
    const std::span<float> v = state.array<float>("fedopt.v", n);
    for (std::size_t j = 0; j < n; ++j) {
      const double d = direction.values[j];
      const double first = p_.beta1 * m[j] + (1 - p_.beta1) * d;
      const double second = second_moment(v[j], d * d);
      m[j] = static_cast<float>(first);
      v[j] = static_cast<float>(second);
      direction.values[j] = static_cast<float>(first / (std::sqrt(second) + p_.tau));
    }
    return advance_with(c, server, direction, std::move(state));
  }

  bool keeps_moments() const override { return true; }

 private:
  double second_moment(double v, double square) const {
    if constexpr (rule == Rule::kAdagrad) return v + square;
    if constexpr (rule == Rule::kAdam) return p_.beta2 * v + (1 - p_.beta2) * square;
    const double sign = v > square ? 1 : v < square ? -1 : 0;
    return v - (1 - p_.beta2) * square * sign;
  }

  FedOptParams<rule> p_;
};

SKIFF_REGISTER(FederatedMethod, FedOpt<Rule::kAdam>, FedOptParams<Rule::kAdam>,
               {.name = kName<Rule::kAdam>,
                .summary = "Adam at the server",
                .paper = "Reddi et al. 2021, arXiv:2003.00295",
                .verified = "first steps on a known update equal the closed form to 1e-6",
                .properties = {"server-learning-rate"}});
SKIFF_REGISTER(FederatedMethod, FedOpt<Rule::kYogi>, FedOptParams<Rule::kYogi>,
               {.name = kName<Rule::kYogi>,
                .summary = "Yogi at the server",
                .paper = "Reddi et al. 2021, arXiv:2003.00295",
                .verified = "first steps on a known update equal the closed form to 1e-6",
                .properties = {"server-learning-rate"}});
SKIFF_REGISTER(FederatedMethod, FedOpt<Rule::kAdagrad>, FedOptParams<Rule::kAdagrad>,
               {.name = kName<Rule::kAdagrad>,
                .summary = "Adagrad at the server",
                .paper = "Reddi et al. 2021, arXiv:2003.00295",
                .verified = "first steps on a known update equal the closed form to 1e-6",
                .properties = {"server-learning-rate"}});

}  // namespace
}  // namespace skiff
