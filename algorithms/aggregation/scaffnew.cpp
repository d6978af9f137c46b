// Scaffnew, that is ProxSkip for federated learning: Mishchenko et al. 2022 (ICML;
// arXiv:2202.09357), algorithm 2. The recursion is in proxskip.h.
//
// With f_i mu-strongly convex and L-smooth, gamma <= 1/L (training.optimizer.learning_rate) and
// full gradients, E Psi_t <= (1 - min(gamma mu, p^2))^t Psi_0, Psi = sum |x_i - x*|^2 + (gamma/p)^2
// sum |h_i - h_i*|^2: with p = 1/sqrt(kappa) it takes sqrt(kappa) log(1/eps) rounds. With weights
// p_i in the mean the same holds for sum p_i f_i and sum p_i h_i = 0. Wire: FedAvg's; a lossy codec
// makes x^_i what the server reads, so the h_i still sum to zero.

#include "algorithms/aggregation/proxskip.h"
#include "algorithms/federated_method.h"
#include "algorithms/method_steps.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct ScaffnewParams {
  double communication_probability = 1;
};

}  // namespace

template <>
Schema<ScaffnewParams> schema() {
  Schema<ScaffnewParams> s;
  proxskip::add_probability(s, "scaffnew");
  return s;
}

namespace {

class Scaffnew final : public FederatedMethod {
 public:
  explicit Scaffnew(const ScaffnewParams& p) : probability_(p.communication_probability) {}

  void client(ClientContext& context) const override {
    const std::vector<float>& x = context.received().values;
    proxskip::Shift shift(context.state(), x);
    context.train([&](const Slice& slice, std::span<const float>, std::span<float> g) {
      shift.correct(slice, g);
    });
    Vector update(context.composition().update_layout(context.plan()));
    context.weights().update(update);
    context.send(kUpdateSection, update);
    std::vector<double> local(x.begin(), x.end());
    for (std::size_t j = 0; j < local.size(); ++j) local[j] += update.values[j];
    shift.close(local, probability_, context.learning_rate());
  }

  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const override {
    Server next = server;
    ++next.version;
    const Plan& plan = c.global();
    Vector& target = plan.parametrization->target(next.models[plan.model]);
    std::vector<double> mean =
        proxskip::mean_of(updates, decode_updates(c, updates, kUpdateSection));
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += target.values[j];
    proxskip::round_to(mean, next.state, target.values);
    turn_space(c, next);
    return next;
  }

  std::int64_t drawn_steps(const Composition& c, std::int64_t version) const override {
    return proxskip::drawn_steps(c, probability_, version);
  }
  Bytes client_state_bytes(const Composition& c, const Plan& plan) const override {
    return proxskip::state_bytes(c.update_layout(plan)->size);
  }
  Bytes training_bytes(const Composition& c, const Plan& plan) const override {
    return client_state_bytes(c, plan);
  }
  bool needs_everyone() const override { return true; }
  bool keeps_vectors() const override { return true; }
  bool needs_plain_sgd() const override { return true; }
  bool synchronous() const override { return true; }
  bool draws_steps() const override { return true; }
  bool needs_exact_mean() const override { return true; }
  bool applies_server_half() const override { return false; }

 private:
  double probability_;
};

SKIFF_REGISTER(FederatedMethod, Scaffnew, ScaffnewParams,
               {.name = "scaffnew",
                .summary = "a coin decides when to communicate",
                .paper = "Mishchenko et al. 2022, arXiv:2202.09357",
                .verified = "the Lyapunov function on a heterogeneous quadratic equals independent "
                            "double-precision values; rounds at kappa = 1000 are 31 times fewer "
                            "than gradient descent's; the h_i sum to zero",
                .deviates = "the coins of a round are drawn before it starts; a client learns the "
                            "mean with its next download",
                .properties = {"draws-steps", "needs-everyone"}});

}  // namespace
}  // namespace skiff
