// FedP3's parameters and the half of it that shares masks; see fedp3.cpp and fedp3_masks.cpp.
#pragma once

#include <optional>
#include <string>

#include "algorithms/aggregation/layer_groups.h"
#include "algorithms/federated_method.h"

namespace skiff {

struct FedP3Params {
  std::string layers;
  std::string share = "assigned-layers";
  double sparsity = 0.1;
  std::string local_pruning = "none";
  double local_keep = 0.5;
  std::string aggregation = "mean";
  std::string head = "personal";
  std::optional<double> clip;
  double noise = 0;

  // Of this plan: its tier's, or that of the method.
  double sparsity_of(const Plan& plan) const { return plan.sparsity.value_or(sparsity); }
  // Layers that a client of this plan is given, the head not counted.
  std::size_t layers_of(const Plan& plan) const;
};

// By layer, the head last: 1 if the client is given it.
std::vector<std::uint8_t> given_to(const FedP3Params& p, const Composition& c, const Plan& plan,
                                   const std::vector<LayerGroup>& groups, ClientId client);

// Sizes, messages and answers where layers are shared. Immutable.
class FedP3Wire {
 public:
  explicit FedP3Wire(const FedP3Params& p) : p_(p) {}
  Exchange exchange(const Composition& c, const Plan& plan, ClientId client) const;
  void broadcast(const Composition& c, const Server& server, const Plan& plan, ClientId client,
                 Message& message) const;
  Vector received(const Composition& c, const Plan& plan, const Message& message) const;
  std::vector<std::uint8_t> given_by(const Message& message, std::size_t layers) const;
  // `head`: a personal one, or null.
  void answer(ClientContext& context, const std::vector<LayerGroup>& groups,
              const std::vector<std::uint8_t>& given, const Vector& change,
              const Vector* head) const;
  // What a client answered, as a change of the server's model.
  Vector answered(const Update& u, const std::vector<LayerGroup>& groups,
                  const std::vector<std::uint8_t>& given, const Vector& model) const;

 private:
  // The layers whose floats travel: without a personal head.
  std::vector<std::uint8_t> whole(std::vector<std::uint8_t> given) const;
  FedP3Params p_;
};

// The local steps, from the present parameters on.
void train_fedp3(const FedP3Params& p, ClientContext& context, const LayerGroup& head);
// What every client can draw: the model before the first round.
Vector initial_model(const ClientContext& context);

// Only masks are shared. Immutable; the methods of its name of FederatedMethod.
class MaskSharing {
 public:
  explicit MaskSharing(const FedP3Params& p) : p_(p) {}
  void start(const Composition& c, Server& server) const;
  Exchange exchange(const Composition& c, const Plan& plan, ClientId client) const;
  void broadcast(const Composition& c, const Server& server, const Plan& plan,
                 Message& message) const;
  Vector received(const Composition& c, const Plan& plan, const Message& message) const;
  void client(ClientContext& context) const;
  Server aggregate(const Composition& c, const Server& server,
                   std::span<const Update> updates) const;
  std::vector<Predictor> predictors(const Composition& c, const Server& server) const;

 private:
  FedP3Params p_;
};

}  // namespace skiff
