#include "tests/distillation/distillation_test.h"

namespace skiff {
namespace {

using testing::map_of;
using testing::School;
using testing::word;

Node feddf(const std::string& teacher, int steps, double rate = 0.01) {
  return map_of({{"name", word("feddf")},
                 {"steps", word(std::to_string(steps))},
                 {"learning_rate", word(std::to_string(rate))},
                 {"ensemble", word(teacher)}});
}

std::vector<float>& model(School& school) { return school.server.models[0].weights.values; }

// F1: one client, or clients that do not move, are their own teacher.
TEST(FedDfTest, EqualModelsTeachNothing) {
  School alone(feddf("avg-logits", 20, 1e-4), {0, 120});
  const Message sent = alone.answer(0);
  const auto base = std::make_shared<const Server>(alone.server);
  const std::vector<Update> one{
      {0, 120.0, 0, &alone.composition.global(), base, sent, alone.steps}};
  std::vector<float> fused = alone.server.models[0].weights.values;
  const Vector change = decode_updates(alone.composition, one, kUpdateSection)[0];
  for (std::size_t i = 0; i < fused.size(); ++i) fused[i] += change.values[i];
  alone.server = alone.method->aggregate(alone.composition, *base, one);
  // Adam moves by its rate whatever the size of a gradient, and rounding has one.
  for (std::size_t i = 0; i < fused.size(); ++i) EXPECT_NEAR(model(alone)[i], fused[i], 2e-3);

  School still(feddf("avg-probs", 20, 1e-4), {0, 60, 120});
  still.steps = 0;
  const std::vector<float> before = model(still);
  still.round();
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(model(still)[i], before[i], 2e-3);
}

// F2: the mean of logits is not that of probabilities; the mean of losses has the latter's
// gradient.
TEST(FedDfTest, MeansOfLogitsAndOfProbabilitiesAreTwoTeachers) {
  std::vector<std::vector<float>> ends;
  for (const char* teacher : {"avg-logits", "avg-probs", "avg-losses"}) {
    School school(feddf(teacher, 50), {0, 20, 120});
    school.steps = 60;
    school.round();
    ends.push_back(model(school));
  }
  EXPECT_NE(ends[0], ends[1]);
  EXPECT_EQ(ends[1], ends[2]);
}

// Clients with few classes each: the student comes nearer to their ensemble than their mean is.
TEST(FedDfTest, StudentComesNearerToTheEnsembleThanTheMeanOfModels) {
  const auto distance = [](int steps, double rate) {
    School school(feddf("avg-logits", steps, rate), {0, 30, 60, 120});
    school.steps = 100;
    const auto base = std::make_shared<const Server>(school.server);
    std::vector<Update> updates;
    for (std::size_t k = 0; k < 3; ++k) {
      updates.push_back({static_cast<ClientId>(k), 1.0, 0, &school.composition.global(), base,
                         school.answer(k), school.steps});
    }
    const auto changes = decode_updates(school.composition, updates, kUpdateSection);
    school.server = school.method->aggregate(school.composition, *base, updates);
    const Samples& held = *school.composition.server_samples;
    std::vector<std::uint32_t> rows(static_cast<std::size_t>(held.rows()));
    std::iota(rows.begin(), rows.end(), 0U);
    const Architecture& student = *school.composition.models[0];
    std::vector<double> mean(rows.size() * 3);
    for (const Vector& change : changes) {
      Vector w = base->models[0].weights;
      for (std::size_t i = 0; i < w.values.size(); ++i) w.values[i] += change.values[i];
      const auto z = distillation::answers(student, w, held, rows, true);
      for (std::size_t i = 0; i < z.size(); ++i) mean[i] += double(z[i]) / 3;
    }
    const auto f =
        distillation::answers(student, school.server.models[0].weights, held, rows, true);
    double sum = 0;
    for (std::size_t i = 0; i < f.size(); ++i)
      sum += (double(f[i]) - mean[i]) * (double(f[i]) - mean[i]);
    return sum;
  };
  EXPECT_LT(distance(600, 0.01), 0.7 * distance(1, 1e-6));
}

TEST(FedDfTest, WhatItNeedsIsSaid) {
  School school(feddf("avg-logits", 5), {0, 120});
  Composition bare = school.composition;
  bare.server_samples = nullptr;
  EXPECT_THROW(school.method->join(bare), std::invalid_argument);
}

}  // namespace
}  // namespace skiff
