// What Sparse-ProxSkip says on the wire and keeps, apart from its losses.

#include "algorithms/refusals.h"
#include "tests/aggregation/method_test.h"

namespace skiff::testing {
namespace {

Federation federation(const std::string& sparsity, const std::string& prune) {
  TaskShape task;
  task.width = 12;
  task.classes = 3;
  Samples samples(40, 12);
  Stream chance(4, "samples");
  for (int i = 0; i < 40; ++i) {
    samples.labels[i] = i % 3;
    for (int j = 0; j < 12; ++j) samples.row(i)[j] = chance.uniform_float() + float(j == i % 3);
  }
  return {"sparse-proxskip",
          {{"sparsity", sparsity}, {"communication_probability", "0.25"}, {"prune", prune}},
          named<ModelFamily>("logistic-regression")->build(task),
          std::move(samples),
          {0, 10, 20, 30, 40},
          "0.1"};
}

std::int64_t up_bytes(const Federation& f) {
  const Shape shape = dense_shape(f.composition.models[0]->layout());
  return f.method->exchange(f.composition, f.server, f.composition.global(), shape, 0)
      .up_bytes()
      .value();
}

TEST(SparseProxSkip, UploadsAreKWeightsTheirPositionsAndTheBiases) {
  // 36 weights and 3 biases; K = 9: 9 values, a bitmap of 36 bits, 3 biases.
  EXPECT_EQ(up_bytes(federation("0.75", "client")), 36 + 5 + 12);
  EXPECT_EQ(up_bytes(federation("0.75", "straight-through")), 36 + 5 + 12);
  EXPECT_EQ(up_bytes(federation("0.75", "server-naive")), 4 * 39);
}

TEST(SparseProxSkip, ClientsSendWhatWasDeclared) {
  for (const char* prune :
       {"client", "local", "straight-through", "server-naive", "server-modified"}) {
    Federation f = federation("0.75", prune);
    for (int round = 0; round < 3; ++round) {
      ClientState state = f.states[1];
      EXPECT_EQ(f.answer(1, 4, state).bytes().value(), up_bytes(f)) << prune;
      f.round(4);
      const std::vector<float>& pruned =
          f.method->predictors(f.composition, f.server)[0].members[0]->values;
      EXPECT_LE(std::count_if(pruned.begin(), pruned.begin() + 36, [](float x) { return x != 0; }),
                9)
          << prune;
    }
  }
}

TEST(SparseProxSkip, WithoutPruningItIsScaffnew) {
  for (const char* prune :
       {"client", "local", "straight-through", "server-naive", "server-modified"}) {
    Federation sparse = federation("0", prune), dense = federation("0", prune);
    dense.method = named<FederatedMethod>("scaffnew", {{"communication_probability", "0.25"}});
    for (int round = 0; round < 20; ++round) sparse.round(4), dense.round(4);
    for (std::size_t j = 0; j < dense.model().size(); ++j) {
      EXPECT_NEAR(sparse.model()[j], dense.model()[j], 1e-5) << prune;
    }
  }
}

TEST(SparseProxSkip, ASecondCodecIsRefused) {
  Federation f = federation("0.75", "client");
  const ProtocolProperties all{.synchronous = true, .everyone_takes_part = true};
  EXPECT_TRUE(refusals(f.composition, *f.method, all).empty());
  f.composition.plans[0].up = named<Codec>("qsgd", {{"levels", "4"}});
  const auto reasons = refusals(f.composition, *f.method, all);
  ASSERT_EQ(reasons.size(), 1u);
  EXPECT_EQ(reasons[0].path, "compression.communication");
}

}  // namespace
}  // namespace skiff::testing
