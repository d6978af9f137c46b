// What holds of every network whose samples do not see each other.
#pragma once

#include "tests/models/model_test.h"

namespace skiff::testing {

// The gradient of five samples is the mean of each one's; their logits are each one's, to the bit.
inline void expect_samples_count_alone(const Architecture& network, const Vector& at,
                                       const Shard& shard, double tolerance) {
  const auto outputs = static_cast<std::size_t>(network.task().classes);
  FullWeights all(at), one(at);
  Workspace workspace;
  network.loss_and_gradient(all, shard.batch(0, 5), workspace);
  std::vector<double> mean(at.values.size());
  std::vector<float> batched(5 * outputs), single(outputs);
  workspace.reset();
  network.predict(all, shard.batch(0, 5), batched, workspace);
  for (std::size_t i = 0; i < 5; ++i) {
    const Batch batch = shard.batch(static_cast<int>(i), 1);
    one.clear_gradient();
    workspace.reset();
    network.loss_and_gradient(one, batch, workspace);
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += one.gradient().values[j] / 5.0;
    workspace.reset();
    network.predict(one, batch, single, workspace);
    EXPECT_EQ(differing(single, {batched.begin() + static_cast<std::ptrdiff_t>(i * outputs),
                                 batched.begin() + static_cast<std::ptrdiff_t>((i + 1) * outputs)}),
              0U);
  }
  for (std::size_t j = 0; j < mean.size(); ++j) {
    EXPECT_NEAR(all.gradient().values[j], mean[j], tolerance);
  }
}

inline void expect_evaluation_agrees_with_training(const Architecture& network, const Vector& at,
                                                   const Shard& shard) {
  FullWeights weights(at);
  Workspace workspace;
  const Evaluation evaluation = network.evaluate(weights, shard.all(), workspace);
  workspace.reset();
  EXPECT_NEAR(evaluation.loss / static_cast<double>(evaluation.rows),
              network.loss_and_gradient(weights, shard.all(), workspace), 1e-12);
  EXPECT_EQ(evaluation.rows, shard.all().size());
}

}  // namespace skiff::testing
