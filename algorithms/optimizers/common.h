// What all optimizers have in common: step size, schedule, weight decay, and what becomes of a
// client's moments between rounds.
//
// Weight decay is decoupled (Loshchilov and Hutter 2019, arXiv:1711.05101): w *= 1 - learning_rate
// * weight_decay before the step, so it never enters moments; model.l2 is the penalty that enters
// the gradient. Immutable, thread-safe.
#pragma once

#include <optional>
#include <string>

#include "algorithms/optimizer.h"
#include "algorithms/optimizers/schedule.h"
#include "sim/core/registry.h"

namespace skiff {

struct OptimizerParams {
  OptimizerParams();
  double learning_rate = 0;
  double weight_decay = 0;
  Chosen<Schedule> schedule;  // {name: constant} unless chosen
  std::string client_state = "reset";
  std::optional<Bytes> state_limit;

  double rate(std::int64_t round, std::int64_t horizon) const;
  ClientStatePolicy policy() const;
};

// Weight decay that would turn the sign of the weights is refused.
void check_decay(const OptimizerParams& params, const Node& map, Reader& reader);

// The fields that open the schema of every optimizer; P derives from OptimizerParams.
template <class P>
void add_common_fields(Schema<P>& s, const std::string& name) {
  s.field("learning_rate", &P::learning_rate, "step size")
      .required("by " + name + "; skiff has no default that changes results")
      .above(0);
  s.field("weight_decay", &P::weight_decay, "share of a weight lost per step and learning rate")
      .at_least(0);
  s.field("schedule", &P::schedule, "how the learning rate changes over the rounds");
  s.field("client_state", &P::client_state,
          "moments of a client: forgotten after its round or kept on it; moments of the "
          "server: training.method: {name: fedadam}")
      .one_of({"reset", "persistent"});
  s.field("state_limit", &P::state_limit, "most memory that the moments may take").or_word("none");
  s.check([](const P& p, const Node& map, Reader& reader) { check_decay(p, map, reader); });
}

// "1 never sees a gradient" of a share that must be below 1.
void check_below_one(double beta, const char* name, const Node& map, Reader& reader);

// beta1, beta2 and epsilon of the optimizers that are kin of Adam; P has members of these names.
template <class P>
void add_adam_fields(Schema<P>& s) {
  s.field("beta1", &P::beta1, "share of the mean gradient that is kept, below 1").in(0, 1);
  s.field("beta2", &P::beta2, "share of the mean squared gradient that is kept, below 1").in(0, 1);
  s.field("epsilon", &P::epsilon, "added to the root below, against division by zero")
      .at_least(1e-30);  // a float, not 0
  s.check([](const P& p, const Node& map, Reader& reader) {
    check_below_one(p.beta1, "beta1", map, reader);
    check_below_one(p.beta2, "beta2", map, reader);
  });
}

// w *= 1 - learning_rate * weight_decay
void decay(std::span<float> w, double learning_rate, double weight_decay);

}  // namespace skiff
