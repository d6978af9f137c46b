// stories260K: its loss and accuracy on 100 stories, from every format.
#include <gtest/gtest.h>

#include "algorithms/data/text_samples.h"
#include "algorithms/models/batch.h"
#include "tests/models/stories_fixture.h"

namespace skiff::testing {
namespace {

// The first 513 tokens of each of 100 stories, every one from position 0.
Evaluation hundred_stories(const std::string& file) {
  Stories stories(file);
  TextParams params;
  params.tokenizer.file.path = real_data("llama2c/tok512.bin");
  params.sequence_length = 512;
  params.pack = false;
  TextCollector texts;
  for (std::string& text :
       split_texts(bytes_of_file(real_data("llama2c/eval_tinystories_100.txt")), "<|endoftext|>")) {
    texts.add(std::move(text));
  }
  const LoadedData data = text_samples("stories", texts.done(), params, 0);
  Workspace workspace;
  BatchRows batch;
  Evaluation total;
  for (int i = 0; i < data.train.rows(); ++i) {
    if (data.train.text(i)[0] != 1) continue;  // a later window of its story
    const std::uint32_t row[] = {static_cast<std::uint32_t>(i)};
    workspace.reset();
    batch.gather(data.train, row);
    const Evaluation part = stories.model->evaluate(stories.weights, batch.batch(), workspace);
    total.rows += part.rows;
    total.correct += part.correct;
    total.loss += part.loss;
  }
  return total;
}

TEST(Stories260KTest, LossAndAccuracyOnAHundredStories) {
  if (real_data("llama2c").empty()) GTEST_SKIP() << "no llama2c among the data";
  for (const char* file : kFiles) {
    const Evaluation total = hundred_stories(file);
    EXPECT_EQ(total.rows, 44'293) << file;
    EXPECT_NEAR(total.loss / static_cast<double>(total.rows), 1.368790, 2e-4) << file;
    EXPECT_NEAR(static_cast<double>(total.correct) / static_cast<double>(total.rows), 0.622943,
                1e-4)
        << file;
  }
  const Evaluation half = hundred_stories("stories260K.bf16.safetensors");
  EXPECT_NEAR(half.loss / static_cast<double>(half.rows), 1.368700, 2e-4);
}

}  // namespace
}  // namespace skiff::testing
