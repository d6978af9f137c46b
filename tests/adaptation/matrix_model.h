// A model that is one m x n matrix W and a function of it, used through the seam of Weights alone:
// W^T is what the layer answers to the identity, and its gradient is handed over as factors.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algorithms/federated_method.h"
#include "algorithms/method_steps.h"
#include "algorithms/parametrization.h"
#include "sim/core/registry.h"

namespace skiff::testing {

// f(W), and its gradient into `g`: both row-major m x n.
using MatrixFunction = std::function<double(const std::vector<double>& w, std::vector<double>& g)>;

class MatrixModel final : public Architecture {
 public:
  // f of client k: a batch of one row whose only feature is k.
  MatrixModel(int rows, int cols, std::vector<MatrixFunction> f)
      : rows_(rows), cols_(cols), f_(std::move(f)) {
    auto layout = std::make_shared<Layout>();
    layout->add("only.weight", rows, cols, Order::kInOut);
    layout_ = std::move(layout);
    task_.width = 1;
    task_.classes = 2;
    identity_.resize(static_cast<std::size_t>(cols * cols));
    for (int i = 0; i < cols; ++i) identity_[static_cast<std::size_t>(i * cols + i)] = 1;
    for (int i = 0; i < cols; ++i) pointers_.push_back(identity_.data() + i * cols);
  }
  const LayoutPtr& layout() const override { return layout_; }
  const TaskShape& task() const override { return task_; }
  std::string summary() const override { return "a matrix"; }
  void initialise(Vector& weights, Stream) const override {
    std::fill(weights.values.begin(), weights.values.end(), 0.0F);
  }
  double loss_and_gradient(Weights& weights, const Batch& batch, Workspace&) const override {
    const auto client = static_cast<std::size_t>(batch.inputs[0][0]);
    const std::size_t n = layout_->size;
    std::vector<float> turned(n), slope(n), dx(static_cast<std::size_t>(cols_ * cols_));
    const kernels::MatrixView y = kernels::dense(turned.data(), cols_, rows_);
    const kernels::Rows x{pointers_.data(), cols_, cols_};
    weights.forward(0, kNoTensor, Activation::kNone, x, y);
    std::vector<double> w(n), g(n);
    for (int i = 0; i < rows_; ++i) {
      for (int j = 0; j < cols_; ++j) w[static_cast<std::size_t>(i * cols_ + j)] = double(y[j][i]);
    }
    const double loss = f_[client](w, g);
    const kernels::MatrixView dy = kernels::dense(slope.data(), cols_, rows_);
    for (int i = 0; i < rows_; ++i) {
      for (int j = 0; j < cols_; ++j) dy[j][i] = float(g[static_cast<std::size_t>(i * cols_ + j)]);
    }
    weights.backward_input(0, dy, {nullptr, 0, 0, 0}, kernels::dense(dx.data(), cols_, cols_));
    weights.backward_weight(0, kNoTensor, x, dy);
    return loss;
  }
  Evaluation evaluate(Weights&, const Batch&, Workspace&) const override { return {}; }
  void predict(Weights&, const Batch&, std::span<float>, Workspace&) const override {}
  StepCost training_cost(const Layout&, int) const override { return {}; }
  StepCost inference_cost(const Layout&, int) const override { return {}; }

 private:
  int rows_, cols_;
  std::vector<MatrixFunction> f_;
  LayoutPtr layout_;
  TaskShape task_;
  std::vector<float> identity_;
  std::vector<const float*> pointers_;
};

inline Node adapter_map(const std::string& name, int rank, double alpha,
                        const std::vector<std::pair<std::string, std::string>>& keys) {
  Node map;
  map.set("name", Node::scalar(name));
  map.set("rank", Node::scalar(std::to_string(rank)));
  map.set("alpha", Node::scalar(std::to_string(alpha)));
  map.set("targets", Node::scalar("linear"));
  for (const auto& [key, value] : keys) map.set(key, Node::scalar(value));
  return map;
}

// Clients that each hold one function, without any simulation around them.
struct MatrixFederation {
  std::shared_ptr<const MatrixModel> model;
  Samples samples;
  std::vector<std::uint32_t> rows;
  Composition composition;
  std::shared_ptr<const FederatedMethod> method;
  Server server;
  std::vector<ClientState> states;

