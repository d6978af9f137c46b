// A small composition for the contracts of methods, parametrizations and models: a classifier of
// 6 features and 3 classes, 4 clients of 20 samples.
#pragma once

#include <numeric>
#include <utility>
#include <vector>

#include "algorithms/client_context.h"
#include "algorithms/federated_method.h"
#include "algorithms/method_steps.h"
#include "tests/contract/contract_test.h"

namespace skiff::testing {

inline TaskShape small_task() {
  return {.kind = TaskKind::kClassification, .width = 6, .classes = 3};
}

inline Samples small_samples(int rows = 80) {
  const TaskShape task = small_task();
  Samples samples(static_cast<std::size_t>(rows), task.width);
  Stream s(2, "contract samples");
  for (int i = 0; i < rows; ++i) {
    const auto label = static_cast<std::int32_t>(s.below(3));
    samples.labels[static_cast<std::size_t>(i)] = label;
    for (int j = 0; j < task.width; ++j) {
      samples.row(i)[j] = s.uniform_float() - 0.5f + (j % 3 == label ? 1.0f : 0.0f);
    }
  }
  return samples;
}

template <class Role>
std::shared_ptr<const Role> named(
    const std::string& name, const std::vector<std::pair<std::string, std::string>>& keys = {}) {
  Node map;
  map.set(Role::kKey, Node::scalar(name));
  for (const auto& [key, value] : keys) map.set(key, Node::scalar(value));
  return Registry<Role>::instance().make(map);
}

struct SmallFederation {
  static constexpr int kClients = 4, kRowsEach = 20, kSteps = 4;
  Samples samples = small_samples();
  std::vector<std::uint32_t> rows;
  Composition composition;
  std::shared_ptr<const FederatedMethod> method;
  Server server;
  std::vector<ClientState> states = std::vector<ClientState>(kClients);

  SmallFederation(std::shared_ptr<const FederatedMethod> m, std::shared_ptr<const Codec> up,
                  std::shared_ptr<const Parametrization> parametrization)
      : rows(kClients * kRowsEach), method(std::move(m)) {
    std::iota(rows.begin(), rows.end(), 0u);
    composition.models = {named<ModelFamily>("logistic-regression")->build(small_task())};
    Plan plan;
    plan.name = "all";
    plan.parametrization = std::move(parametrization);
    plan.optimizer = named<Optimizer>("sgd", {{"learning_rate", "0.1"}});
    plan.down = named<Codec>("dense");
    plan.up = std::move(up);
    plan.work = {.epochs = 1, .steps = std::nullopt, .batch = 5, .clip_norm = std::nullopt};
    composition.plans = {std::move(plan)};
    composition.prepare_dense();
    composition.clients = kClients;
    composition.horizon = 10;
    composition.seed = 4;
    GlobalModel model;
    model.weights = Vector(composition.models[0]->layout());
    composition.models[0]->initialise(model.weights, Stream(4, "initialise"));
    server.models = {std::move(model)};
    method->start(composition, server);
  }

  Exchange exchange(ClientId client) const {
    const Shape shape = dense_shape(composition.models[0]->layout());
    return method->exchange(composition, server, composition.global(), shape, client);
  }
  Message broadcast(ClientId client) const {
    Message message;
    method->broadcast(composition, server, composition.global(), client, message);
    return message;
  }
  // What one client answers; `state` is the copy that the attempt may change.
  Message answer(ClientId client, const Message& message, ClientState& state) const {
    const Plan& plan = composition.global();
    const Vector received = method->received(composition, plan, message);
    const Stream stream(composition.seed, "client", client,
                        static_cast<std::uint64_t>(server.version));
    auto weights = plan.parametrization->bind(nullptr, received, stream, nullptr);
    Workspace workspace;
    const std::span<const std::uint32_t> shard =
        std::span(rows).subspan(client * kRowsEach, kRowsEach);
    const ClientContext::Job job{composition,
                                 plan,
                                 *plan.parametrization,
                                 client,
                                 server.version,
                                 kSteps,
                                 {&samples, shard},
                                 message,
                                 received,
                                 state,
                                 stream};
    ClientContext context(job, *weights, workspace);
    method->client(context);
    EXPECT_TRUE(context.finite());
    return std::move(context.upload);
  }
  // A round in which everybody takes part.
  void round() {
    const auto base = std::make_shared<const Server>(server);
    std::vector<Update> updates;
    for (ClientId k = 0; k < kClients; ++k) {
      updates.push_back(
          {k, 20, 0, &composition.global(), base, answer(k, broadcast(k), states[k]), kSteps});
    }
    server = method->aggregate(composition, *base, updates);
  }
};

}  // namespace skiff::testing
