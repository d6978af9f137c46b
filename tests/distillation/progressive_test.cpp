#include "algorithms/distillation/progressive_method.h"
#include "tests/distillation/distillation_test.h"

namespace skiff::distillation {
namespace {

using skiff::testing::list_of;
using skiff::testing::map_of;
using skiff::testing::mlp_of;
using skiff::testing::School;
using skiff::testing::teacher_of;
using skiff::testing::word;

constexpr std::size_t kOutputs = 3;

Node progressive(std::vector<std::pair<std::string, Node>> more = {}) {
  Node node = map_of({{"name", word("progressive")},
                      {"members", word("3")},
                      {"teacher", teacher_of(24, 30)},
                      {"rounds_per_member", word("2")}});
  for (auto& [key, value] : more) node.set(key, std::move(value));
  return node;
}

void finish(School& school) {
  for (int r = 0; r < 200; ++r) {
    if (Game::load(school.server, kOutputs).at.phase == Phase::kDone) return;
    school.round();
  }
  FAIL() << "the game does not end";
}

std::vector<double> gaps_of(School& school) {
  std::vector<double> all;
  for (std::size_t k = 0; k < school.clients(); ++k) {
    const auto mine =
        school.states[k].method.array<double>("gaps", school.shard(k).size() * kOutputs);
    all.insert(all.end(), mine.begin(), mine.end());
  }
  return all;
}

// What one machine with all samples would do: the same mathematics, without clients or messages.
struct Central {
  const School& s;
  std::vector<float> g;
  std::vector<double> gaps;
  Normaliser all;
  double eta = 1, limit = 0;
  std::size_t teacher = 1;

  explicit Central(const School& school) : s(school) {
    g = answers(*s.composition.models[teacher], s.server.models[teacher].weights, *s.samples,
                s.rows, true);
    gaps.resize(g.size());
    all = Normaliser::start(static_cast<std::int64_t>(s.rows.size()), kOutputs);
  }

  struct Regression final : LogitLoss {
    const Central& c;
    explicit Regression(const Central& central) : c(central) {}
    double operator()(kernels::MatrixView z) const override {
      const auto n = static_cast<double>(z.rows);
      for (std::size_t i = 0; i < c.gaps.size(); ++i) {
        const std::size_t j = i % kOutputs;
        float& at = z[static_cast<int>(i / kOutputs)][j];
        const double weight = n * weight_of(c.gaps[i], c.eta, c.all, j).both();
        const double y = target_of(c.g[i], c.gaps[i], c.eta, 1, c.all, j);
        at = static_cast<float>(weight * (double(at) - y) * (1.0 / n / kOutputs));
      }
      return 0;
    }
  };

  Vector member(std::int64_t attempt, int rounds) const {
    const Architecture& model = *s.composition.models[0];
    Vector w(model.layout());
    model.initialise(w, Stream(1, "distillation.member", static_cast<std::uint64_t>(attempt)));
    BatchRows part;
    part.gather(*s.samples, s.rows);
    const Regression loss(*this);
    Batch batch = part.batch();
    batch.loss = &loss;
    Workspace workspace;
    for (int r = 0; r < rounds; ++r) {
      FullWeights local(w);
      State state;
      for (std::int64_t k = 0; k < s.steps; ++k) {
        local.clear_gradient();
        workspace.reset();
        model.loss_and_gradient(local, batch, workspace);
        for (const Slice& slice : w.layout->slices) {
          s.composition.global().optimizer->step(
              slice, std::span(local.parameters().values).subspan(slice.offset, slice.size()),
              std::span(local.gradient().values).subspan(slice.offset, slice.size()), 0.02, state);
        }
      }
      for (std::size_t i = 0; i < w.values.size(); ++i) {
        w.values[i] += local.parameters().values[i] - w.values[i];
      }
    }
    return w;
  }

