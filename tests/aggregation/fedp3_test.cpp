// FedP3: who is given which layers, what goes down and up, whose head is whose.
#include <set>

#include "algorithms/aggregation/layer_groups.h"
#include "algorithms/models/architecture.h"
#include "tests/aggregation/method_test.h"

namespace skiff::testing {
namespace {

constexpr int kClients = 4, kRowsEach = 10, kWidth = 6;

std::shared_ptr<const Architecture> network() {
  Node map;
  map.set(ModelFamily::kKey, Node::scalar("mlp"));
  Node hidden;
  hidden.kind = Node::Kind::kList;
  for (const char* width : {"8", "7", "5"}) hidden.items.push_back(Node::scalar(width));
  map.set("hidden", hidden);
  TaskShape task{.kind = TaskKind::kClassification, .width = kWidth, .classes = 3};
  return Registry<ModelFamily>::instance().make(map)->build(task);
}
Samples samples() {
  Samples all(kClients * kRowsEach, kWidth);
  Stream s(2, "fedp3 samples");
  for (int i = 0; i < all.rows(); ++i) {
    all.labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(s.below(3));
    for (int j = 0; j < kWidth; ++j) all.row(i)[j] = s.uniform_float() - 0.5F;
  }
  return all;
}
std::vector<std::size_t> begins() {
  std::vector<std::size_t> begin;
  for (std::size_t k = 0; k <= kClients; ++k) begin.push_back(k * kRowsEach);
  return begin;
}
Federation federation(const std::string& name, const Keys& keys = {}) {
  Federation f(name, keys, network(), samples(), begins(), "0.1");
  f.weight = {1, 2, 3, 4};
  f.server.state = State();
  f.method->start(f.composition, f.server);
  return f;
}

// 3 x 64 x 5 x 5 and 64 x 64 x 5 x 5 kernels, 1600-1024-1024-10.
LayoutPtr lenet() {
  auto layout = std::make_shared<Layout>();
  for (const auto& [name, rows, cols] :
       {std::tuple("conv1", 64, 75), std::tuple("conv2", 64, 1600), std::tuple("fc1", 1024, 1600),
        std::tuple("fc2", 1024, 1024), std::tuple("fc3", 10, 1024)}) {
    layout->add(std::string(name) + ".weight", rows, cols);
    layout->add(std::string(name) + ".bias", rows, 1);
  }
  return layout;
}

TEST(FedP3, SharesOfALeNetThatGoUp) {
  const LayoutPtr layout = lenet();
  ASSERT_EQ(layout->size, 2806602U);
  const auto groups = layer_groups(*layout);
  const auto share = [&](std::size_t each, ClientId client) {
    return static_cast<double>(size_of(groups, given_layers(5, each, client, 100))) / 2806602;
  };
  const double lower[] = {.005385, .040160, .587783, .377627};
  const double two[] = {.041893, .624292, .961759, .379361};
  for (ClientId group = 0; group < 4; ++group) {
    for (const ClientId client : {25 * group, 25 * group + 24}) {
      EXPECT_NEAR(share(1, client), lower[group], 1e-6);
      EXPECT_NEAR(share(2, client), two[group], 1e-6);
    }
  }
  const double means[] = {.252739, .501826, .750913};
  for (std::size_t each = 1; each <= 3; ++each) {
    double mean = 0;
    for (ClientId client = 0; client < 100; ++client) mean += share(each, client) / 100;
    EXPECT_NEAR(mean, means[each - 1], 1e-6);
  }
}

TEST(FedP3, WithAllLayersAndASharedHeadItIsFedAvg) {
  Federation p3 = federation("fedp3", {{"layers", "all"}, {"sparsity", "0"}, {"head", "shared"}});
  Federation avg = federation("fedavg");
  for (int t = 0; t < 3; ++t) p3.round(4), avg.round(4);
  EXPECT_EQ(p3.model(), avg.model());
}

std::int64_t size_up(const Federation& f, std::size_t client) {
  const Plan& plan = f.composition.global();
  const Exchange e = f.method->exchange(f.composition, f.server, plan, plan.prepared,
                                        static_cast<ClientId>(client));
  return e.up_bytes().value();
}

TEST(FedP3, OnlyGivenLayersLeaveTheDeviceAndOthersDoNotMove) {
  Federation f = federation("fedp3", {{"layers", "lower-b"}});
  const auto groups = layer_groups(*f.server.models[0].weights.layout);
  ASSERT_EQ(groups.size(), 4U);
  const auto base = std::make_shared<const Server>(f.server);
  const Message answer = f.answer(0, 3, f.states[0]);
  EXPECT_EQ(answer.bytes().value(), size_up(f, 0));
  EXPECT_EQ(size_up(f, 0), static_cast<std::int64_t>(4 * (groups[0].size + groups[3].size)));
  const std::vector<Update> updates{{0, 1, 0, &f.composition.global(), base, answer, 3}};
  const Server next = f.method->aggregate(f.composition, *base, updates);
  for (std::size_t l = 0; l < 4; ++l) {
    bool moved = false;
    for (const std::size_t t : groups[l].slices) {
      const Slice& s = base->models[0].weights.layout->slices[t];
      for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) {
        moved = moved || next.models[0].weights.values[j] != base->models[0].weights.values[j];
      }
    }
    EXPECT_EQ(moved, l == 0 || l == 3) << l;
  }
}

TEST(FedP3, WhatAClientIsNotGivenComesPruned) {
  Federation f = federation("fedp3", {{"layers", "lower-b"}, {"sparsity", "0.3"}});
  Message message;
  const Plan& plan = f.composition.global();
  f.method->broadcast(f.composition, f.server, plan, 1, message);
  const Vector got = f.method->received(f.composition, plan, message);
  const Exchange sizes = f.method->exchange(f.composition, f.server, plan, plan.prepared, 1);
  EXPECT_EQ(message.bytes(), sizes.down_bytes());
  const auto groups = layer_groups(*got.layout);
  for (std::size_t l = 0; l + 1 < groups.size(); ++l) {
    for (const std::size_t t : groups[l].slices) {
      const Slice& s = got.layout->slices[t];
      if (!s.is_matrix()) continue;
      std::size_t left = 0;
      for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) left += got.values[j] != 0;
      EXPECT_EQ(left, l == 0 ? s.size() : static_cast<std::size_t>(0.7 * double(s.size())));
    }
  }
}

