#include "tests/distillation/distillation_test.h"

namespace skiff {
namespace {

using testing::map_of;
using testing::School;
using testing::word;

Node fedmd(int steps, int samples = 0) {
  return map_of({{"name", word("fedmd")},
                 {"steps", word(std::to_string(steps))},
                 {"samples", word(std::to_string(samples))}});
}

std::vector<float> own_model(School& school, std::size_t k) {
  const auto own =
      school.method->personal_model(school.composition, school.server, school.states[k]);
  return own ? own->values : std::vector<float>();
}

// Of client k, on the public samples.
std::vector<float> scores(School& school, std::size_t k) {
  Vector weights(school.composition.models[0]->layout());
  weights.values = own_model(school, k);
  const Samples& open = *school.composition.server_samples;
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(open.rows()));
  std::iota(rows.begin(), rows.end(), 0U);
  return distillation::answers(*school.composition.models[0], weights, open, rows, false);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += (double(a[i]) - double(b[i])) * (double(a[i]) - double(b[i]));
  }
  return std::sqrt(sum / static_cast<double>(a.size()));
}

// All begin alike, and nobody learns anything: the consensus is what everybody says already. What
// Adam makes of rounding is left.
TEST(FedMdTest, ClientsThatDoNotTrainStayWhereTheyAre) {
  School school(fedmd(5), {0, 40, 120});
  school.steps = 0;
  school.round();
  const std::vector<float> first = own_model(school, 0);
  ASSERT_FALSE(first.empty());
  EXPECT_EQ(first, own_model(school, 1));
  const std::vector<float> said = scores(school, 0);
  school.round();
  EXPECT_LT(distance(scores(school, 0), said), 0.1);
}

// Clients part by private training; then digesting alone brings them to each other.
TEST(FedMdTest, DigestingBringsClientsToTheirConsensus) {
  School school(fedmd(200), {0, 40, 80, 120});
  school.steps = 80;
  school.round();
  const double apart = distance(scores(school, 0), scores(school, 2));
  EXPECT_GT(apart, 0.2);
  school.steps = 0;
  for (int t = 0; t < 3; ++t) school.round();
  EXPECT_LT(distance(scores(school, 0), scores(school, 2)), 0.5 * apart);
  // So does the server's model, which never saw theirs.
  Vector server = school.server.models[0].weights;
  const Samples& open = *school.composition.server_samples;
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(open.rows()));
  std::iota(rows.begin(), rows.end(), 0U);
  const auto says = distillation::answers(*school.composition.models[0], server, open, rows, false);
  EXPECT_LT(distance(says, scores(school, 0)), 0.7 * apart);
}

// Scores go up, 4 bytes a public sample of the round and class; weights only down, and at first.
TEST(FedMdTest, ModelsNeverTravelUp) {
  School school(fedmd(5, 50), {0, 60, 120});
  const Plan& plan = school.composition.global();
  for (int t = 0; t < 2; ++t) {
    const Exchange e =
        school.method->exchange(school.composition, school.server, plan, plan.prepared, 0);
    EXPECT_EQ(e.up_bytes(), Bytes(4 * 50 * 3));
    EXPECT_EQ(e.down[0].key, 0) << "told once";
    EXPECT_EQ(e.down[1].bytes, Bytes(16 + (t > 0 ? 4 * 50 * 3 : 0)));
    school.round();
  }
}

}  // namespace
}  // namespace skiff
