// What the tests of distillation share: clients over a small task that a teacher can learn, run
// through the real ClientContext, codecs and methods; every message is as long as was declared.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "algorithms/client_context.h"
#include "algorithms/distillation/teaching.h"
#include "algorithms/method_steps.h"
#include "algorithms/models/dense_network.h"
#include "algorithms/models/full_weights.h"
#include "algorithms/models/losses.h"

namespace skiff::testing {

inline Node word(const std::string& text) { return Node::scalar(text); }
inline Node map_of(std::vector<std::pair<std::string, Node>> entries) {
  Node map;
  for (auto& [key, value] : entries) map.set(key, std::move(value));
  return map;
}
inline Node list_of(std::vector<Node> items) {
  Node list;
  list.kind = Node::Kind::kList;
  list.items = std::move(items);
  return list;
}
inline Node mlp_of(int hidden) {
  return map_of(
      {{"architecture", word("mlp")}, {"hidden", list_of({word(std::to_string(hidden))})}});
}
inline Node teacher_of(int hidden, int epochs) {
  Node node = mlp_of(hidden);
  node.set("pretrain_epochs", word(std::to_string(epochs)));
  node.set("optimizer", map_of({{"name", word("adamw")}, {"learning_rate", word("0.01")}}));
  return node;
}

// Two features, three classes: which of three waves is highest.
inline std::shared_ptr<Samples> waves(int rows, double shift) {
  auto samples = std::make_shared<Samples>(static_cast<std::size_t>(rows), 2);
  for (int i = 0; i < rows; ++i) {
    const double x = std::sin(1.7 * i + shift), y = std::cos(2.9 * i + 2 * shift);
    samples->row(i)[0] = static_cast<float>(x);
    samples->row(i)[1] = static_cast<float>(y);
    int best = 0;
    double most = -9;
    for (int j = 0; j < 3; ++j) {
      const double height = std::sin(2 * x + j) * std::cos(3 * y - j) + 0.5 * x * y;
      if (height > most) most = height, best = j;
    }
    samples->labels[static_cast<std::size_t>(i)] = best;
  }
  return samples;
}
inline TaskShape wave_task() {
  TaskShape task;
  task.width = 2;
  task.classes = 3;
  return task;
}

template <class Role>
std::shared_ptr<const Role> made(const Node& node) {
  return Registry<Role>::instance().make(node);
}

struct School {
  std::shared_ptr<Samples> samples = waves(120, 0);
  std::vector<std::uint32_t> rows;
  std::vector<std::size_t> begin;
  Composition composition;
  std::shared_ptr<const Distillation> method;
  Server server;
  std::vector<ClientState> states;
  std::int64_t steps = 20;

  School(const Node& how, std::vector<std::size_t> starts, int hidden = 8)
      : rows(starts.back()),
        begin(std::move(starts)),
        method(made<Distillation>(how)),
        states(begin.size() - 1) {
    std::iota(rows.begin(), rows.end(), 0U);
    composition.models = {std::make_shared<const DenseNetwork>(
        wave_task(), DenseNetwork::Options{.family = "mlp", .hidden = {hidden}})};
    Plan plan;
    plan.name = "all";
    plan.parametrization = made<Parametrization>(map_of({{"name", word("full")}}));
    plan.optimizer =
        made<Optimizer>(map_of({{"name", word("adamw")}, {"learning_rate", word("0.02")}}));
    plan.down = plan.up = made<Codec>(map_of({{"name", word("dense")}}));
    composition.plans = {std::move(plan)};
    composition.server_samples = waves(300, 0.4);
    composition.clients = static_cast<std::int64_t>(states.size());
    composition.horizon = 1;
    composition.seed = 1;
    method->join(composition);
    composition.prepare_dense();
    for (std::size_t m = 0; m < composition.models.size(); ++m) {
      server.models.emplace_back().weights = Vector(composition.models[m]->layout());
      composition.models[m]->initialise(server.models[m].weights, Stream(1, "initialise", m));
    }
    method->start(composition, server);
  }

  std::size_t clients() const { return states.size(); }
  std::span<const std::uint32_t> shard(std::size_t k) const {
    return std::span(rows).subspan(begin[k], begin[k + 1] - begin[k]);
  }

  Message answer(std::size_t k) {
    const Plan& plan = composition.global();
    const auto client = static_cast<ClientId>(k);
    Message message;
    method->broadcast(composition, server, plan, client, message);
    const Exchange declared = method->exchange(composition, server, plan, plan.prepared, client);
    EXPECT_EQ(message.bytes(), declared.down_bytes());
    const Vector received = method->received(composition, plan, message);
    const Stream stream(1, "client", client, static_cast<std::uint64_t>(server.version));
    auto weights = plan.parametrization->bind(nullptr, received, stream, nullptr);
    Workspace workspace;
    const ClientContext::Job job{
        composition,
        plan,
        *plan.parametrization,
        client,
        server.version,
        steps,
        {samples.get(), shard(k)},
        message,
        received,
        states[k],
        stream,
        composition.models[method->model(composition, server, plan)].get()};
    ClientContext context(job, *weights, workspace);
    method->client(context);
    EXPECT_TRUE(context.finite());
    EXPECT_EQ(context.upload.bytes(), declared.up_bytes());
    return std::move(context.upload);
  }

  void round() {
    const auto base = std::make_shared<const Server>(server);
    std::vector<Update> updates;
    for (std::size_t k = 0; k < clients(); ++k) {
      updates.push_back({static_cast<ClientId>(k), static_cast<double>(shard(k).size()), 0,
                         &composition.global(), base, answer(k), steps});
    }
    server = method->aggregate(composition, *base, updates);
  }
};

}  // namespace skiff::testing