  MatrixFederation(int m, int n, std::vector<MatrixFunction> f, const Node& adaptation,
                   double learning_rate, std::uint64_t seed,
                   const Node& method_map = name_map("fedavg"), const Node& up = name_map("dense"))
      : model(std::make_shared<const MatrixModel>(m, n, f)),
        samples(f.size(), 1),
        method(Registry<FederatedMethod>::instance().make(method_map)),
        states(f.size()) {
    for (std::size_t k = 0; k < f.size(); ++k) {
      samples.row(static_cast<int>(k))[0] = float(k);
      samples.labels[k] = 0;
      rows.push_back(static_cast<std::uint32_t>(k));
    }
    Plan plan;
    plan.name = "all";
    plan.parametrization = Registry<Parametrization>::instance().make(adaptation);
    Node sgd = name_map("sgd");
    sgd.set("learning_rate", Node::scalar(std::to_string(learning_rate)));
    plan.optimizer = Registry<Optimizer>::instance().make(sgd);
    plan.down = Registry<Codec>::instance().make(name_map("dense"));
    plan.up = Registry<Codec>::instance().make(up);
    composition.models = {model};
    composition.plans = {std::move(plan)};
    composition.clients = static_cast<std::int64_t>(f.size());
    composition.horizon = 1;
    composition.seed = seed;
    composition.prepare_dense();
    server.models.emplace_back().weights = Vector(model->layout());
    const Plan& p = composition.global();
    composition.adaptation(p, server).start(server.models[0], composition.space_stream(p, 0));
    method->start(composition, server);
  }
  static Node name_map(const std::string& name) {
    Node map;
    map.set("name", Node::scalar(name));
    return map;
  }

  void round(std::int64_t steps = 1) {
    const Plan& plan = composition.global();
    const auto base = std::make_shared<const Server>(server);
    std::vector<Update> updates;
    for (std::size_t k = 0; k < states.size(); ++k) {
      const auto client = static_cast<ClientId>(k);
      Message message;
      if (!plan.parametrization->trains_base()) {
        message.base = std::make_shared<const Model>(dense_model(server.models[0].weights));
      }
      method->broadcast(composition, server, plan, client, message);
      const Vector received = method->received(composition, plan, message);
      const Stream stream(composition.seed, "client", client,
                          static_cast<std::uint64_t>(server.version));
      const Parametrization& adaptation = composition.adaptation(plan, server);
      auto weights = adaptation.bind(message.base, received,
                                     composition.space_stream(plan, server.version), nullptr);
      Workspace workspace;
      const ClientContext::Job job{composition,
                                   plan,
                                   adaptation,
                                   client,
                                   server.version,
                                   steps,
                                   {&samples, std::span(rows).subspan(k, 1)},
                                   message,
                                   received,
                                   states[k],
                                   stream};
      ClientContext context(job, *weights, workspace);
      method->client(context);
      EXPECT_TRUE(context.finite());
      updates.push_back({client, 1, 0, &plan, base, std::move(context.upload), steps});
    }
    server = method->aggregate(composition, *base, updates);
  }
  // W as the server stands, row-major.
  std::vector<double> matrix() const {
    const Plan& plan = composition.global();
    const Slice& s = model->layout()->slices[0];
    const auto merged = predicting(composition, server, server.models[plan.model]);
    std::vector<float> row_major(s.size());
    to_row_major(s, merged->values, row_major);
    return {row_major.begin(), row_major.end()};
  }
};

}  // namespace skiff::testing