TEST(FedP3, AHeadIsKeptAndGoesOn) {
  Federation f = federation("fedp3", {{"layers", "opu-2"}});
  f.round(3);
  std::set<std::vector<float>> heads;
  std::vector<double> mean;
  for (std::size_t k = 0; k < kClients; ++k) {
    auto own = f.method->personal_model(f.composition, f.server, f.states[k]);
    ASSERT_TRUE(own.has_value());
    const std::size_t head = layer_groups(*own->layout).back().size;
    const std::vector<float> values(own->values.end() - static_cast<std::ptrdiff_t>(head),
                                    own->values.end());
    heads.insert(values);
    mean.resize(head);
    for (std::size_t j = 0; j < head; ++j) mean[j] += 0.1 * f.weight[k] * double(values[j]);
    EXPECT_EQ(f.states[k].method.bytes(),
              f.method->client_state_bytes(f.composition, f.composition.global()));
  }
  EXPECT_EQ(heads.size(), static_cast<std::size_t>(kClients));
  const std::size_t first = f.model().size() - mean.size();
  for (std::size_t j = 0; j < mean.size(); ++j) {
    EXPECT_NEAR(f.model()[first + j], mean[j], 1e-6);
  }
  // Without a step the head comes back as it was kept.
  ClientState before = f.states[2];
  f.answer(2, 0, f.states[2]);
  EXPECT_EQ(f.states[2].method.save(), before.method.save());
}

TEST(FedP3, PrunedLocalStepsLeaveWhatTheyLeaveOut) {
  for (const char* how : {"uniform", "ordered"}) {
    Federation f = federation("fedp3", {{"layers", "all"},
                                        {"sparsity", "0"},
                                        {"head", "shared"},
                                        {"local_pruning", how},
                                        {"local_keep", "0.5"}});
    const std::vector<float> start = f.model();
    f.round(1);
    const Slice& s = f.server.models[0].weights.layout->slices[0];
    std::size_t still = 0;
    for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) still += f.model()[j] == start[j];
    // ordered: 4 of 8 rows and 3 of 6 columns stay trained, for all; uniform: others each time.
    if (std::string(how) == "ordered") {
      EXPECT_GE(still, 36U);
    }
    if (std::string(how) == "uniform") {
      EXPECT_LT(still, 36U);
    }
  }
}

TEST(FedP3, ClippedStepsAreBoundedAndNoiseMovesThem) {
  const Keys keys{{"layers", "all"}, {"sparsity", "0"}, {"head", "shared"}, {"clip", "0.01"}};
  Federation f = federation("fedp3", keys);
  const std::vector<float> start = f.model();
  f.round(3);
  double square = 0;
  for (std::size_t j = 0; j < start.size(); ++j) {
    square += std::pow(double(f.model()[j]) - double(start[j]), 2);
  }
  EXPECT_LE(std::sqrt(square), 3 * 0.1 * 0.01 * (1 + 1e-4));
  EXPECT_GT(square, 0);
  Keys noisy = keys;
  noisy.emplace_back("noise", "1");
  Federation g = federation("fedp3", noisy);
  g.round(3);
  EXPECT_NE(g.model(), f.model());
}

TEST(FedP3, OnlyBitsGoUpWhereMasksAreShared) {
  Federation f =
      federation("fedp3", {{"layers", "all"}, {"share", "mask-only"}, {"sparsity", "0.5"}});
  const std::vector<float> start = f.model();
  std::size_t bits = 0;
  for (const Slice& s : f.server.models[0].weights.layout->slices) {
    if (s.is_matrix()) bits += s.size();
  }
  EXPECT_EQ(size_up(f, 0), static_cast<std::int64_t>((bits + 7) / 8));
  f.round(5);
  EXPECT_EQ(f.model(), start);
  const auto predicted = f.method->predictors(f.composition, f.server)[0].members[0];
  for (const Slice& s : predicted->layout->slices) {
    std::size_t left = 0;
    for (std::size_t j = s.offset; j < s.offset + s.size(); ++j) {
      left += predicted->values[j] != 0;
      EXPECT_TRUE(predicted->values[j] == 0 || predicted->values[j] == start[j]);
    }
    if (s.is_matrix()) {
      EXPECT_EQ(left, s.size() / 2);
    }
  }
  const auto theta = f.server.state.array<float>("fedp3.theta", start.size());
  for (const float x : theta) {  // weights 1, 2, 3, 4 of 10, or a vector's 1/2
    EXPECT_NEAR(x * 10, std::round(x * 10), 1e-5);
  }
}

}  // namespace
}  // namespace skiff::testing
