// FederatedMethod: what is said, done and averaged in a round.
//
// Immutable. `exchange` answers with sizes before anything runs; `client` is a pure function of its
// context, run on any thread, and only for attempts that were accepted; `aggregate` sees the
// accepted updates in client-id order. The protocol (synchronous, buffered) is no concern of it: it
// decides when aggregate is called. A client's state changes only if its update is accepted.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "algorithms/client_context.h"
#include "algorithms/cost.h"
#include "algorithms/plan.h"
#include "algorithms/server.h"

namespace skiff {

// A model to evaluate: its members' logits are averaged.
struct Predictor {
  std::string scope;      // "global", "tier:<plan>", "client:<id>", "prefix:<m>"
  std::size_t model = 0;  // index into Composition::models, of all members
  std::vector<std::shared_ptr<const Vector>> members;
  std::vector<std::size_t> models = {};  // by member, where they differ
  std::size_t model_of(std::size_t member) const { return models.empty() ? model : models[member]; }
};
// A vector of the server's, which outlives the predictor.
inline std::shared_ptr<const Vector> borrowed(const Vector& v) {
  return {std::shared_ptr<void>(), &v};
}
// What a model of the server is worth on the test data: itself, or its adapters merged.
std::shared_ptr<const Vector> predicting(const Composition&, const Server&, const GlobalModel&);

class FederatedMethod {
 public:
  static constexpr const char* kRole = "method";
  static constexpr const char* kKey = "name";
  virtual ~FederatedMethod() = default;

  // Server at version 0 with initialised weights: gives the method's own state its start.
  virtual void start(const Composition&, Server&) const {}
  // The next three are FedAvg's unless a method says otherwise: the model down, local training, the
  // update up.
  // Sizes of what a client of this plan is told and answers.
  virtual Exchange exchange(const Composition&, const Server&, const Plan&, const Shape&,
                            ClientId) const;
  // The sections themselves; sizes must equal exchange().down.
  virtual void broadcast(const Composition&, const Server&, const Plan&, ClientId, Message&) const;
  // What a client reads of the model section: its weights' start.
  virtual Vector received(const Composition&, const Plan&, const Message&) const;
  // False: all clients of a plan are told the same, so it is encoded and decoded once.
  virtual bool broadcast_depends_on_client() const { return false; }
  virtual void client(ClientContext&) const;
  virtual Server aggregate(const Composition&, const Server&, std::span<const Update>) const = 0;
  virtual std::vector<Predictor> predictors(const Composition&, const Server& server) const;
  // Figures of the method's own, recorded with each round's metrics, and their names.
  virtual std::vector<std::string> figure_names() const { return {}; }
  virtual std::vector<double> figures(const Composition&, const Server&) const { return {}; }
  // The model that a client with this state uses itself; nothing: the server's.
  virtual std::optional<Vector> personal_model(const Composition&, const Server&,
                                               ClientState&) const {
    return std::nullopt;
  }

  // What a client keeps for the method between participations (codec state is counted apart).
  virtual Bytes client_state_bytes(const Composition&, const Plan&) const { return Bytes(0); }
  // Extra peak RAM while training (control variates).
  virtual Bytes training_bytes(const Composition&, const Plan&) const { return Bytes(0); }

  // Which of the composition's models the clients of a round are told and work on, where that is
  // not their plan's.
  virtual std::size_t model(const Composition&, const Server&, const Plan& plan) const {
    return plan.model;
  }
  // What a client does in a round of this version, where that is not training its plan's model;
  // its storage is what the method keeps there for these samples. Bytes are not asked.
  virtual std::optional<Cost> phase_cost(const Composition&, const Server&, const Plan&,
                                         std::int64_t /*samples*/, std::int64_t /*steps*/) const {
    return std::nullopt;
  }
  // Keeps something for each sample, besides client_state_bytes.
  virtual bool keeps_by_sample() const { return false; }

  // Local steps of every client that starts from this version, if draws_steps().
  virtual std::int64_t drawn_steps(const Composition&, std::int64_t /*version*/) const { return 0; }

  // Declared properties, for refusals().
  virtual bool needs_everyone() const { return false; }  // sampling breaks its invariant
  virtual bool keeps_vectors() const { return false; }  // clients keep vectors of the model's space
  virtual bool keeps_moments() const { return false; }  // so does the server; its step is its own
  virtual bool needs_plain_sgd() const { return false; }  // its corrections assume w -= lr g
  virtual bool synchronous() const { return false; }      // cannot be buffered
  virtual bool draws_steps() const { return false; }      // local steps are the method's choice
  virtual bool needs_gradient_weights() const { return false; }  // divides by them: Optimizer
  virtual bool needs_exact_mean() const { return false; }    // clients must read the mean as it is
  virtual bool applies_server_half() const { return true; }  // of a codec that has one
  virtual bool has_own_wire() const { return false; }        // plans' `up` codecs are not used
  virtual bool says_model_itself() const { return false; }   // down: only whole, dense models
  virtual bool reads_gradient() const { return false; }      // beside the weights it belongs to
  virtual bool sets_parameters() const { return false; }     // all that is trained must be received
  virtual bool keeps_frozen_model() const { return false; }  // in flash, beside what is sent
  // The codecs of its plans, where the method says them itself; null: the scenario does.
  virtual std::shared_ptr<const Codec> own_down() const { return nullptr; }
  virtual std::shared_ptr<const Codec> own_up() const { return nullptr; }
};

}  // namespace skiff
