// What the tests of methods share: quadratic clients f_i(x) = x' D_i x / 2 - c_i' x, D_i diagonal,
// run through the real ClientContext, parametrization, optimizer and codecs.
//
// A client is one row of samples: (D_i, c_i). The model starts where `start` says. Problems may be
// shifted so that their optimum is 0, where single precision is as fine as one likes.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/client_context.h"
#include "algorithms/federated_method.h"
#include "algorithms/method_steps.h"
#include "algorithms/optimizer.h"
#include "algorithms/parametrization.h"
#include "sim/core/registry.h"

namespace skiff::testing {

using Keys = std::vector<std::pair<std::string, std::string>>;

template <class Role>
std::shared_ptr<const Role> named(const std::string& name, const Keys& keys = {}) {
  Node map;
  map.set(Role::kKey, Node::scalar(name));
  for (const auto& [key, value] : keys) map.set(key, Node::scalar(value));
  return Registry<Role>::instance().make(map);
}

class Quadratics final : public Architecture {
 public:
  explicit Quadratics(std::vector<float> start)
      : start_(std::move(start)), layout_(flat_layout(start_.size())) {
    task_.width = 2 * static_cast<int>(start_.size());
    task_.classes = 2;
  }
  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override { return "quadratics"; }
  void initialise(Vector& weights, Stream) const override { weights.values = start_; }
  double loss_and_gradient(Weights& weights, const Batch& batch, Workspace&) const override {
    const std::span<const float> x = weights.values(0);
    const float *d = batch.inputs[0], *c = d + x.size();
    std::vector<float> g(x.size());
    double loss = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double at = x[j], slope = double(d[j]) * at - double(c[j]);
      g[j] = static_cast<float>(slope);
      loss += 0.5 * double(d[j]) * at * at - double(c[j]) * at;
    }
    weights.add_gradient(0, g);
    return loss;
  }
  Evaluation evaluate(Weights&, const Batch&, Workspace&) const override { return {}; }
  void predict(Weights&, const Batch&, std::span<float>, Workspace&) const override {}
  StepCost training_cost(const Layout&, int) const override { return {}; }
  StepCost inference_cost(const Layout&, int) const override { return {}; }

 private:
  std::vector<float> start_;
  LayoutPtr layout_;
  TaskShape task_;
};

// A composition, its server and its clients, outside any simulation.
struct Federation {
  Samples samples;
  std::vector<std::uint32_t> rows;  // of all clients, one after the other
  std::vector<std::size_t> begin;   // of client k in rows; clients + 1 entries
  std::vector<std::int64_t> steps;  // of each client, unless the method draws them
  std::vector<double> weight;       // of each client in the mean
  Composition composition;
  std::shared_ptr<const FederatedMethod> method;
  Server server;
  std::vector<ClientState> states;

  Federation(const std::string& name, const Keys& keys, std::shared_ptr<const Architecture> model,
             Samples data, std::vector<std::size_t> starts, const std::string& learning_rate,
             std::shared_ptr<const Codec> up = named<Codec>("dense"), const Keys& sgd = {})
      : samples(std::move(data)),
        rows(starts.back()),
        begin(std::move(starts)),
        steps(begin.size() - 1, 1),
        weight(begin.size() - 1, 1.0),
        method(named<FederatedMethod>(name, keys)),
        states(begin.size() - 1) {
    std::iota(rows.begin(), rows.end(), 0u);
    composition.models = {std::move(model)};
    Keys optimizer = sgd;
    optimizer.emplace_back("learning_rate", learning_rate);
    Plan plan;
    plan.name = "all";
    plan.parametrization = named<Parametrization>("full");
    plan.optimizer = named<Optimizer>("sgd", optimizer);
    plan.down = named<Codec>("dense");
    plan.up = std::move(up);
    composition.plans = {std::move(plan)};
    composition.prepare_dense();
    composition.clients = static_cast<std::int64_t>(states.size());
    composition.horizon = 1;
    composition.seed = 1;
    server.models.emplace_back().weights = Vector(composition.models[0]->layout());
    composition.models[0]->initialise(server.models[0].weights, Stream(1, "initialise"));
    method->start(composition, server);
  }

  std::size_t clients() const { return states.size(); }
  std::vector<float>& model() { return server.models[0].weights.values; }

  Message answer(std::size_t k, std::int64_t count, ClientState& state) const {
    const Plan& plan = composition.global();
    const auto client = static_cast<ClientId>(k);
    Message message;
    method->broadcast(composition, server, plan, client, message);
    const Vector received = method->received(composition, plan, message);
    const Stream stream(composition.seed, "client", client,
                        static_cast<std::uint64_t>(server.version));
    auto weights = plan.parametrization->bind(nullptr, received, stream, nullptr);
    Workspace workspace;
    const std::span<const std::uint32_t> shard =
        std::span(rows).subspan(begin[k], begin[k + 1] - begin[k]);
    const ClientContext::Job job{composition,
                                 plan,
                                 *plan.parametrization,
                                 client,
                                 server.version,
                                 count,
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
  // Everybody takes part, with `count` local steps or, if 0, with their own.
  void round(std::int64_t count = 0) {
    const auto base = std::make_shared<const Server>(server);
    std::vector<Update> updates;
    for (std::size_t k = 0; k < clients(); ++k) {
      const std::int64_t own = count > 0 ? count : steps[k];
      updates.push_back({static_cast<ClientId>(k), weight[k], 0, &composition.global(), base,
                         answer(k, own, states[k]), own});
    }
    server = method->aggregate(composition, *base, updates);
  }
};

// Clients' curvatures and pulls as samples of one row each.
inline Samples quadratic_rows(const std::vector<std::vector<double>>& curvature,
                              const std::vector<std::vector<double>>& pull) {
  const std::size_t d = curvature.front().size();
  Samples samples(curvature.size(), static_cast<int>(2 * d));
  for (std::size_t i = 0; i < curvature.size(); ++i) {
    float* row = samples.row(static_cast<int>(i));
    for (std::size_t j = 0; j < d; ++j) {
      row[j] = static_cast<float>(curvature[i][j]);
      row[d + j] = static_cast<float>(pull[i][j]);
    }
    samples.labels[i] = 0;
  }
  return samples;
}
inline std::vector<std::size_t> one_row_each(std::size_t clients) {
  std::vector<std::size_t> begin(clients + 1);
  std::iota(begin.begin(), begin.end(), std::size_t{0});
  return begin;
}

// f_i = (x - a_i)^2 / 2 with a = (0, 1): where methods with unequal steps end is known.
inline Federation two_parabolas(const std::string& name, const Keys& keys,
                                const std::string& learning_rate, const Keys& sgd = {}) {
  return {name,
          keys,
          std::make_shared<Quadratics>(std::vector<float>{0.3f}),
          quadratic_rows({{1}, {1}}, {{0}, {1}}),
          one_row_each(2),
          learning_rate,
          named<Codec>("dense"),
          sgd};
}

}  // namespace skiff::testing
