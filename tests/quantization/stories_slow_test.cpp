// Quantizers on stories260K: losses on 100 stories.
#include "algorithms/calibration.h"
#include "algorithms/data/text_samples.h"
#include "algorithms/models/evaluate_rows.h"
#include "tests/models/stories_fixture.h"
#include "tests/quantization/quantization_test.h"

namespace skiff::testing {
namespace {

// Texts of a file, the first 513 tokens of each.
struct Windows {
  Samples samples;
  std::vector<std::uint32_t> rows;

  Windows(const std::string& file, std::size_t most) {
    TextParams params;
    params.tokenizer.file.path = real_data("llama2c/tok512.bin");
    params.sequence_length = 512;
    params.pack = false;
    TextCollector texts;
    for (std::string& text : split_texts(bytes_of_file(real_data(file)), "<|endoftext|>")) {
      texts.add(std::move(text));
    }
    samples = text_samples("stories", texts.done(), params, 0).train;
    for (int i = 0; i < samples.rows() && rows.size() < most; ++i) {
      if (samples.text(i)[0] == 1) rows.push_back(static_cast<std::uint32_t>(i));
    }
  }
};

struct Experiment {
  explicit Experiment(std::size_t samples = 16)
      : training("text/tinystories_train_head_2MiB.txt", samples) {}

  Stories stories{"stories260K.safetensors"};
  Windows held_out{"llama2c/eval_tinystories_100.txt", 100};
  Windows training;
  Calibration calibration{*stories.model, training.samples, training.rows};
  Vector weights{*checkpoint_weights(*stories.checkpoint, stories.model->layout())};

  Model compressed(const std::string& name, const Keys& keys) const {
    Model model = dense_model(weights);
    State memory;
    make(name, keys)->compress(model, &calibration, memory, Stream(0, "stories"));
    return model;
  }
  double loss(const Model& model) const {
    const Vector decoded_weights = decoded(model);
    const Evaluation total = evaluate_rows(
        *stories.model, [&] { return std::make_unique<FullWeights>(decoded_weights); },
        held_out.samples, held_out.rows);
    return total.loss / static_cast<double>(total.rows);
  }
};

bool absent() { return real_data("llama2c").empty() || real_data("text").empty(); }

// Computed elsewhere, with scales in float64.
TEST(Stories260KQuantizationTest, RoundToNearestHasTheLossesMeasuredElsewhere) {
  if (absent()) GTEST_SKIP() << "no llama2c among the data";
  const Experiment e;
  const struct {
    const char *bits, *group;
    double loss;
  } rows[] = {{"8", "row", 1.369206},
              {"4", "row", 1.534311},
              {"4", "32", 1.506455},
              {"3", "32", 2.512052},
              {"2", "32", 8.403743}};
  for (const auto& row : rows) {
    const Model model =
        e.compressed("rtn", {{"bits", row.bits}, {"group", row.group}, {"scales", "fp32"}});
    EXPECT_NEAR(e.loss(model), row.loss, 2e-4) << row.bits << " " << row.group;
  }
}

TEST(Stories260KQuantizationTest, AtEqualBitsTheOrderOfMethods) {
  if (absent()) GTEST_SKIP() << "no llama2c among the data";
  const Experiment e;
  const double rtn = e.loss(e.compressed("rtn", {{"bits", "4"}, {"group", "64"}}));
  const double nf4 = e.loss(e.compressed("nf4", {}));
  const double higgs = e.loss(e.compressed("higgs", {{"bits", "4"}}));
  EXPECT_LT(higgs, rtn);
  EXPECT_LT(higgs, nf4);
  const double plain = e.loss(e.compressed("higgs", {{"bits", "3"}}));
  const Keys dynamic{{"bits", "3"}, {"allocation", "dynamic"}, {"noise_levels", "1"}};
  EXPECT_LT(e.loss(e.compressed("higgs", dynamic)), plain);
}

TEST(Stories260KQuantizationTest, AtTwoBitsTuningIsAheadOfRotating) {
  if (absent()) GTEST_SKIP() << "no llama2c among the data";
  const Experiment e(128);
  EXPECT_LT(e.loss(e.compressed("pv-tuning", {{"bits", "2"}})),
            e.loss(e.compressed("higgs", {{"bits", "2"}})));
}

}  // namespace
}  // namespace skiff::testing
