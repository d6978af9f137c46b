// Every architecture, with every good value of each of its parameters.

#include <cmath>
#include <map>
#include <stdexcept>

#include "algorithms/models/full_weights.h"
#include "tests/contract/federation_contract_test.h"

namespace skiff::testing {
namespace {

std::vector<TaskShape> tasks() {
  TaskShape image = small_task();
  image.width = 3 * 32 * 32;
  image.channels = 3;
  image.height = image.image_width = 32;
  TaskShape signs = small_task();
  signs.kind = TaskKind::kBinaryLogistic;
  signs.classes = 2;
  TaskShape text;
  text.vocabulary = 23;
  text.sequence_length = 7;
  text.kind = TaskKind::kNextToken;
  TaskShape masked = text;
  masked.kind = TaskKind::kMaskedToken;
  TaskShape labelled = text;
  labelled.kind = TaskKind::kClassification;
  labelled.classes = 5;
  return {small_task(), image, signs, text, masked, labelled};
}

struct Example {
  std::vector<float> features;
  std::vector<const float*> rows;
  std::vector<std::int32_t> labels, ids;
  std::vector<const std::int32_t*> tokens;

  Example(const TaskShape& task, int count) : features(std::size_t(count * task.width)) {
    Stream s(6, "model contract");
    for (float& x : features) x = s.uniform_float();
    for (int i = 0; i < count; ++i) {
      rows.push_back(features.data() + i * task.width);
      const auto label =
          static_cast<std::int32_t>(s.below(static_cast<std::uint32_t>(std::max(1, task.classes))));
      labels.push_back(task.kind == TaskKind::kBinaryLogistic ? 2 * label - 1 : label);
    }
    if (!task.is_text()) return;
    ids.resize(std::size_t(count * task.text_length()));
    for (std::int32_t& id : ids) id = std::int32_t(s.below(std::uint32_t(task.vocabulary)));
    for (int i = 0; i < count; ++i) tokens.push_back(ids.data() + i * task.text_length());
  }
  Batch batch(const TaskShape& task) const {
    return {{rows.data(), static_cast<int>(rows.size()), task.width}, labels, tokens};
  }
  // What is asked, prediction by prediction.
  std::vector<std::int32_t> targets(const TaskShape& task) const {
    if (!task.is_text() || task.classes > 0) return labels;
    std::vector<std::int32_t> all;
    const int skip = task.text_length() - task.sequence_length;
    for (const std::int32_t* text : tokens) {
      all.insert(all.end(), text + skip, text + skip + task.sequence_length);
    }
    return all;
  }
};

class ModelContract : public ::testing::Test {
 protected:
  template <class Test>
  static void for_models(Test test) {
    std::map<std::string, int> built;  // by family: patches may fit no image here
    for (const Variant<ModelFamily>& v : all_variants<ModelFamily>()) {
      built[v.name] += 0;
      for (const TaskShape& task : tasks()) {
        SCOPED_TRACE(v.text + " of " + std::to_string(task.width) + " features");
        std::shared_ptr<const Architecture> architecture;
        try {
          architecture = v.object->build(task);
        } catch (const std::invalid_argument& refusal) {
          EXPECT_NE(std::string(refusal.what()), "");
          continue;
        }
        ++built[v.name];
        test(*architecture);
      }
    }
    for (const auto& [family, count] : built) EXPECT_GT(count, 0) << family;
  }
};

Vector initialised(const Architecture& a) {
  Vector w(a.layout());
  a.initialise(w, Stream(1, "initialise"));
  return w;
}

// Far from the start, where outputs are equal and the best of them is undecided.
Vector somewhere(const Architecture& a) {
  Vector w = initialised(a);
  Stream s(2, "model contract weights");
  for (float& x : w.values) x += 0.1f * (s.uniform_float() - 0.5f);
  return w;
}

TEST_F(ModelContract, InitialisationIsFiniteAndDecidedByTheStream) {
  for_models([](const Architecture& a) {
    const Vector w = initialised(a);
    EXPECT_EQ(w.values.size(), a.layout()->size);
    EXPECT_EQ(w.values, initialised(a).values);
    for (const float x : w.values) ASSERT_TRUE(std::isfinite(x));
  });
}

TEST_F(ModelContract, SlicesCoverTheLayoutOnceAndHaveNames) {
  for_models([](const Architecture& a) {
    std::size_t next = 0;
    for (const Slice& s : a.layout()->slices) {
      EXPECT_EQ(s.offset, next) << s.name;
      EXPECT_EQ(a.layout()->find(s.name), &s);
      next += s.size();
    }
    EXPECT_EQ(next, a.layout()->size);
  });
}

TEST_F(ModelContract, PredictionsDecideTheEvaluation) {
  for_models([](const Architecture& a) {
    const TaskShape& task = a.task();
    const Example example(task, 9);
    const Vector received = somewhere(a);
    FullWeights weights(received);
    Workspace workspace;
    const Evaluation all = a.evaluate(weights, example.batch(task), workspace);
    const std::vector<std::int32_t> targets = example.targets(task);
    EXPECT_EQ(all.rows, static_cast<std::int64_t>(targets.size()));
    EXPECT_TRUE(std::isfinite(all.loss));
    const bool tokens = task.is_text() && task.classes == 0;
    const std::size_t outputs = task.kind == TaskKind::kBinaryLogistic
                                    ? 1
                                    : std::size_t(tokens ? task.vocabulary : task.classes);
    std::vector<float> logits(targets.size() * outputs);
    workspace.reset();
    a.predict(weights, example.batch(task), logits, workspace);
    std::int64_t correct = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const float* row = logits.data() + i * outputs;
      const auto best = static_cast<std::int32_t>(std::max_element(row, row + outputs) - row);
      const std::int32_t sign = row[0] > 0 ? 1 : -1;
      correct += (outputs == 1 ? sign : best) == targets[i] ? 1 : 0;
    }
    EXPECT_EQ(all.correct, correct);
  });
}

TEST_F(ModelContract, DeclaredActivationsAreTheWorkspacesToTwoPercent) {
  for_models([](const Architecture& a) {
    const Example example(a.task(), 8);
    const Vector received = initialised(a);
    FullWeights weights(received);
    Workspace workspace;
    weights.clear_gradient();
    a.loss_and_gradient(weights, example.batch(a.task()), workspace);
    const StepCost cost = a.training_cost(8);
    const auto taken = static_cast<double>(workspace.peak_bytes());
    const auto declared = static_cast<double>(cost.activations.value());
    EXPECT_LE(taken, declared) << a.summary();
    EXPECT_GE(taken, 0.98 * declared) << a.summary();
    EXPECT_LE(cost.logits, cost.activations) << a.summary();
    EXPECT_GT(cost.flops, a.inference_cost(8).flops);
    EXPECT_GT(cost.dram, Bytes(0));
  });
}

}  // namespace
}  // namespace skiff::testing
