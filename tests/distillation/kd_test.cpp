#include "tests/distillation/distillation_test.h"

namespace skiff {
namespace {

using testing::map_of;
using testing::School;
using testing::teacher_of;
using testing::word;

Node kd(const std::string& weight) {
  return map_of({{"name", word("kd")},
                 {"weight", word(weight)},
                 {"temperature", word("4")},
                 {"teacher", teacher_of(24, 30)}});
}

// With no weight on the teacher the rounds after the first are FedAvg's.
TEST(KdTest, WithoutItsTeacherItIsFedAvg) {
  School school(kd("0"), {0, 40, 120});
  const std::vector<float> start = school.server.models[0].weights.values;
  school.round();
  EXPECT_EQ(school.server.models[0].weights.values, start);  // the teacher was learnt
  std::vector<double> mean(start.size());
  const Architecture& model = *school.composition.models[0];
  for (std::size_t k = 0; k < 2; ++k) {
    BatchRows part;
    part.gather(*school.samples, school.shard(k));
    FullWeights local(school.server.models[0].weights);
    State state;
    Workspace workspace;
    for (std::int64_t s = 0; s < school.steps; ++s) {
      local.clear_gradient();
      workspace.reset();
      model.loss_and_gradient(local, part.batch(), workspace);
      for (const Slice& slice : model.layout()->slices) {
        school.composition.global().optimizer->step(
            slice, std::span(local.parameters().values).subspan(slice.offset, slice.size()),
            std::span(local.gradient().values).subspan(slice.offset, slice.size()), 0.02, state);
      }
    }
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] += (k == 0 ? 40.0 : 80.0) / 120 * double(local.parameters().values[i]);
    }
  }
  school.round();
  for (std::size_t i = 0; i < mean.size(); ++i) {
    EXPECT_NEAR(school.server.models[0].weights.values[i], mean[i], 1e-4) << i;
  }
}

// With all the weight the student comes to the teacher's probabilities.
TEST(KdTest, StudentComesToItsTeacher) {
  School school(kd("1"), {0, 40, 120}, 16);
  school.round();
  const Architecture& student = *school.composition.models[0];
  const auto v =
      distillation::answers(*school.composition.models[1], school.server.models[1].weights,
                            *school.samples, school.rows, true);
  const auto distance = [&] {
    const auto z = distillation::answers(student, school.server.models[0].weights, *school.samples,
                                         school.rows, true);
    double sum = 0;
    for (std::size_t i = 0; i < z.size(); ++i) sum += std::pow(double(z[i]) - double(v[i]), 2);
    return sum;
  };
  const double before = distance();
  for (int r = 0; r < 20; ++r) school.round();
  EXPECT_LT(distance(), 0.2 * before);
}

}  // namespace
}  // namespace skiff