  Tally answer(const Vector& w, std::vector<double>& l) {
    const std::vector<float> f = answers(*s.composition.models[0], w, *s.samples, s.rows, false);
    l.resize(f.size());
    for (std::size_t i = 0; i < l.size(); ++i) l[i] = double(f[i]) - double(g[i]);
    return tally_of(gaps, l, eta, limit > 0 ? limit : 1e300, all);
  }
  void take(const std::vector<double>& l) {
    for (std::size_t i = 0; i < l.size(); ++i) gaps[i] += std::clamp(l[i], -limit, limit);
    all = normaliser_of(gaps, kOutputs, eta);
  }
};

// B5: the whole game, failures and all, with one client.
TEST(ProgressiveTest, OneClientIsTheCentralGameBitByBit) {
  School school(progressive({{"attempts", word("2")}}), {0, 120});
  Central central(school);
  finish(school);
  std::vector<Vector> members;
  for (std::int64_t attempt = 0; members.size() < 3;) {
    Vector best;
    std::vector<double> l, best_l;
    double best_edge = -1e300;
    for (int tries = 0; tries < 2; ++tries) {
      const Vector w = central.member(attempt++, 2);
      const Tally tally = central.answer(w, l);
      if (central.limit == 0) {
        central.limit = 1.5 * tally.largest;
        central.eta = rate_of(120, 3, central.limit);
      }
      if (tally.least_edge() > best_edge) best_edge = tally.least_edge(), best = w, best_l = l;
      if (tally.least_edge() >= -1e-12) break;
    }
    central.take(best_l);
    members.push_back(best);
  }
  EXPECT_EQ(gaps_of(school), central.gaps);
  for (std::size_t m = 0; m < 3; ++m) {
    EXPECT_EQ(school.server.models[3 + m].weights.values, members[m].values) << m;
  }
}

// B5: with several clients S is the central S, given the members; so is what the server knows.
TEST(ProgressiveTest, GapsOfManyClientsAreTheCentralOnes) {
  School school(progressive(), {0, 17, 60, 61, 120});
  Central central(school);
  finish(school);
  const Game game = Game::load(school.server, kOutputs);
  EXPECT_EQ(game.at.samples, 120);
  central.limit = game.at.limit;
  central.eta = game.at.eta;
  std::vector<double> l;
  for (std::size_t m = 0; m < 3; ++m) {
    central.answer(school.server.models[3 + m].weights, l);
    central.take(l);
  }
  EXPECT_EQ(gaps_of(school), central.gaps);
  for (std::size_t j = 0; j < kOutputs; ++j) {
    EXPECT_EQ(game.all.most[j], central.all.most[j]);
    EXPECT_NEAR(game.all.sum[j], central.all.sum[j], 1e-12 * central.all.sum[j]);
    const double bound = certificate(120, 3, game.at.eta, game.second[j], game.edge[j]);
    EXPECT_LE(game.all.most[j] / 3, bound);
    EXPECT_GT(bound, 0);
  }
  for (std::size_t k = 0; k < school.clients(); ++k) {
    EXPECT_EQ(school.states[k].method.bytes(),
              static_cast<std::int64_t>(school.shard(k).size()) * kept_by_sample(kOutputs));
  }
}

TEST(ProgressiveTest, PrefixesComeNearerToTheTeacher) {
  School school(progressive({{"rounds_per_member", word("6")}}), {0, 40, 80, 120});
  Central central(school);
  finish(school);
  const auto predictors = school.method->predictors(school.composition, school.server);
  ASSERT_EQ(predictors.size(), 4U);
  std::vector<double> error, sum(central.g.size());
  for (std::size_t m = 0; m < 3; ++m) {
    ASSERT_EQ(predictors[m + 1].scope, "prefix:" + std::to_string(m + 1));
    ASSERT_EQ(predictors[m + 1].members.size(), m + 1);
    const std::vector<float> f =
        answers(*school.composition.models[0], *predictors[m + 1].members.back(), *school.samples,
                school.rows, false);
    double square = 0;
    for (std::size_t i = 0; i < f.size(); ++i) {
      sum[i] += f[i];
      const double gap = sum[i] / double(m + 1) - double(central.g[i]);
      square += gap * gap;
    }
    error.push_back(std::sqrt(square / double(f.size())));
  }
  EXPECT_LT(error[2], error[0]);
}

TEST(ProgressiveTest, MembersGrowAndTheirPhasesAreCharged) {
  School school(progressive({{"grow", word("every-member")},
                             {"larger", list_of({mlp_of(12), mlp_of(16)})},
                             {"stored", map_of({{"all", word("2")}})}}),
                {0, 60, 120});
  const Plan& plan = school.composition.global();
  const auto cost = [&] {
    return *school.method->phase_cost(school.composition, school.server, plan, 60, 20);
  };
  const auto bytes = [&](std::size_t model) {
    return Bytes(static_cast<std::int64_t>(4 * school.composition.models[model]->layout()->size));
  };
  const Bytes kept = 2 * (60 * kept_by_sample(kOutputs));
  EXPECT_EQ(cost().memory.weights, bytes(3));  // the teacher's
  EXPECT_EQ(cost().storage, kept);
  EXPECT_GT(cost().fp32, Flops(0));
  finish(school);
  const Game game = Game::load(school.server, kOutputs);
  for (std::size_t m = 0; m < 3; ++m) {
    EXPECT_GE(game.sizes[m], static_cast<std::int64_t>(m));
    EXPECT_EQ(school.server.models[5 + m].weights.layout,
              school.composition.models[static_cast<std::size_t>(game.sizes[m])]->layout());
  }
  EXPECT_EQ(cost().storage, kept + bytes(static_cast<std::size_t>(game.sizes[0])) +
                                bytes(static_cast<std::size_t>(game.sizes[1])));
  EXPECT_EQ(cost().fp32, Flops(0));
}

// A member that is taken is the one that was asked for its edges: who holds it receives nothing.
TEST(ProgressiveTest, WhatWasReceivedForTheEdgeIsNotSentAgain) {
  School school(progressive({{"attempts", word("1")}}), {0, 120});
  std::int64_t edge_key = -1;
  for (int r = 0; r < 40; ++r) {
    const Phase phase = Game::load(school.server, kOutputs).at.phase;
    if (phase == Phase::kDone) break;
    const Plan& plan = school.composition.global();
    const Section model =
        school.method->exchange(school.composition, school.server, plan, plan.prepared, 0).down[0];
    if (phase == Phase::kEdge) edge_key = model.key;
    if (phase == Phase::kTake) {
      EXPECT_EQ(model.missing(edge_key), Bytes(0));
    }
    if (phase == Phase::kTrain) {
      EXPECT_GT(model.missing(edge_key), Bytes(0));
    }
    school.round();
  }
  EXPECT_GE(edge_key, 0);
}

// The paper's loss and the hinge play the same game, and its figures say how it went.
TEST(ProgressiveTest, OtherLossesPlayTheGame) {
  for (const char* loss : {"log-barrier", "edge-hinge"}) {
    School school(progressive({{"loss", word(loss)}}), {0, 60, 120});
    EXPECT_TRUE(std::isnan(school.method->figures(school.composition, school.server)[2]));
    finish(school);
    const auto figures = school.method->figures(school.composition, school.server);
    EXPECT_EQ(figures[0], 3);
    EXPECT_GT(figures[2], 0);
    EXPECT_LE(figures[2], 1) << "the certificate";
  }
}

// Members that nothing pushes towards what is missing fail, and are counted.
TEST(ProgressiveTest, WeakMembersAreCounted) {
  School school(progressive({{"push", word("0")}, {"attempts", word("1")}}), {0, 60, 120}, 2);
  finish(school);
  const Game game = Game::load(school.server, kOutputs);
  EXPECT_GE(game.at.weak, 1);
  EXPECT_EQ(school.method->figures(school.composition, school.server)[1],
            static_cast<double>(game.at.weak));
}

// The baseline beside it: equal weights, so each member alone imitates the teacher.
TEST(ProgressiveTest, WithoutBoostingMembersAreTaughtAlike) {
  School school(progressive({{"boost", word("false")}}), {0, 60, 120});
  finish(school);
  const Game game = Game::load(school.server, kOutputs);
  EXPECT_EQ(game.at.attempt, 3);
  EXPECT_EQ(game.at.weak, 0);
  for (std::size_t j = 0; j < kOutputs; ++j) {
    EXPECT_EQ(game.edge[j], 0);
    EXPECT_NEAR(weight_of(7, game.at.eta, game.all, j).both(), 1.0 / 120, 1e-15);
  }
}

}  // namespace
}  // namespace skiff::distillation
