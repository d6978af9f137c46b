#include "algorithms/refusals.h"

#include <algorithm>

namespace skiff {
namespace {

bool any_plan(const Composition& c, bool (*test)(const Plan&)) {
  return std::any_of(c.plans.begin(), c.plans.end(), test);
}

void check_method(const Composition& c, const FederatedMethod& m, const ProtocolProperties& p,
                  std::vector<Refusal>& out) {
  if (m.needs_everyone() && !p.everyone_takes_part) {
    out.push_back({"training.method",
                   "every client is needed in every round (what they keep belongs together): "
                   "no sampling, deadline, over-selection or drop-out",
                   "participation"});
  }
  if (m.synchronous() && !p.synchronous) {
    out.push_back({"training.method",
                   "shares one round's control among its clients; it needs "
                   "server.protocol: synchronous",
                   ""});
  }
  if (m.needs_plain_sgd() &&
      any_plan(c, [](const Plan& plan) { return !plan.optimizer->plain_sgd(); })) {
    out.push_back({"training.optimizer",
                   "the method's corrections are gradients only for plain SGD: no momentum, no "
                   "weight decay",
                   "optimizer"});
  }
  if (m.needs_gradient_weights() &&
      any_plan(c, [](const Plan& plan) { return plan.optimizer->gradient_weight(1) < 0; })) {
    out.push_back({"training.optimizer",
                   "the method divides by how much each gradient weighs in an update, which this "
                   "optimizer does not fix: use sgd without weight decay",
                   "optimizer"});
  }
  if (m.needs_exact_mean() && c.server_learning_rate != 1) {
    out.push_back({"server.learning_rate",
                   "the method's clients must go on from the mean itself: remove it or write 1",
                   ""});
  }
  if (m.needs_exact_mean() &&
      any_plan(c, [](const Plan& plan) { return !plan.down->lossless(); })) {
    out.push_back({"compression.communication.download",
                   "the method's clients must read the mean as it is: only dense", ""});
  }
  if (m.needs_gradient_weights() &&
      any_plan(c, [](const Plan& plan) { return !plan.parametrization->sends_what_it_trains(); })) {
    out.push_back({"training.method",
                   "what is sent is no sum of gradients, so the method's division by their weights "
                   "means nothing",
                   ""});
  }
  if (m.keeps_vectors() &&
      any_plan(c, [](const Plan& plan) { return !plan.parametrization->sends_what_it_trains(); })) {
    out.push_back({"compression.adaptation",
                   "what is sent is not what is trained, so the method's kept vectors mean nothing",
                   ""});
  }
}

void check_projections(const Composition& c, const FederatedMethod& m, std::vector<Refusal>& out) {
  if (!any_plan(c, [](const Plan& p) { return !p.parametrization->shows_gradient(); })) return;
  if (m.reads_gradient()) {
    out.push_back({"training.method",
                   "the method corrects the gradient of every weight, and this optimizer never "
                   "forms it: choose another of the two",
                   ""});
  }
  if (c.architecture(c.global()).l2() != 0) {
    out.push_back({"model.l2",
                   "it adds to the gradient of every weight, and this optimizer never forms it: "
                   "remove it, or write weight_decay",
                   ""});
  }
}

void check_own_models(const Composition& c, const FederatedMethod& m, std::vector<Refusal>& out) {
  if (m.says_model_itself()) {
    if (any_plan(c, [](const Plan& plan) { return plan.compresses(); })) {
      out.push_back({"compression",
                     "the method cuts up a dense model by itself: remove pruning and quantization",
                     ""});
    }
    if (any_plan(c, [](const Plan& p) { return !p.parametrization->trains_base(); })) {
      out.push_back({"compression.adaptation",
                     "the method deals out the layers of a model that is trained itself: remove it",
                     ""});
    }
    if (any_plan(c, [](const Plan& plan) { return !plan.down->lossless(); })) {
      out.push_back({"compression.communication.download",
                     "the method says by itself what goes down: only dense", ""});
    }
  }
  if (m.sets_parameters() &&
      any_plan(c, [](const Plan& p) { return !p.parametrization->sends_what_it_trains(); })) {
    out.push_back({"compression.adaptation",
                   "the method masks all that is trained, and a part of it never leaves the device",
                   ""});
  }
}

void check_adaptation(const Composition& c, const FederatedMethod& m, std::vector<Refusal>& out) {
  const Parametrization& p = *c.global().parametrization;
  if (!p.trains_base() && c.architecture(c.global()).l2() != 0) {
    out.push_back(
        {"model.l2", "it pulls at weights that are frozen beside adapters: remove it", ""});
  }
  if (m.keeps_vectors() && p.space_lasts() <= 1) {
    out.push_back(
        {"training.method",
         "its clients keep vectors, and what is trained lies in another space every round",
         "space"});
  }
  if (m.keeps_moments() && p.space_lasts() <= 1) {
    out.push_back({"training.method",
                   "the server's moments are of one round's space and are used in another's",
                   "space"});
  }
  if (p.replaces() && (c.server_learning_rate != 1 || m.keeps_moments())) {
    out.push_back({"server.learning_rate",
                   "this aggregation makes new factors, which are no step from the old ones: the "
                   "server applies them as they are",
                   ""});
  }
  if (p.needs_exact_download() &&
      any_plan(c, [](const Plan& plan) { return !plan.down->lossless(); })) {
    out.push_back({"compression.communication.download",
                   "the server must know the factors that each client started from: only dense",
                   ""});
  }
  const auto size = [&](const Plan& plan) { return c.update_layout(plan)->size; };
  if (p.needs_equal_ranks() && std::any_of(c.plans.begin(), c.plans.end(), [&](const Plan& plan) {
        return size(plan) != size(c.global());
      })) {
    out.push_back(
        {"compression.adaptation",
         "it averages factors of one rank in all tiers; for unequal ranks write lora with "
         "aggregation flexlora, stacking, hetlora or zeropad, or rac-lora without "
         "adaptive_rank",
         ""});
  }
}

void check_own_uploads(const Composition& c, const FederatedMethod& m, std::vector<Refusal>& out) {
  const bool own = any_plan(c, [](const Plan& p) { return p.parametrization->own_upload(); });
  if (own && m.has_own_wire()) {
    out.push_back({"training.method",
                   "the method's uploads have a format of their own, and so have codes: write "
                   "wire: delta",
                   ""});
  }
  if (own && any_plan(c, [](const Plan& plan) { return !plan.up->lossless(); })) {
    out.push_back({"compression.communication",
                   "wire: codes sends the codes as they are: remove it, or write wire: delta", ""});
  }
  const bool moves = any_plan(c, [](const Plan& p) {
    return p.optimizer->client_state() == ClientStatePolicy::kPersistent &&
           !p.parametrization->keeps_moments();
  });
  if (moves) {
    out.push_back({"training.optimizer.client_state",
                   "what is trained (codes, factors of a client's own) is made anew for each "
                   "version, and moments with it: write reset",
                   ""});
  }
}

void check_codecs(const Composition& c, const FederatedMethod& m, const ProtocolProperties& p,
                  std::vector<Refusal>& out) {
  if (m.has_own_wire() && any_plan(c, [](const Plan& plan) { return !plan.up->lossless(); })) {
    out.push_back({"compression.communication",
                   "the method's uploads have a sparse format of their own: remove it", ""});
  }
  if (!m.applies_server_half() &&
      any_plan(c, [](const Plan& plan) { return plan.up->has_server_half(); })) {
    out.push_back({"compression.communication",
                   "the method keeps corrections of its own and has no use for the server half of "
                   "this codec",
                   ""});
  }
  if (!p.everyone_takes_part &&
      any_plan(c, [](const Plan& plan) { return plan.up->needs_everyone(); })) {
    out.push_back({"compression.communication",
                   "its two halves part when a client misses a round: no sampling, deadline, "
                   "over-selection or drop-out",
                   "participation"});
  }
  if (any_plan(c, [](const Plan& plan) {
        return plan.down->keeps_state() || plan.down->has_server_half();
      })) {
    out.push_back({"compression.communication.download",
                   "a broadcast has no memory of each client; the server's dense model is one",
                   ""});
  }
  const bool some = any_plan(c, [](const Plan& plan) { return plan.up->has_server_half(); });
  const bool all = std::all_of(c.plans.begin(), c.plans.end(),
                               [](const Plan& plan) { return plan.up->has_server_half(); });
  if (some && !all) {
    out.push_back({"compression.planner",
                   "a codec with a server half must serve every tier: there is one server half",
                   ""});
  }
  const bool short_lived = any_plan(c, [](const Plan& plan) {
    return plan.up->keeps_state() && plan.parametrization->space_lasts() <= 1;
  });
  if (short_lived) {
    out.push_back({"compression.communication",
                   "a residual kept in one round's space is added in another's: no theory holds",
                   "space"});
  }
}

void check_compressors(const Composition& c, const FederatedMethod& m, std::vector<Refusal>& out) {
  if (any_plan(c, [](const Plan& plan) {
        return plan.compresses() && plan.parametrization->trains_base() && !plan.down->lossless();
      })) {
    out.push_back({"compression.communication.download",
                   "what goes down is the compressed model itself: remove it", ""});
  }
  const bool anew = any_plan(c, [](const Plan& plan) {
    for (std::size_t i = 0; i < plan.compressors.size(); ++i) {
      if (plan.compressors[i]->removes_weights() && plan.when_of(i) != When::kStart) return true;
    }
    return false;
  });
  if (anew &&
      (m.keeps_vectors() || any_plan(c, [](const Plan& p) { return p.up->keeps_state(); }))) {
    out.push_back({"compression.pruning.at",
                   "the mask is drawn anew for each version, so what a client keeps from round to "
                   "round would change its meaning: write start",
                   ""});
  }
  const bool narrows = any_plan(c, [](const Plan& plan) {
    return std::any_of(plan.compressors.begin(), plan.compressors.end(),
                       [](const auto& compressor) { return compressor->changes_shapes(); });
  });
  if (narrows && any_plan(c, [](const Plan& p) { return !p.parametrization->trains_base(); })) {
    out.push_back({"compression.pruning",
                   "adapters have the full model's widths, which this pruner narrows: choose an "
                   "unstructured one",
                   ""});
  }
  if (narrows && m.keeps_vectors()) {
    out.push_back({"compression.pruning",
                   "the method's kept vectors have the full model's shapes, which this pruner "
                   "narrows: choose an unstructured one",
                   ""});
  }
}

}  // namespace

std::vector<Refusal> refusals(const Composition& composition, const FederatedMethod& method,
                              const ProtocolProperties& protocol,
                              std::vector<std::string>* labels) {
  std::vector<Refusal> all;
  check_method(composition, method, protocol, all);
  if (!composition.plans.empty()) check_projections(composition, method, all);
  check_codecs(composition, method, protocol, all);
  check_own_uploads(composition, method, all);
  check_compressors(composition, method, all);
  check_own_models(composition, method, all);
  if (!composition.plans.empty()) check_adaptation(composition, method, all);
  const auto allowed = [&](const Refusal& r) {
    const auto& words = composition.heuristic;
    const bool found = std::find(words.begin(), words.end(), r.heuristic) != words.end();
    if (found && labels != nullptr) labels->push_back(r.heuristic);
    return found;
  };
  std::erase_if(all, allowed);
  return all;
}

}  // namespace skiff
