// The linearity theorem on a real decoder: what the planner predicts for mixed plans is in the
// order of what they cost.
#include <algorithm>
#include <numeric>

#include "algorithms/calibration.h"
#include "algorithms/data/text_samples.h"
#include "algorithms/layer_targets.h"
#include "algorithms/planning/seen_errors.h"
#include "algorithms/quantization/linearity.h"
#include "tests/models/stories_fixture.h"
#include "tests/quantization/quantization_test.h"

namespace skiff::testing {
namespace {

// Stories, the first 128 tokens of each.
struct Told {
  Samples samples;
  std::vector<std::uint32_t> rows;

  Told() {
    TextParams params;
    params.tokenizer.file.path = real_data("llama2c/tok512.bin");
    params.sequence_length = 128;
    params.pack = false;
    TextCollector texts;
    for (std::string& text : split_texts(
             bytes_of_file(real_data("llama2c/eval_tinystories_100.txt")), "<|endoftext|>")) {
      texts.add(std::move(text));
    }
    samples = text_samples("stories", texts.done(), params, 0).train;
    for (int i = 0; i < samples.rows(); ++i) {
      if (samples.text(i)[0] == 1) rows.push_back(static_cast<std::uint32_t>(i));
    }
  }
  std::vector<std::uint32_t> part(std::size_t from, std::size_t to) const {
    return {rows.begin() + static_cast<std::ptrdiff_t>(from),
            rows.begin() + static_cast<std::ptrdiff_t>(std::min(to, rows.size()))};
  }
};

std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> out(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) out[order[i]] = static_cast<double>(i);
  return out;
}

// Spearman's: 1 - 6 sum d^2 / (n (n^2 - 1)); no two values are equal here.
double rank_correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const std::vector<double> a = ranks(x), b = ranks(y);
  const auto n = static_cast<double>(a.size());
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return 1 - 6 * squares / (n * (n * n - 1));
}

struct Option {
  Vector weights;
  std::vector<double> seen, plain;  // errors by slice
};

class MixedPlans {
 public:
  MixedPlans() {
    const Layout& layout = *stories_.model->layout();
    const std::vector<std::size_t> targets = LayerTargets{}.of(layout);
    slopes_.resize(layout.slices.size());
    const std::vector<double> found =
        loss_slopes(served_, dense_model(weights_), targets, {}, Stream(1, "slopes"));
    for (std::size_t i = 0; i < targets.size(); ++i) slopes_[targets[i]] = std::max(0.0, found[i]);
  }

  void add(const char* name, const Keys& keys) {
    Model model = dense_model(weights_);
    State memory;
    make(name, keys)->compress(model, &served_, memory, Stream(0, "stories"));
    Option option{decoded(model), {}, {}};
    option.seen = seen_.of(option.weights);
    option.plain = plain_.of(option.weights);
    options_.push_back(std::move(option));
  }

  // A random option for each layer: what is predicted, by either error, and what is lost.
  void draw(Stream& draws, std::vector<double>& seen, std::vector<double>& plain,
            std::vector<double>& lost) const {
    Vector what = weights_;
    double by_seen = 0, by_plain = 0;
    // The options of a plan come from a part of the list: plans of few and of many bits.
    const auto all = static_cast<std::uint32_t>(options_.size());
    const std::uint32_t first = draws.below(all);
    const std::uint32_t count = 1 + draws.below(all - first);
    for (std::size_t t = 0; t < slopes_.size(); ++t) {
      if (slopes_[t] == 0) continue;
      const Option& option = options_[first + draws.below(count)];
      const Slice& s = what.layout->slices[t];
      std::copy_n(option.weights.values.begin() + static_cast<std::ptrdiff_t>(s.offset), s.size(),
                  what.values.begin() + static_cast<std::ptrdiff_t>(s.offset));
      by_seen += slopes_[t] * option.seen[t];
      by_plain += slopes_[t] * option.plain[t];
    }
    seen.push_back(by_seen);
    plain.push_back(by_plain);
    lost.push_back(held_out_.loss(what) - before_);
  }

 private:
  Stories stories_{"stories260K.safetensors"};
  Told told_;
  Calibration served_{*stories_.model, told_.samples, told_.part(0, 16)};
  Calibration held_out_{*stories_.model, told_.samples, told_.part(16, 40)};
  Vector weights_{*checkpoint_weights(*stories_.checkpoint, stories_.model->layout())};
  SeenErrors seen_{weights_, &served_};
  SeenErrors plain_{weights_, nullptr};
  double before_ = held_out_.loss(weights_);
  std::vector<double> slopes_;
  std::vector<Option> options_;
};

// By what inputs see at least as well as by the plain error, which knows nothing of the data.
TEST(PredictedLossSlowTest, TheOrderOfMixedPlansIsForetold) {
  if (real_data("llama2c").empty()) GTEST_SKIP() << "no llama2c among the data";
  MixedPlans plans;
  for (const char* bits : {"2", "3", "4", "8"}) {
    plans.add("rtn", {{"bits", bits}, {"group", "32"}});
    plans.add("higgs", {{"bits", bits}});
    plans.add("gptq", {{"bits", bits}, {"group", "32"}});
  }
  Stream draws(7, "plans");
  std::vector<double> seen, plain, lost;
  for (int i = 0; i < 40; ++i) plans.draw(draws, seen, plain, lost);
  EXPECT_GE(rank_correlation(seen, lost), 0.98);
  EXPECT_GE(rank_correlation(seen, lost), rank_correlation(plain, lost));
}

}  // namespace
}  // namespace skiff::testing
