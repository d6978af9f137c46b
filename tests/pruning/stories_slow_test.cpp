// Every pruner on a small public language model: losses on 100 stories that calibration never saw.
// Prints the table of algorithms/pruning/README.md.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <map>

#include "algorithms/data/text_samples.h"
#include "algorithms/models/evaluate_rows.h"
#include "tests/models/stories_fixture.h"
#include "tests/pruning/pruners_fixture.h"

namespace skiff::testing {
namespace {

// The first 513 tokens of each text, from position 0.
struct Texts {
  Samples samples;
  std::vector<std::uint32_t> rows;

  Texts(const std::string& file, std::size_t most) {
    TextParams params;
    params.tokenizer.file.path = real_data("llama2c/tok512.bin");
    params.sequence_length = 512;
    params.pack = false;
    TextCollector texts;
    std::vector<std::string> all = split_texts(bytes_of_file(real_data(file)), "<|endoftext|>");
    for (std::size_t i = 0; i < std::min(most, all.size()); ++i) texts.add(std::move(all[i]));
    samples = text_samples("stories", texts.done(), params, 0).train;
    for (int i = 0; i < samples.rows(); ++i) {
      if (samples.text(i)[0] == 1) rows.push_back(static_cast<std::uint32_t>(i));
    }
  }
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Measured {
  double loss, seconds;
};

struct Bench {
  Stories stories{"stories260K.bin"};
  // The head of the training part: the 100 stories are its end.
  Texts calibration_texts{"text/tinystories_train_head_2MiB.txt", 32};
  Texts held_out{"llama2c/eval_tinystories_100.txt", 1000};
  Calibration calibration{*stories.model, calibration_texts.samples, calibration_texts.rows};
  Calibration few{*stories.model,
                  calibration_texts.samples,
                  {calibration_texts.rows.begin(), calibration_texts.rows.begin() + 8}};
  Vector weights = stories.weights.parameters();

  // The best time of several.
  Measured measure(const Vector& pruned, int times = 1) const {
    double best = 1e300;
    Evaluation sum;
    for (int i = 0; i < times; ++i) {
      const double start = cpu_seconds();
      sum = evaluate_rows(
          *stories.model, [&] { return std::make_unique<FullWeights>(pruned); }, held_out.samples,
          held_out.rows);
      best = std::min(best, cpu_seconds() - start);
    }
    EXPECT_EQ(sum.rows, 44'293);
    return {sum.loss / static_cast<double>(sum.rows), best};
  }
};

Bench& bench() {
  static Bench bench;
  return bench;
}

struct Method {
  std::string label, name;
  Keys more;
};

double loss_of(const Method& method, const std::string& sparsity, const std::string& structure,
               const Measured& dense) {
  const auto compressor = pruner(method.name, sparsity, structure, method.more);
  Model model = dense_model(bench().weights);
  State memory;
  const double start = cpu_seconds();
  compressor->compress(model, method.name == "bonsai" ? &bench().few : &bench().calibration, memory,
                       Stream(1, "prune"));
  const double took = cpu_seconds() - start;
  const Measured m = bench().measure(decoded(model), compressor->changes_shapes() ? 5 : 1);
  fmt::print("| {} | {} {} | {:.4f} | {} | {:.2f} | {:.1f} |\n", method.label, sparsity, structure,
             m.loss, shape_of(model).stored.value(), dense.seconds / m.seconds, took);
  std::fflush(stdout);
  return m.loss;
}

const std::vector<Method>& unstructured() {
  static const std::vector<Method> methods{
      {"magnitude", "magnitude", {}},
      {"wanda", "wanda", {}},
      {"ria", "ria", {}},
      {"symmetric-wanda", "symmetric-wanda", {}},
      {"symmetric-wanda, ria, dsnot", "symmetric-wanda", {{"score", "ria"}, {"dsnot", "true"}}},
      {"symmetric-wanda, owl", "symmetric-wanda", {{"layer_balance", "owl"}}},
      {"sparsegpt", "sparsegpt", {}},
      {"thanos", "thanos", {}}};
  return methods;
}

// The whole table of the family's page takes long: SKIFF_TABLES=1 prints it. Without it, a part.
bool whole_table() { return std::getenv("SKIFF_TABLES") != nullptr; }

bool has_data() {
  return !real_data("llama2c").empty() &&
         !real_data("text/tinystories_train_head_2MiB.txt").empty();
}

TEST(StoriesTest, UnstructuredAndPatterns) {
  if (!has_data()) GTEST_SKIP() << "no llama2c among the data";
  const Measured dense = bench().measure(bench().weights);
  EXPECT_NEAR(dense.loss, 1.368790, 2e-4);
  fmt::print("dense {:.4f}, {:.2f} s\n", dense.loss, dense.seconds);
  std::map<std::string, std::map<std::string, double>> losses;
  for (const auto& [sparsity, structure] :
       {std::pair<std::string, std::string>{"0.5", "unstructured"},
        {"0.6", "unstructured"},
        {"0.7", "unstructured"},
        {"0.5", "2-of-4"}}) {
    const bool kept = structure == "2-of-4" || sparsity == "0.5";
    for (const Method& method : unstructured()) {
      const bool compared = method.name == "magnitude" || method.name == "wanda" ||
                            method.name == "sparsegpt" || method.name == "thanos";
      if (!whole_table() && !(kept && compared)) continue;
      const bool whole_rows = method.label.find("dsnot") != std::string::npos ||
                              method.label.find("owl") != std::string::npos;
      if (structure == "2-of-4" && whole_rows) continue;
      losses[sparsity + structure][method.label] = loss_of(method, sparsity, structure, dense);
    }
  }
  EXPECT_NEAR(losses["0.5unstructured"]["magnitude"], 3.687740, 2e-4);
  EXPECT_NEAR(losses["0.52-of-4"]["magnitude"], 4.796531, 2e-4);
  for (auto& [setting, by] : losses) {
    EXPECT_LT(by["thanos"], by["wanda"]) << setting;
    EXPECT_LT(by["sparsegpt"], by["wanda"]) << setting;
    EXPECT_LT(by["wanda"], by["magnitude"]) << setting;
  }
}

TEST(StoriesTest, ChannelsThatAreReallyCut) {
  if (!has_data()) GTEST_SKIP() << "no llama2c among the data";
  if (!whole_table()) GTEST_SKIP() << "part of the table; set SKIFF_TABLES";
  const Measured dense = bench().measure(bench().weights, 5);
  fmt::print("dense {:.4f}, {:.2f} s\n", dense.loss, dense.seconds);
  for (const std::string sparsity : {"0.25", "0.5"}) {
    std::map<std::string, double> losses;
    for (const Method& method :
         {Method{"magnitude", "magnitude", {}}, Method{"wanda", "wanda", {}},
          Method{"thanos", "thanos", {}},
          Method{"bonsai, prior alone", "bonsai", {{"sub_models", "0"}, {"step", "0.125"}}},
          Method{"bonsai", "bonsai", {{"step", "0.125"}, {"sub_models", "100"}}},
          Method{"bonsai, pooled, global",
                 "bonsai",
                 {{"step", "0.125"},
                  {"sub_models", "100"},
                  {"sampling", "pooled"},
                  {"selection", "global"}}}}) {
      losses[method.label] = loss_of(method, sparsity, "channel", dense);
    }
    EXPECT_LT(losses["thanos"], losses["magnitude"]);
    EXPECT_LT(losses["bonsai"], losses["magnitude"]);
  }
}

}  // namespace
}  // namespace skiff::testing
